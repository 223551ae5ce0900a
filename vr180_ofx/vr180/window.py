"""Windows: virtual rectilinear cameras on the sphere, one per person and eye.

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

MAX_WINDOW_FOV_DEGREES = 150.0


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
    """A virtual rectilinear camera on the sphere that follows one person.

    direction: unit vector through its centre, shape (3,), x right, y up, z forward.
    fov_degrees: full angle across the square view, above 0 and below 150.
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
            raise ValueError(
                f"fov_degrees is {self.fov_degrees}; a rectilinear view needs more than 0 and less than {MAX_WINDOW_FOV_DEGREES:g}"
            )
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
        return self.size / 2 / math.tan(math.radians(self.fov_degrees) / 2)

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
        world: FloatArray = x * right + y * up + forward
        return world

    def camera(self) -> FloatArray:
        """(3, 3): from homogeneous pixel indices, the centre of pixel i at i, to directions in the world, of any length."""
        half, focal = self.size / 2, self.focal_pixels
        local = np.array([[1 / focal, 0, (0.5 - half) / focal], [0, -1 / focal, (half - 0.5) / focal], [0, 0, 1.0]])
        matrix: FloatArray = self._axes.T @ local
        return matrix

    def points(self, directions: FloatArray) -> FloatArray:
        """directions: (..., 3). Returns (..., 2) continuous window pixels, NaN behind the camera."""
        local = np.asarray(directions, dtype=np.float64) @ self._axes.T
        z = np.where(local[..., 2] > 1e-6, local[..., 2], np.nan)
        focal = self.focal_pixels
        half = self.size / 2
        return np.stack([half + focal * local[..., 0] / z, half - focal * local[..., 1] / z], axis=-1)

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
        """Where each picture pixel's centre in ``rect`` lies in the window: (height, width, 2) float32, NaN behind it.

        like: see `smooth_map`.
        """
        return smooth_map(lambda p: self.points(projection.unproject(p)), rect, like=like)

    def bounds(self, projection: Projection, margin: float = 0.0) -> Rect:
        """The picture's pixels that the window can show, grown by ``margin`` of its size."""
        n = 33
        lo, hi = -margin * self.size, (1 + margin) * self.size
        ticks = np.linspace(lo, hi, n)
        p = projection.project(self.directions(np.stack(np.meshgrid(ticks, ticks), axis=-1)))
        # a straight border of the window bulges between the samples in the picture by less than one sample step
        return Rect.around(p, 1).clipped(projection.width, projection.height)


def homography(new: Window, old: Window) -> FloatArray:
    """(3, 3): from homogeneous pixel indices of one window to those of another. Two cameras in one place differ by no more than that."""
    matrix: FloatArray = np.linalg.inv(old.camera()) @ new.camera()
    return matrix / matrix[2, 2] if math.isfinite(matrix[2, 2]) else matrix
