"""Taking a person out of a picture, so that the network looks at who stands behind.

The segmenter was made for one prominent person: shown two, it takes the nearer one, or both for one. Filled with what lies
around them, the nearer one is gone, and what is left of the other is seen for what it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vr180_ofx.arrays import BoolArray, ByteArray, FloatArray
from vr180_ofx.imaging.morphology import dilate, square
from vr180_ofx.imaging.resize import resize


@dataclass(frozen=True, slots=True)
class EraseParameters:
    """How people are taken out of pictures. What that gains: docs/decisions/0011.

    side_px: pictures are filled at so many pixels a side: the filling is smooth, and a larger picture costs four times as much.
    rim: around a mask that belongs to the person, too, in shares of the picture's side.
    radius_px: a pixel is filled from what is known so far around it, in pixels of the small picture (Telea's radius).
    """

    side_px: int = 224
    rim: float = 0.02
    radius_px: float = 3


ERASE = EraseParameters()


def inpaint(picture: ByteArray, hole: ByteArray, radius: float) -> ByteArray:
    """A picture whose hole is filled from its border inwards (Telea 2004).

    picture: (h, w) or (h, w, 3). hole: (h, w), above 0 where it is to be filled. radius: of what is looked at around a pixel.
    """
    out: ByteArray = cv2.inpaint(picture, hole, radius, cv2.INPAINT_TELEA)
    return out


def erase(rgb: FloatArray, person: BoolArray, parameters: EraseParameters = ERASE) -> FloatArray:
    """Fills ``person`` from its surroundings.

    rgb: (n, n, 3) 0..1; person: (n, n). Returns a picture of the same size; at full resolution outside ``person``.
    """
    size = rgb.shape[0]
    hole = _hole(person, parameters)
    if not hole.any() or hole.all():
        return rgb
    work = (parameters.side_px, parameters.side_px)
    small, small_hole = resize(rgb, work, "area"), resize(hole, work, "nearest")
    filled = inpaint((np.clip(small, 0, 1) * 255).astype(np.uint8), small_hole, parameters.radius_px)
    large = resize(filled, (size, size), "linear").astype(np.float32) / 255
    out: FloatArray = np.where(hole[..., None] > 0, large, rgb)
    return out


def cover(rgb: FloatArray, person: BoolArray, parameters: EraseParameters = ERASE) -> FloatArray:
    """Covers ``person`` with grey: a filling that looks like nobody, to tell whether a filling of `erase` does.

    rgb: (n, n, 3) 0..1; person: (n, n).
    """
    out: FloatArray = np.where(_hole(person, parameters)[..., None] > 0, np.float32(0.5), rgb)
    return out


def _hole(person: BoolArray, parameters: EraseParameters) -> ByteArray:
    """The person and a rim around them, 0 or 1."""
    return dilate(person.astype(np.uint8), square(max(1, round(parameters.rim * person.shape[0]))))
