"""Pictures of other sizes. The corners of the picture stay its corners: a pixel's centre (i + 0.5) is scaled."""

from __future__ import annotations

from typing import Literal

import cv2

from vr180_ofx.imaging.either import either
from vr180_ofx.imaging.opencv import INTERPOLATION, Values
from vr180_ofx.imaging.planes import padded

Resampling = Literal["nearest", "linear", "cubic", "area"]


@either
def resize(values: Values, size: tuple[int, int], interpolation: Resampling) -> Values:
    """values: (h, w) or (h, w, c), uint8, uint16 or float32. size: (width, height).

    interpolation: "area" averages what a new pixel covers, for smaller pictures; "linear" and "cubic" look at the nearest pixels alone,
    for larger ones; "nearest" takes the pixel at the whole part of i times the old size over the new one. Beyond its sides a picture
    goes on as its outermost pixels.
    """
    out: Values = cv2.resize(values, size, interpolation=INTERPOLATION[interpolation])
    return out


@either
def block_means(values: Values, across: int, down: int) -> Values:
    """The means of blocks of ``across`` x ``down`` pixels, from the first pixel on; integers are rounded.

    A last block that is not whole is completed with the picture's last pixels. values: (h, w) or (h, w, c). Returns
    (ceil(h / down), ceil(w / across)[, c]); ``values`` themselves when blocks are single pixels.
    """
    if across == 1 and down == 1:
        return values
    height, width = values.shape[:2]
    size = (max(1, -(-width // across)), max(1, -(-height // down)))
    if width % across or height % down:
        values = padded(values, right=size[0] * across - width, bottom=size[1] * down - height)
    return resize(values, size, "area")
