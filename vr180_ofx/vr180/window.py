"""Windows: virtual cameras on the sphere, one per person and eye.

They are stereographic: whoever is near and fills much of a window keeps their shape all over it, where a rectilinear camera would stretch
head and feet (at 60° from the middle four times outwards and twice around, against 1.3 times both ways). Small windows are the same
either way. Networks see people a metre away better so, and those further away no worse: docs/decisions/0092.

A window is geometry alone. `grid` says where its pixels lie in an eye's picture (to crop), `inverse_map` says where
a picture's pixels lie in the window (to paste); both are analytic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.lattice import smooth_map
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.vr180.projection import Projection

MAX_WINDOW_FOV_DEGREES = 300.0


def direction_from_angles(longitude: float, latitude: float) -> tuple[float, float, float]:
    """The unit vector at ``longitude`` (right) and ``latitude`` (up), radians."""
    across = math.cos(latitude)
    return math.sin(longitude) * across, math.sin(latitude), math.cos(longitude) * across


def angles_from_direction(direction: FloatArray | tuple[float, float, float]) -> tuple[float, float]:
    """(longitude, latitude) in radians of a vector of any length."""
    x, y, z = (float(v) for v in direction)
    return math.atan2(x, z), math.atan2(y, math.hypot(x, z))


@dataclass(frozen=True, slots=True)
class Window:
    """A virtual stereographic camera on the sphere that follows one person: directions at an angle a from its own lie 2 tan(a / 2) from
    the middle, in focal lengths (Snyder, Map Projections, 1987, eq. 21-1 to 21-4).

    direction: unit vector through its centre, shape (3,), x right, y up, z forward.
    fov_degrees: full angle across the square view, above 0 and below 300.
    roll_degrees: turn about the view axis, positive clockwise as seen in the picture.
    size: pixels on a side.
    """

    direction: tuple[float, float, float]
    fov_degrees: float
    roll_degrees: float = 0.0
    size: int = 256
    _axes: FloatArray = field(init=False, repr=False, compare=False, default_factory=lambda: np.eye(3))

    def __post_init__(self) -> None:
        if not 0 < self.fov_degrees < MAX_WINDOW_FOV_DEGREES:
            raise ValueError(f"fov_degrees is {self.fov_degrees}; a window shows more than 0 and less than {MAX_WINDOW_FOV_DEGREES:g}")
        if self.size < 1:
            raise ValueError(f"size is {self.size}; a window has at least 1 pixel on a side")
        norm = math.sqrt(sum(v * v for v in self.direction))
        if not 0.5 < norm < 2:
            raise ValueError(f"direction is {self.direction}; it must be a unit vector")
        forward = np.asarray(self.direction, dtype=np.float64) / norm
        longitude = math.atan2(forward[0], forward[2])
        right = np.array([math.cos(longitude), 0.0, -math.sin(longitude)])
        up = np.cross(forward, right)
        c, s = math.cos(math.radians(self.roll_degrees)), math.sin(math.radians(self.roll_degrees))
        # rows: the camera's right, up and forward in world coordinates
        object.__setattr__(self, "_axes", np.stack([c * right - s * up, s * right + c * up, forward]))

    @property
    def focal_pixels(self) -> float:
        """Pixels per radian in the middle."""
        return self.size / 2 / (2 * math.tan(math.radians(self.fov_degrees) / 4))

    def directions(self, points: FloatArray) -> FloatArray:
        """points: (..., 2) continuous window pixels. Returns (..., 3) unit directions in the world."""
        world = self._rays(points)
        unit: FloatArray = world / np.linalg.norm(world, axis=-1, keepdims=True)
        return unit

    def _rays(self, points: FloatArray) -> FloatArray:
        """As `directions`, of any length."""
        p = np.asarray(points, dtype=np.float64)
        half, focal = self.size / 2, self.focal_pixels
        right, up, forward = self._axes
        x, y = (p[..., 0:1] - half) / focal, (half - p[..., 1:2]) / focal
        world: FloatArray = x * right + y * up + (1 - (x * x + y * y) / 4) * forward
        return world

    def points(self, directions: FloatArray) -> FloatArray:
        """directions: (..., 3). Returns (..., 2) continuous window pixels, NaN right behind the camera."""
        local = np.asarray(directions, dtype=np.float64) @ self._axes.T
        away = np.linalg.norm(local, axis=-1) + local[..., 2]
        scale = 2 * self.focal_pixels / np.where(away > 1e-6, away, np.nan)
        half = self.size / 2
        return np.stack([half + scale * local[..., 0], half - scale * local[..., 1]], axis=-1)

    def grid(self, projection: Projection, size: int | None = None, *, like: object = None) -> FloatArray:
        """Where each window pixel's centre lies in the eye's picture: (size, size, 2) float32, NaN outside. like: see `smooth_map`."""
        n = size or self.size
        scale = self.size / n
        return smooth_map(lambda p: projection.project(self._rays(p * scale)), Rect.of_size(n, n), like=like)

    def rough_grid(self, projection: Projection) -> FloatArray:
        """Where places of the window lie in the eye's picture, in even steps from its first to its last pixel: (33, 33, 2), NaN outside."""
        ticks = np.linspace(0.5, self.size - 0.5, 33)
        return projection.project(self._rays(np.stack(np.meshgrid(ticks, ticks), axis=-1)))

    def inverse_map(self, projection: Projection, rect: Rect, *, like: object = None) -> FloatArray:
        """Where each picture pixel's centre in ``rect`` lies in the window: (height, width, 2) float32, NaN right behind it.

        like: see `smooth_map`.
        """
        return smooth_map(lambda p: self.points(projection.unproject(p)), rect, like=like)

    def bounds(self, projection: Projection, margin: float = 0.0) -> Rect:
        """The picture's pixels that the window can show, grown by ``margin`` of its size."""
        n = 33
        lo, hi = -margin * self.size, (1 + margin) * self.size
        ticks = np.linspace(lo, hi, n)
        p = projection.project(self.directions(np.stack(np.meshgrid(ticks, ticks), axis=-1)))
        # the window's border bulges between the samples in the picture by less than one sample step
        return Rect.around(p, 1).clipped(projection.width, projection.height)


def between(new: Window, old: Window) -> FloatArray:
    """Where each pixel's centre of one window lies in another: (size, size, 2) float32 continuous pixels, for `imaging.sample`."""
    return smooth_map(lambda p: old.points(new._rays(p)), Rect.of_size(new.size, new.size))
