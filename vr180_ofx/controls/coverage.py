"""Where an input matte is in an eye: polygons and pictures as coverage."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.filter import gaussian_blur
from vr180_ofx.imaging.parts import bounds
from vr180_ofx.imaging.polygon import coverage
from vr180_ofx.imaging.rect import Rect

#: Of the Gaussian that makes an edge soft over ``feather`` pixels: that share of them is its standard deviation, so that 95 percent of
#: the step happen within (two deviations to each side).
_SIGMAS = 4.0
#: Deviations beyond which a Gaussian adds nothing that half precision shows.
_REACH = 4.0


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of each pixel lies in a matte. rect: of the eye. values: (rect.height, rect.width) float32, 0..1; 0 outside of ``rect``."""

    rect: Rect
    values: FloatArray

    @property
    def empty(self) -> bool:
        return self.rect.empty or not bool(self.values.any())

    def within(self, rect: Rect) -> FloatArray:
        """(rect.height, rect.width), in an array of its own."""
        out = np.zeros((rect.height, rect.width), np.float32)
        common = rect.intersection(self.rect)
        if not common.empty:
            own, there = (common.shifted(-r.x0, -r.y0).slices for r in (self.rect, rect))
            out[there] = self.values[own]
        return out


def of_polygon(points: FloatArray, feather: float, width: int, height: int) -> Coverage:
    """points: (n, 2) pixels of an eye of ``width`` x ``height``. feather: pixels over which its edge is soft."""
    room = _room(feather)
    # what lies beyond the picture's sides still softens what is within
    rect = Rect.around(points, 1).grown(room)
    limit = Rect(-room, -room, width + room, height + room)
    rect = rect.intersection(limit)
    if rect.empty:
        return Coverage(Rect(0, 0, 0, 0), np.zeros((0, 0), np.float32))
    return _cut(Coverage(rect, _soft(coverage(points, rect), feather)), width, height)


def of_picture(values: FloatArray, feather: float) -> Coverage:
    """values: (height, width) 0..1, a whole eye."""
    height, width = values.shape
    rect = bounds(values > 0)
    if rect.empty:
        return Coverage(rect, np.zeros((0, 0), np.float32))
    rect = rect.grown(_room(feather)).clipped(width, height)
    return Coverage(rect, _soft(np.ascontiguousarray(values[rect.slices]), feather))


def _room(feather: float) -> int:
    return math.ceil(_REACH * feather / _SIGMAS) if feather else 0


def _soft(values: FloatArray, feather: float) -> FloatArray:
    return gaussian_blur(values, feather / _SIGMAS) if feather and values.size else values


def _cut(found: Coverage, width: int, height: int) -> Coverage:
    rect = found.rect.clipped(width, height)
    return Coverage(rect, found.within(rect)) if rect != found.rect else found
