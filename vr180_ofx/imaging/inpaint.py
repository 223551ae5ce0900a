"""Taking a person out of a picture, so that the network looks at who stands behind.

The segmenter was made for one prominent person: shown two, it takes the nearer one, or both for one. Filled with what lies
around them, the nearer one is gone, and what is left of the other is seen for what it is.
"""

from __future__ import annotations

import cv2
import numpy as np

from vr180_ofx.arrays import BoolArray, ByteArray, FloatArray
from vr180_ofx.imaging.morphology import dilate, square
from vr180_ofx.imaging.resize import resize

#: The filling is smooth: a picture of so many pixels a side says as much as a larger one, and costs a quarter.
_WORK_SIDE = 224
#: A mask's rim belongs to the person, too: so much around it, in shares of the picture's side.
_GROW = 0.02
#: Telea's radius: a pixel is filled from what is known so far around it, in pixels of the small picture.
_RADIUS = 3


def inpaint(picture: ByteArray, hole: ByteArray, radius: float) -> ByteArray:
    """A picture whose hole is filled from its border inwards (Telea 2004).

    picture: (h, w) or (h, w, 3). hole: (h, w), above 0 where it is to be filled. radius: of what is looked at around a pixel.
    """
    out: ByteArray = cv2.inpaint(picture, hole, radius, cv2.INPAINT_TELEA)
    return out


def erase(rgb: FloatArray, person: BoolArray) -> FloatArray:
    """Fills ``person`` from its surroundings.

    rgb: (n, n, 3) 0..1; person: (n, n). Returns a picture of the same size; at full resolution outside ``person``.
    """
    size = rgb.shape[0]
    hole = _hole(person)
    if not hole.any() or hole.all():
        return rgb
    work = (_WORK_SIDE, _WORK_SIDE)
    small, small_hole = resize(rgb, work, "area"), resize(hole, work, "nearest")
    filled = inpaint((np.clip(small, 0, 1) * 255).astype(np.uint8), small_hole, _RADIUS)
    large = resize(filled, (size, size), "linear").astype(np.float32) / 255
    out: FloatArray = np.where(hole[..., None] > 0, large, rgb)
    return out


def cover(rgb: FloatArray, person: BoolArray) -> FloatArray:
    """Covers ``person`` with grey: a filling that looks like nobody, to tell whether a filling of `erase` does.

    rgb: (n, n, 3) 0..1; person: (n, n).
    """
    out: FloatArray = np.where(_hole(person)[..., None] > 0, np.float32(0.5), rgb)
    return out


def _hole(person: BoolArray) -> ByteArray:
    """The person and a rim around them, 0 or 1."""
    return dilate(person.astype(np.uint8), square(max(1, round(_GROW * person.shape[0]))))
