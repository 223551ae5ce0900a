"""Projections: where on an eye's picture a direction lands, and back.

Coordinates are continuous pixels: the centre of pixel ``i`` is at ``i + 0.5``, the picture spans ``0..width``.
Directions are unit vectors, x right, y up, z forward. Angles are radians; ``_degrees`` says otherwise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np

from vr180_ofx.arrays import FloatArray

#: The field of view a flat clip is given when nobody says otherwise. So long a lens makes every window an affine crop
#: within 1.6 % at the border, which is what people expect of a flat picture.
FLAT_NOMINAL_FOV_DEGREES = 20.0


@runtime_checkable
class Projection(Protocol):
    """How one eye's picture samples the sphere of directions."""

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    @property
    def name(self) -> str: ...

    def project(self, directions: FloatArray) -> FloatArray:
        """directions: (..., 3), any length. Returns (..., 2) continuous pixels, NaN where the picture cannot hold it."""
        ...

    def unproject(self, points: FloatArray) -> FloatArray:
        """points: (..., 2) continuous pixels. Returns (..., 3) unit directions, NaN outside the image circle."""
        ...

    def resized(self, width: int, height: int) -> Projection:
        """The same part of the sphere in a picture of another size."""
        ...


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise ValueError(f"the picture of an eye is {width}x{height} pixels; both sides must be at least 1")


@dataclass(frozen=True, slots=True)
class Equirectangular:
    """Longitude and latitude grow linearly with x and y; 180° by 180° for VR180.

    span_degrees: what the width and the height cover, above 0 and at most (360, 180).
    """

    width: int
    height: int
    span_degrees: tuple[float, float] = (180.0, 180.0)

    def __post_init__(self) -> None:
        _check_size(self.width, self.height)
        if not (0 < self.span_degrees[0] <= 360 and 0 < self.span_degrees[1] <= 180):
            raise ValueError(f"span_degrees is {self.span_degrees}; an equirectangular picture spans at most (360, 180)")

    @property
    def name(self) -> str:
        return "equirect180"

    def resized(self, width: int, height: int) -> Equirectangular:
        return replace(self, width=width, height=height)

    def project(self, directions: FloatArray) -> FloatArray:
        d = np.asarray(directions)
        x, y, z = d[..., 0], d[..., 1], d[..., 2]
        longitude = np.arctan2(x, z)
        latitude = np.arctan2(y, np.hypot(x, z))
        span_x, span_y = np.radians(self.span_degrees)
        return np.stack(
            [(longitude / span_x + 0.5) * self.width, (0.5 - latitude / span_y) * self.height],
            axis=-1,
        )

    def unproject(self, points: FloatArray) -> FloatArray:
        p = np.asarray(points)
        span_x, span_y = np.radians(self.span_degrees)
        longitude = (p[..., 0] / self.width - 0.5) * span_x
        latitude = (0.5 - p[..., 1] / self.height) * span_y
        across = np.cos(latitude)
        return np.stack([np.sin(longitude) * across, np.sin(latitude), np.cos(longitude) * across], axis=-1)


@dataclass(frozen=True, slots=True)
class Fisheye:
    """Equidistant fisheye: the distance from the centre is proportional to the angle from the axis.

    fov_degrees: the full angle across the image circle, above 0 and below 360; the circle touches the shorter side.
    """

    width: int
    height: int
    fov_degrees: float = 190.0

    def __post_init__(self) -> None:
        _check_size(self.width, self.height)
        if not 0 < self.fov_degrees < 360:
            raise ValueError(f"fov_degrees is {self.fov_degrees}; a fisheye needs more than 0 and less than 360")

    @property
    def name(self) -> str:
        return "fisheye"

    def resized(self, width: int, height: int) -> Fisheye:
        return replace(self, width=width, height=height)

    @property
    def _pixels_per_radian(self) -> float:
        return min(self.width, self.height) / math.radians(self.fov_degrees)

    def project(self, directions: FloatArray) -> FloatArray:
        d = np.asarray(directions)
        x, y, z = d[..., 0], d[..., 1], d[..., 2]
        across = np.hypot(x, y)
        radius = np.arctan2(across, z) * self._pixels_per_radian
        # straight ahead has no azimuth: any one will do, the radius is 0
        safe = np.where(across > 0, across, 1.0)
        return np.stack([self.width / 2 + radius * x / safe, self.height / 2 - radius * y / safe], axis=-1)

    def unproject(self, points: FloatArray) -> FloatArray:
        p = np.asarray(points)
        dx = p[..., 0] - self.width / 2
        dy = self.height / 2 - p[..., 1]
        radius = np.hypot(dx, dy)
        angle = radius / self._pixels_per_radian
        safe = np.where(radius > 0, radius, 1.0)
        sine = np.sin(angle)
        out = np.stack([sine * dx / safe, sine * dy / safe, np.cos(angle)], axis=-1)
        outside = angle > math.radians(self.fov_degrees) / 2 + 1e-6
        out[outside] = np.nan
        return out


@dataclass(frozen=True, slots=True)
class Rectilinear:
    """An ordinary lens: straight lines stay straight.

    fov_degrees: the full angle across the longer side, above 0 and below 170.
    """

    width: int
    height: int
    fov_degrees: float = FLAT_NOMINAL_FOV_DEGREES

    def __post_init__(self) -> None:
        _check_size(self.width, self.height)
        if not 0 < self.fov_degrees < 170:
            raise ValueError(f"fov_degrees is {self.fov_degrees}; a flat picture needs more than 0 and less than 170")

    @property
    def name(self) -> str:
        return "flat"

    def resized(self, width: int, height: int) -> Rectilinear:
        return replace(self, width=width, height=height)

    @property
    def focal_pixels(self) -> float:
        return max(self.width, self.height) / 2 / math.tan(math.radians(self.fov_degrees) / 2)

    def project(self, directions: FloatArray) -> FloatArray:
        d = np.asarray(directions)
        z = np.where(d[..., 2] > 1e-9, d[..., 2], np.nan)
        focal = self.focal_pixels
        return np.stack([self.width / 2 + focal * d[..., 0] / z, self.height / 2 - focal * d[..., 1] / z], axis=-1)

    def unproject(self, points: FloatArray) -> FloatArray:
        p = np.asarray(points)
        focal = self.focal_pixels
        d = np.stack(
            [(p[..., 0] - self.width / 2) / focal, (self.height / 2 - p[..., 1]) / focal, np.ones_like(p[..., 0])],
            axis=-1,
        )
        unit: FloatArray = d / np.linalg.norm(d, axis=-1, keepdims=True)
        return unit


def make_projection(name: str, width: int, height: int, fov_degrees: float | None = None) -> Projection:
    """The projection called ``name`` (equirect180, fisheye, flat) for a picture of one eye."""
    if name == "equirect180":
        span = fov_degrees or 180.0
        return Equirectangular(width, height, (span, min(span, 180.0)))
    if name == "fisheye":
        return Fisheye(width, height, fov_degrees or 190.0)
    if name == "flat":
        return Rectilinear(width, height, fov_degrees or FLAT_NOMINAL_FOV_DEGREES)
    raise ValueError(f"projection is {name!r}; allowed are equirect180, fisheye, flat")
