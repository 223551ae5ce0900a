"""Where in a picture something is, in blocks: what is done to outlines is done there, and not to what lies within and around.

Python takes longer to ask for one more piece of a picture than a core takes over some thousand pixels: pieces are few and large.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vr180_ofx.arrays import BoolArray, FloatArray
from vr180_ofx.imaging.morphology import box, dilate, erode
from vr180_ofx.imaging.parts import bounds
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.resize import resize

#: Pixels on a side of a block. Chosen by time, as is the next one; no pixel depends on either.
BLOCK = 16
#: Blocks from above to below of what is done at once: with what is computed of it, it stays in a core's own cache.
_ROWS = 8
#: So many blocks without anything between two pieces are done with them.
_GAP = 2


@dataclass(frozen=True, slots=True)
class Blocks:
    """The least and the largest value in each block of a picture, (rows, columns) of a float type each. size: of the picture, pixels."""

    low: FloatArray
    high: FloatArray
    size: tuple[int, int]

    @classmethod
    def of(cls, values: FloatArray) -> Blocks:
        """values: (h, w)."""
        return cls(_by_blocks(values, np.minimum), _by_blocks(values, np.maximum), (values.shape[1], values.shape[0]))

    def within(self, pixels: int) -> Blocks:
        """The same of what is at most so many pixels away from a block, or a little more."""
        reach = -(-pixels // BLOCK)
        around = box(2 * reach + 1, 2 * reach + 1)
        return Blocks(erode(self.low, around), dilate(self.high, around), self.size)

    @property
    def edges(self) -> BoolArray:
        """Which hold more than one value."""
        several: BoolArray = self.low != self.high
        return several

    @property
    def some(self) -> BoolArray:
        """Which hold anything above 0."""
        there: BoolArray = self.high > 0
        return there


def pieces(where: BoolArray, size: tuple[int, int]) -> Iterator[Rect]:
    """Rectangles that together hold all blocks that are True, and few others. size: of the picture, pixels."""
    width, height = size
    for top in range(0, len(where), _ROWS):
        for first, last in _runs(np.logical_or.reduce(where[top : top + _ROWS], axis=0)):
            rows = np.flatnonzero(where[top : top + _ROWS, first:last].any(axis=1))
            y0, y1 = (top + int(rows[0])) * BLOCK, (top + int(rows[-1]) + 1) * BLOCK
            yield Rect(first * BLOCK, y0, min(last * BLOCK, width), min(y1, height))


def within(where: BoolArray, rect: Rect) -> Rect:
    """The least part of a rectangle that holds all that it has of blocks that are True; empty where it has none."""
    left, top = rect.x0 // BLOCK, rect.y0 // BLOCK
    own = bounds(where[top : -(-rect.y1 // BLOCK), left : -(-rect.x1 // BLOCK)]).shifted(left, top)
    if own.empty:
        return Rect(0, 0, 0, 0)
    return rect.intersection(Rect(own.x0 * BLOCK, own.y0 * BLOCK, own.x1 * BLOCK, own.y1 * BLOCK))


def in_pixels(where: BoolArray, size: tuple[int, int]) -> FloatArray:
    """(h, w) float32: 1 in the blocks that are True, 0 elsewhere. size: of the picture, pixels."""
    rows, columns = where.shape
    return resize(where.astype(np.float32), (columns * BLOCK, rows * BLOCK), "nearest")[: size[1], : size[0]]


def _runs(there: BoolArray) -> Iterator[tuple[int, int]]:
    """(first, one after the last) of each run of True, across short gaps."""
    places = np.flatnonzero(there)
    if not len(places):
        return
    breaks = np.flatnonzero(np.diff(places) > _GAP + 1)
    firsts = places[np.concatenate([[0], breaks + 1])]
    lasts = places[np.concatenate([breaks, [len(places) - 1]])] + 1
    yield from zip(firsts.tolist(), lasts.tolist(), strict=True)


def _by_blocks(values: FloatArray, of: np.ufunc) -> npt.NDArray[np.float32]:
    height, width = values.shape
    whole = height // BLOCK * BLOCK
    rows = of.reduce(values[:whole].reshape(-1, BLOCK, width), axis=1)
    if whole < height:
        rows = np.concatenate([rows, of.reduce(values[whole:], axis=0)[None]])
    # columns, as rows: these are done side by side
    turned = np.ascontiguousarray(rows.T)
    whole = width // BLOCK * BLOCK
    out = of.reduce(turned[:whole].reshape(-1, BLOCK, len(rows)), axis=1)
    if whole < width:
        out = np.concatenate([out, of.reduce(turned[whole:], axis=0)[None]])
    return np.ascontiguousarray(out.T)
