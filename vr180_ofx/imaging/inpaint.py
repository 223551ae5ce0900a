"""Taking a person out of a picture, so that the network looks at who stands behind.

The segmenter was made for one prominent person: shown two, it takes the nearer one, or both for one. Filled with what lies
around them, the nearer one is gone, and what is left of the other is seen for what it is.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vr180_ofx.arrays import FloatArray

_WORK_SIDE = 224
_GROW = 0.02


def erase(rgb: FloatArray, person: npt.NDArray[np.bool_]) -> FloatArray:
    """Fills ``person`` from its surroundings (Telea 2004, by OpenCV).

    rgb: (n, n, 3) 0..1; person: (n, n). Returns a picture of the same size; at full resolution outside ``person``.
    """
    size = rgb.shape[0]
    hole = _hole(person)
    if not hole.any() or hole.all():
        return rgb
    # the filling is smooth: a small picture says as much, and costs a quarter
    small = cv2.resize(rgb, (_WORK_SIDE, _WORK_SIDE), interpolation=cv2.INTER_AREA)
    small_hole = cv2.resize(hole, (_WORK_SIDE, _WORK_SIDE), interpolation=cv2.INTER_NEAREST)
    filled = cv2.inpaint((np.clip(small, 0, 1) * 255).astype(np.uint8), small_hole, 3, cv2.INPAINT_TELEA)
    large = cv2.resize(filled, (size, size), interpolation=cv2.INTER_LINEAR).astype(np.float32) / 255
    out: FloatArray = np.where(hole[..., None] > 0, large, rgb)
    return out


def cover(rgb: FloatArray, person: npt.NDArray[np.bool_]) -> FloatArray:
    """Covers ``person`` with grey: a filling that looks like nobody, to tell whether a filling of `erase` does.

    rgb: (n, n, 3) 0..1; person: (n, n).
    """
    out: FloatArray = np.where(_hole(person)[..., None] > 0, np.float32(0.5), rgb)
    return out


def _hole(person: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """The person and a rim around them, 0 or 1."""
    grow = max(1, round(_GROW * person.shape[0]))
    hole: npt.NDArray[np.uint8] = cv2.dilate(person.astype(np.uint8), np.ones((2 * grow + 1, 2 * grow + 1), np.uint8))
    return hole
