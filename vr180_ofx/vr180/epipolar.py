"""Two parallel eyes: pictures in which the same point lies on the same row in both, and depth from where it lies.

The eyes sit at -b/2 and +b/2 on the x axis and look the same way (b the interocular distance). In coordinates whose poles lie on that
axis a point keeps its elevation (the angle about the axis) from eye to eye, and only its lateral angle changes: over the whole
hemisphere, without an approximation. Seen from an eye a point at (x, y, z) has

    elevation  phi   = atan2(y, z)
    lateral    alpha = atan2(x, r),  r = hypot(y, z)   (r is the same for both eyes)

and tan(alpha_left) - tan(alpha_right) = b / r. Li, "Binocular spherical stereo" (2008), has the same frame with other names.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.either import is_tensor
from vr180_ofx.imaging.lattice import smooth_map
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.vr180.projection import Projection

#: What people's eyes have, and most VR180 cameras; clips may say otherwise.
INTEROCULAR_M = 0.064


def angles(directions: FloatArray) -> FloatArray:
    """directions: (..., 3), any length. Returns (..., 2): lateral and elevation, radians."""
    d = np.asarray(directions)
    x, y, z = d[..., 0], d[..., 1], d[..., 2]
    return np.stack([np.arctan2(x, np.hypot(y, z)), np.arctan2(y, z)], axis=-1)


def directions(lateral: FloatArray, elevation: FloatArray) -> FloatArray:
    """The inverse of `angles`: (..., 3) unit vectors."""
    across = np.cos(lateral)
    return np.stack(np.broadcast_arrays(np.sin(lateral), across * np.sin(elevation), across * np.cos(elevation)), axis=-1)


def range_m(lateral_left: FloatArray, lateral_right: FloatArray, interocular_m: float) -> FloatArray:
    """How far a point is from the baseline, in metres: r. Infinite where the eyes see it in the same or in diverging directions."""
    difference = np.tan(lateral_left) - np.tan(lateral_right)
    with np.errstate(divide="ignore"):
        out: FloatArray = np.where(difference > 0, interocular_m / np.where(difference > 0, difference, 1), np.inf)
    return out


def upright(shift: FloatArray | float, elevation: FloatArray) -> FloatArray:
    """How far apart the eyes see the points of somebody who stands upright: tan(alpha_left) - tan(alpha_right) at these elevations.

    shift: interocular distance over depth, the depth being that along the ground. The range grows towards head and feet as seen from
    eyes of the height of the middle.
    """
    out: FloatArray = shift * np.maximum(np.cos(elevation), 0.1)
    return out


@dataclass(frozen=True, slots=True)
class EpipolarWindow:
    """A piece of the sphere in those coordinates: columns are lateral angles, rows elevations, evenly spaced.

    lateral, elevation: of the centre, radians. scale: radians a pixel, of both. width, height: pixels.
    Windows of both eyes with the same elevation, scale and height show the same points on the same rows.
    """

    lateral: float
    elevation: float
    scale: float
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1 or not self.scale > 0:
            raise ValueError(f"a window of {self.width}x{self.height} pixels of {self.scale} radians shows nothing")
        if abs(self.lateral) + self.scale * self.width / 2 > math.pi / 2 + 1e-9:
            raise ValueError(f"the window reaches beyond the pole: {math.degrees(self.lateral):.1f}° and {self.width} columns")

    @classmethod
    def around(cls, box: tuple[float, float, float, float], scale: float, margin: int = 0) -> EpipolarWindow:
        """box: (least lateral, least elevation, most lateral, most elevation), radians; with ``margin`` pixels around."""
        limit = math.pi / 2 - scale
        left, right = max(box[0] - margin * scale, -limit), min(box[2] + margin * scale, limit)
        width = max(1, int((right - left) / scale))
        height = max(1, math.ceil((box[3] - box[1]) / scale) + 2 * margin)
        return cls((left + right) / 2, (box[1] + box[3]) / 2, scale, width, height)

    def moved(self, lateral: float) -> EpipolarWindow:
        """The same rows, elsewhere along them."""
        return EpipolarWindow(lateral, self.elevation, self.scale, self.width, self.height)

    def laterals(self) -> FloatArray:
        """(width,) of the columns' centres."""
        out: FloatArray = self.lateral + (np.arange(self.width) + 0.5 - self.width / 2) * self.scale
        return out

    def elevations(self) -> FloatArray:
        """(height,) of the rows' centres, the highest first."""
        out: FloatArray = self.elevation - (np.arange(self.height) + 0.5 - self.height / 2) * self.scale
        return out

    def grid(self, projection: Projection, *, like: object = None) -> FloatArray:
        """(height, width, 2) pixels of an eye's picture: what to sample. NaN outside of it.

        like: a tensor, for places where it is; they are interpolated there, see `smooth_map`.
        """
        if is_tensor(like):
            return smooth_map(lambda points: projection.project(self.directions(points)), Rect.of_size(self.width, self.height), like=like)
        return projection.project(directions(self.laterals()[None, :], self.elevations()[:, None]))

    def rough_grid(self, projection: Projection) -> FloatArray:
        """Some of the places of `grid`, in even steps from its first to its last pixel: (33, 33, 2), NaN outside."""
        across, down = (np.linspace(0.5, n - 0.5, 33) for n in (self.width, self.height))
        return projection.project(self.directions(np.stack(np.meshgrid(across, down), axis=-1)))

    def directions(self, points: FloatArray) -> FloatArray:
        """points: (..., 2) continuous pixels of the window. Returns (..., 3) unit vectors."""
        lateral = self.lateral + (points[..., 0] - self.width / 2) * self.scale
        return directions(lateral, self.elevation - (points[..., 1] - self.height / 2) * self.scale)

    def points(self, rays: FloatArray) -> FloatArray:
        """rays: (..., 3). Returns (..., 2) continuous pixels of the window."""
        a = angles(rays)
        return np.stack(
            [(a[..., 0] - self.lateral) / self.scale + self.width / 2, (self.elevation - a[..., 1]) / self.scale + self.height / 2], axis=-1
        )
