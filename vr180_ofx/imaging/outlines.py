"""Masks as polygons, and polygons as masks."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from vr180_ofx.arrays import BoolArray, FloatArray
from vr180_ofx.imaging.opencv import raw
from vr180_ofx.imaging.polygon import coverage
from vr180_ofx.imaging.rect import Rect


def outlines_of(mask: BoolArray, *, off: float, least: float) -> list[FloatArray]:
    """The borders of a mask's parts and of their holes, (n, 2) continuous pixels each, n >= 3.

    mask: (h, w). off: how far a point of the border may be left aside, pixels. least: area of a part, or of a hole, that is not left out.
    """
    # pixels as squares: borders that OpenCV draws go through the centres of the outermost pixels, half a pixel inside
    large = np.repeat(np.repeat(np.pad(mask, 1), 2, axis=0), 2, axis=1)
    found, _ = cv2.findContours(raw(np.ascontiguousarray(large)), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    out = []
    for border in found:
        if cv2.contourArea(border) / 4 < least:
            continue
        kept = cv2.approxPolyDP(border, 2 * off, closed=True)[:, 0, :].astype(np.float64)
        if len(kept) >= 3:
            # back to pixels of the mask: centres of half pixels, without the padding
            out.append((kept + 0.5) / 2 - 1)
    return out


def covered_by(outlines: Sequence[FloatArray], rect: Rect) -> FloatArray:
    """How much of each pixel of ``rect`` lies in polygons, (rect.height, rect.width) float32, 0..1; in one within another it does not.

    outlines: (n, 2) continuous pixels each.
    """
    total: FloatArray = np.zeros((rect.height, rect.width), np.float32)
    for points in outlines:
        # those that touch nowhere: in one of the two, and not in both
        own = coverage(points, rect)
        total = total + own - 2 * total * own
    return total
