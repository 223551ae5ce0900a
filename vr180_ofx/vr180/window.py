"""Windows: virtual rectilinear cameras on the sphere, one per person and eye.

A window is geometry alone. `grid` says where its pixels lie in an eye's picture (to crop), `inverse_map` says where
a picture's pixels lie in the window (to paste); both are analytic.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from vr180_ofx.vr180.projection import FloatArray, Projection

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
class Rect:
    """Whole pixels: x0 <= x < x1, y0 <= y < y1."""

    x0: int
    y0: int
    x1: int
    y1: int

    @classmethod
    def around(cls, points: FloatArray, room: int) -> Rect:
        """The pixels that hold ``points``, (..., 2) continuous pixels, and ``room`` pixels around; empty when none of them is finite."""
        finite = points[np.isfinite(points).all(axis=-1)]
        if not len(finite):
            return cls(0, 0, 0, 0)
        low, high = np.floor(finite.min(axis=0)).astype(int) - room, np.ceil(finite.max(axis=0)).astype(int) + room
        return cls(int(low[0]), int(low[1]), int(high[0]), int(high[1]))

    @property
    def width(self) -> int:
        return max(0, self.x1 - self.x0)

    @property
    def height(self) -> int:
        return max(0, self.y1 - self.y0)

    @property
    def empty(self) -> bool:
        return self.width == 0 or self.height == 0

    @property
    def slices(self) -> tuple[slice, slice]:
        """For an array of shape (height, width, ...)."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    def clipped(self, width: int, height: int) -> Rect:
        x0, y0 = min(max(self.x0, 0), width), min(max(self.y0, 0), height)
        return Rect(x0, y0, max(x0, min(self.x1, width)), max(y0, min(self.y1, height)))

    def grown(self, pixels: int) -> Rect:
        return Rect(self.x0 - pixels, self.y0 - pixels, self.x1 + pixels, self.y1 + pixels)

    def shifted(self, x: int, y: int) -> Rect:
        return Rect(self.x0 + x, self.y0 + y, self.x1 + x, self.y1 + y)

    def intersection(self, other: Rect) -> Rect:
        """What both hold; empty when they are apart."""
        return Rect(max(self.x0, other.x0), max(self.y0, other.y0), min(self.x1, other.x1), min(self.y1, other.y1))

    def union(self, other: Rect) -> Rect:
        if self.empty:
            return other
        if other.empty:
            return self
        return Rect(min(self.x0, other.x0), min(self.y0, other.y0), max(self.x1, other.x1), max(self.y1, other.y1))


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

    def points(self, directions: FloatArray) -> FloatArray:
        """directions: (..., 3). Returns (..., 2) continuous window pixels, NaN behind the camera."""
        local = np.asarray(directions, dtype=np.float64) @ self._axes.T
        z = np.where(local[..., 2] > 1e-6, local[..., 2], np.nan)
        focal = self.focal_pixels
        half = self.size / 2
        return np.stack([half + focal * local[..., 0] / z, half - focal * local[..., 1] / z], axis=-1)

    def grid(self, projection: Projection, size: int | None = None) -> FloatArray:
        """Where each window pixel's centre lies in the eye's picture: (size, size, 2) float32, NaN outside."""
        n = size or self.size
        scale = self.size / n
        return smooth_map(lambda p: projection.project(self._rays(p * scale)), 0, 0, n, n)

    def inverse_map(self, projection: Projection, rect: Rect) -> FloatArray:
        """Where each picture pixel's centre in ``rect`` lies in the window: (height, width, 2) float32, NaN behind."""
        return smooth_map(lambda p: self.points(projection.unproject(p)), rect.x0, rect.y0, rect.width, rect.height)

    def bounds(self, projection: Projection, margin: float = 0.0) -> Rect:
        """The picture's pixels that the window can show, grown by ``margin`` of its size."""
        n = 33
        lo, hi = -margin * self.size, (1 + margin) * self.size
        ticks = np.linspace(lo, hi, n)
        p = projection.project(self.directions(np.stack(np.meshgrid(ticks, ticks), axis=-1)))
        # a straight border of the window bulges between the samples in the picture by less than one sample step
        return Rect.around(p, 1).clipped(projection.width, projection.height)


def smooth_map(
    function: Callable[[FloatArray], FloatArray], x0: int, y0: int, width: int, height: int, tolerance: float = 0.03
) -> FloatArray:
    """``function`` at the centres of pixels, (height, width, 2) float32. function: (..., 2) points to (..., 2).

    Maps are smooth: they are computed on a lattice and interpolated, as coarse as keeps the error under ``tolerance`` of a sample step.
    """
    for step in (16, 8, 4):
        # the lattice begins half a step outside, where `upsample_lattice` wants it
        xs = x0 + (np.arange(-(-width // step) + 2, dtype=np.float64) - 0.5) * step
        ys = y0 + (np.arange(-(-height // step) + 2, dtype=np.float64) - 0.5) * step
        coarse = function(np.stack(np.meshgrid(xs, ys), axis=-1))
        if _smooth(coarse, step, tolerance):
            return upsample_lattice(coarse, step, width, height)
    centres = np.meshgrid(x0 + np.arange(width) + 0.5, y0 + np.arange(height) + 0.5)
    return function(np.stack(centres, axis=-1)).astype(np.float32)


def _smooth(coarse: FloatArray, step: int, tolerance: float) -> bool:
    """Whether bilinear interpolation will do: its error is at most the second difference / 8 in each direction."""
    if not np.isfinite(coarse).all():
        return False
    worst = max(float(np.abs(np.diff(coarse, 2, axis=axis)).max(initial=0.0)) for axis in (0, 1))
    typical = float(np.median(np.abs(np.diff(coarse[..., 0], axis=1)))) / step
    return worst / 8 < tolerance * max(1.0, typical)


def upsample_lattice(coarse: FloatArray, step: int, width: int, height: int) -> FloatArray:
    """Values at pixel corners -step / 2, step / 2, 3 step / 2... -> values at pixel centres i + 0.5, bilinear. (height, width, 2)."""
    # these are the places that cv2.resize gives the samples of a picture enlarged by ``step``, and it is seven times as fast as a warp
    size = (coarse.shape[1] * step, coarse.shape[0] * step)
    out: FloatArray = cv2.resize(coarse.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(out[step : step + height, step : step + width])
