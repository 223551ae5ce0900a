"""Words and lines on pictures for people: OpenCV draws on 8-bit pictures only."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vr180_ofx.arrays import FloatArray

Colour = tuple[float, float, float]


class Canvas:
    """A copy of a picture to draw on. picture: (h, w, 3) 0..1. Colours are (red, green, blue), 0..1."""

    def __init__(self, picture: FloatArray) -> None:
        self._pixels = np.ascontiguousarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))

    def text(self, words: str, x: float, y: float, colour: Colour = (1, 1, 1), size: float = 0.45) -> None:
        """With a dark rim, so that it reads on anything. (x, y): left end of the baseline, pixels."""
        at = (round(x), round(y))
        # OpenCV 5 widens the letters with the stroke: the rim is the same letters, shifted
        for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1), (1, 1)):
            cv2.putText(self._pixels, words, (at[0] + dx, at[1] + dy), cv2.FONT_HERSHEY_SIMPLEX, size, (0, 0, 0), 1, cv2.LINE_AA)
        cv2.putText(self._pixels, words, at, cv2.FONT_HERSHEY_SIMPLEX, size, _bytes(colour), 1, cv2.LINE_AA)

    def rectangle(self, x0: float, y0: float, x1: float, y1: float, *, colour: Colour, thickness: int = 2) -> None:
        """Corners and the width of the line in pixels; the line's middle lies on the rounded corners."""
        cv2.rectangle(self._pixels, (round(x0), round(y0)), (round(x1), round(y1)), _bytes(colour), thickness)

    def outline(self, points: FloatArray, colour: Colour) -> None:
        """points: (n, 2) pixels, closed."""
        if len(points):
            cv2.polylines(self._pixels, [np.round(points).astype(np.int32)], True, _bytes(colour), 1, cv2.LINE_AA)

    def line(self, x0: float, y0: float, x1: float, y1: float, colour: Colour = (0.8, 0.8, 0.8)) -> None:
        """One pixel wide."""
        cv2.line(self._pixels, (round(x0), round(y0)), (round(x1), round(y1)), _bytes(colour), 1)

    def put(self, pixels: NDArray[np.uint8], x: int, y: int) -> None:
        """Another drawing's `pixels` at this place, which has room for it."""
        self._pixels[y : y + pixels.shape[0], x : x + pixels.shape[1]] = pixels

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """What was drawn, (h, w, 3) 8 bits."""
        return self._pixels

    @property
    def picture(self) -> FloatArray:
        """What was drawn, (h, w, 3) 0..1 float32."""
        return self._pixels.astype(np.float32) / np.float32(255)


def _bytes(colour: Colour) -> tuple[int, int, int]:
    r, g, b = (round(255 * c) for c in colour)
    return r, g, b
