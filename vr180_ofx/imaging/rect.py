"""Rectangles of whole pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vr180_ofx.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class Rect:
    """Whole pixels: x0 <= x < x1, y0 <= y < y1."""

    x0: int
    y0: int
    x1: int
    y1: int

    @classmethod
    def around(cls, points: FloatArray, room: int) -> Rect:
        """The pixels that hold ``points``, (..., 2) continuous pixels, and ``room`` pixels around; empty when none of them is finite."""
        finite = points[np.isfinite(points).all(axis=-1)]
        if not len(finite):
            return cls(0, 0, 0, 0)
        low, high = np.floor(finite.min(axis=0)).astype(int) - room, np.ceil(finite.max(axis=0)).astype(int) + room
        return cls(int(low[0]), int(low[1]), int(high[0]), int(high[1]))

    @classmethod
    def of_size(cls, width: int, height: int) -> Rect:
        """A whole picture."""
        return cls(0, 0, width, height)

    @property
    def width(self) -> int:
        return max(0, self.x1 - self.x0)

    @property
    def height(self) -> int:
        return max(0, self.y1 - self.y0)

    @property
    def empty(self) -> bool:
        return self.width == 0 or self.height == 0

    @property
    def slices(self) -> tuple[slice, slice]:
        """For an array of shape (height, width, ...)."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    def clipped(self, width: int, height: int) -> Rect:
        """What a picture of this size has of it."""
        x0, y0 = min(max(self.x0, 0), width), min(max(self.y0, 0), height)
        return Rect(x0, y0, max(x0, min(self.x1, width)), max(y0, min(self.y1, height)))

    def grown(self, pixels: int) -> Rect:
        """So many pixels more at each side; fewer when negative."""
        return Rect(self.x0 - pixels, self.y0 - pixels, self.x1 + pixels, self.y1 + pixels)

    def shifted(self, x: int, y: int) -> Rect:
        """Of the same size, elsewhere."""
        return Rect(self.x0 + x, self.y0 + y, self.x1 + x, self.y1 + y)

    def intersection(self, other: Rect) -> Rect:
        """What both hold; empty when they are apart."""
        return Rect(max(self.x0, other.x0), max(self.y0, other.y0), min(self.x1, other.x1), min(self.y1, other.y1))

    def union(self, other: Rect) -> Rect:
        """The least rectangle that holds both."""
        if self.empty:
            return other
        if other.empty:
            return self
        return Rect(min(self.x0, other.x0), min(self.y0, other.y0), max(self.x1, other.x1), max(self.y1, other.y1))
