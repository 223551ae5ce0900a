"""What somebody looks like, for telling whether two pictures show one person: the colours of four parts of the body.

That a person is described part by part, by colour, and that only parts are compared which both pictures show, is as in person
re-identification (Gray and Tao 2008; Farenzena and others 2010). Of each part the quantiles of lightness and of two colour differences are
kept, in logarithms of light. Distances between quantiles are distances between distributions: on one channel the root mean square
difference of the quantile functions is the 2-Wasserstein distance (Villani 2003, Topics in Optimal Transportation, theorem 2.18). In
logarithms a change of exposure, or of the light's colour, adds the same to all of them (von Kries; Finlayson and Drew 2001), so that what
changes in the whole picture can be taken out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from vr180_ofx.arrays import BoolArray, FloatArray, shapes_repr
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.contract import EyeImage

#: Where the parts of a body end, in distances from the hips to the top of the circle around it, upwards: below the knees, thighs,
#: trunk, head and shoulders.
_ENDS = (-1.2, -0.55, 0.0, 0.5, 1.1)
PARTS = len(_ENDS) - 1
#: Of each channel of each part, at the middle of so many equal shares of its pixels.
_QUANTILES = (np.arange(8) + 0.5) / 8
#: The same of all parts together.
_FINE = (np.arange(16) + 0.5) / 16
#: Light below so much of white is noise: it is added before the logarithm.
_DARK = 0.02
#: Every so many rows and columns of a picture are enough.
_STEP = 2
#: A part that fewer pixels show (of those that are looked at) is not known.
_LEAST_PIXELS = 24
#: Pixels of the longer side of a picture that says what the light is like.
_LIGHT_SIDE = 32


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Look:
    """What one observation shows.

    colours: (parts, 3, quantiles) float16, logarithms. shares: (parts,), of the visible body, summing up to 1.
    """

    colours: FloatArray
    shares: FloatArray

    def __repr__(self) -> str:
        return shapes_repr(self)

    def under(self, light: FloatArray) -> Look:
        """As it would be under other light: ``light``, (3,) from `light_of`, is taken out."""
        return Look((self.colours - light[None, :, None]).astype(np.float16), self.shares)


def look_of(picture: FloatArray, inside: BoolArray, hips: FloatArray, top: FloatArray) -> Look | None:
    """What somebody looks like whom a picture shows; None when too little of them is to be seen.

    picture: (h, w, 3) sRGB 0..1. inside: (h, w), what they cover. hips, top: (2,) pixels, see `contract.Segmentation`.
    """
    up = np.asarray(hips, float) - np.asarray(top, float)  # in pixels, whose rows grow downwards
    length = float(np.hypot(*up))
    ys, xs = np.nonzero(inside[::_STEP, ::_STEP])
    if length < 1 or len(ys) < _LEAST_PIXELS:
        return None
    ys, xs = ys * _STEP, xs * _STEP
    height = ((float(hips[0]) - xs) * up[0] + (float(hips[1]) - ys) * up[1]) / length**2
    channels = _channels(picture[ys, xs])
    colours = np.zeros((PARTS, 3, len(_QUANTILES)), np.float16)
    counts = np.zeros(PARTS)
    for k, (low, high) in enumerate(pairwise(_ENDS)):
        part = channels[(height >= low) & (height < high)]
        if len(part) >= _LEAST_PIXELS:
            colours[k] = np.quantile(part, _QUANTILES, axis=0).T
            counts[k] = len(part)
    return Look(colours, (counts / counts.sum()).astype(np.float32)) if counts.any() else None


def light_of(eye: EyeImage) -> FloatArray:
    """How light a picture is, and of which colour, (3,): what exposure and a white balance change in all of it."""
    factor = max(1, min(eye.width, eye.height) // _LIGHT_SIDE)
    rgb = eye.region(Rect(0, 0, eye.width, eye.height), factor)
    # the median: a person who comes near, or a lamp, is not the light
    light: FloatArray = np.median(_channels(rgb.reshape(-1, 3)), axis=0)
    return light


def _channels(rgb: FloatArray) -> FloatArray:
    """(n, 3) sRGB 0..1 -> (n, 3): the logarithm of lightness, red against green, blue against both."""
    x = np.clip(rgb, 0, 1)
    linear = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    r, g, b = np.log(linear + _DARK).T
    return np.stack([(r + g + b) / 3, r - g, b - (r + g) / 2], axis=-1)


def difference(a: Look, b: Look) -> tuple[float, float]:
    """(how different two looks are, how much of the bodies could be compared, 0..1). Without anything in common: (0, 0).

    The lesser of two: part by part, and of all parts that both show together. When somebody bends, or the hips are taken for a little
    higher, colours go from one part to the next, but not from the body; when a part of them is hidden, they stay in the parts.
    """
    both = np.minimum(a.shares, b.shares)
    common = float(both.sum())
    if common <= 0:
        return 0.0, 0.0
    x, y = a.colours.astype(np.float32), b.colours.astype(np.float32)
    by_part = ((x - y) ** 2).sum(axis=1).mean(axis=1)
    parts = float((by_part * both).sum() / common)
    whole = float(((_together(x, a.shares * (both > 0)) - _together(y, b.shares * (both > 0))) ** 2).sum(axis=0).mean())
    return math.sqrt(min(parts, whole)), common


def _together(colours: FloatArray, shares: FloatArray) -> FloatArray:
    """The quantiles, (3, n), of parts with these shares as one."""
    values = colours.transpose(1, 0, 2).reshape(3, -1)
    weights = np.repeat(shares, colours.shape[2])
    order = np.argsort(values, axis=1)
    upto = np.cumsum(weights[order], axis=1)
    middles = (upto - weights[order] / 2) / upto[:, -1:]
    made: FloatArray = np.stack([np.interp(_FINE, at, own) for at, own in zip(middles, np.take_along_axis(values, order, 1), strict=True)])
    return made


def typical_look(looks: Sequence[Look]) -> Look:
    """What several pictures of somebody show, whatever is wrong with a few of them: the median of each part's colours, over those that show
    it. looks: one or more.
    """
    shares: FloatArray = np.array([x.shares for x in looks]).mean(axis=0)
    colours = np.zeros(looks[0].colours.shape, np.float16)
    for k in range(PARTS):
        own = [x.colours[k] for x in looks if x.shares[k] > 0]
        if own:
            colours[k] = np.median(np.array(own, np.float32), axis=0)
    return Look(colours, shares)
