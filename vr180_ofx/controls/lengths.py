"""Lengths on mattes: in pixels of the eye at full resolution, or as angles. What a circle of them is in the pixels of a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.ellipse import Ellipse
from vr180_ofx.vr180.projection import Projection

#: Near its poles an equirectangular picture is stretched without end; beyond so much (above 75 degrees of latitude) it counts as so much.
MOST_STRETCH = 4.0
_MRAD = 1e-3


class Lengths(Protocol):
    """A unit of length at every place of a picture."""

    def ellipse(self, x: float, y: float) -> Ellipse:
        """The circle with a radius of one unit around a place, (x, y) in continuous pixels of the picture."""
        ...

    @property
    def most_area(self) -> float:
        """A square unit is at most so many square pixels, anywhere."""
        ...


@dataclass(frozen=True, slots=True)
class Pixels:
    """Pixels of the eye at full resolution. scale: how many of the picture's pixels are one of them: 0.5 in a picture of half the size."""

    scale: float

    def ellipse(self, x: float, y: float) -> Ellipse:
        return Ellipse.circle(self.scale)

    @property
    def most_area(self) -> float:
        return self.scale**2


@dataclass(frozen=True, slots=True)
class Milliradians:
    """Angles as seen from the camera. projection: of the picture that mattes are in.

    In an equirectangular picture a milliradian is equally many pixels high everywhere, and 1 / cos(latitude) as many wide; in a fisheye it
    is longer around the middle than away from it: a circle of directions becomes an ellipse.
    """

    projection: Projection

    def ellipse(self, x: float, y: float) -> Ellipse:
        p = self.projection
        middle = _metric(p, p.width / 2, p.height / 2)
        metric = _metric(p, x, y)
        if metric is None:
            # outside of the image circle there are no directions
            metric = middle
        assert metric is not None
        values, vectors = np.linalg.eigh(metric)
        # the radii are 1 / sqrt of these: pixels for a radian
        least = _least(middle if middle is not None else metric)
        squares = _MRAD**2 / np.maximum(values, least)
        m = (vectors * squares) @ vectors.T
        return Ellipse(float(m[0, 0]), float(m[0, 1]), float(m[1, 1]))

    @property
    def most_area(self) -> float:
        p = self.projection
        middle = _metric(p, p.width / 2, p.height / 2)
        return math.inf if middle is None else _MRAD**2 / _least(middle)


def _least(metric: FloatArray) -> float:
    """What a metric's values count as, at least: radians squared for a pixel. metric: of the picture's middle."""
    return float(np.linalg.eigvalsh(metric)[0]) / MOST_STRETCH**2


def _metric(projection: Projection, x: float, y: float) -> FloatArray | None:
    """(2, 2): radians squared for a step of pixels, J'J with the derivative J of directions by places. None where there is no direction."""
    h = 0.25
    places = np.array([[x - h, y], [x + h, y], [x, y - h], [x, y + h]])
    d = projection.unproject(places)
    if not np.isfinite(d).all():
        return None
    jacobian = np.stack([(d[1] - d[0]) / (2 * h), (d[3] - d[2]) / (2 * h)], axis=-1)
    metric: FloatArray = jacobian.T @ jacobian
    return metric


def area(ellipse: Ellipse) -> float:
    """Square pixels for a square unit, of a unit whose circle this is."""
    return math.sqrt(ellipse.xx * ellipse.yy - ellipse.xy**2)
