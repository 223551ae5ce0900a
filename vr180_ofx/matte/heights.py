"""How high on a person a pixel lies: of hair masks know little, and what networks add at shoes is shadow."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np

from vr180_ofx.arrays import BoolArray, FloatArray, shapes_repr
from vr180_ofx.imaging.either import beside, host, namespace
from vr180_ofx.imaging.parts import distance_to
from vr180_ofx.matte.parameters import HeightCurve


def distances_to_masks(logits: Mapping[int, FloatArray]) -> dict[int, FloatArray]:
    """Person -> pixels from each pixel to their mask, (h, w) float32, for those who have one.

    logits: (h, w) each person's mask, above 0 inside.
    """
    return {p: distance_to(logits[p] > 0) for p in _rows(logits)}


@dataclass(frozen=True, slots=True)
class Heights:
    """Where pixels lie on the people of one picture, of those who have a mask.

    distances: (h, w) float32 pixels to each one's mask. heights: (h,) float32, of each row on each one: 0 at the top of their
    mask, 1 at its bottom, NumPy's. People stand upright in what is seen of them. like: of which kind and where what is made of them is.
    """

    distances: Mapping[int, FloatArray]
    heights: Mapping[int, FloatArray]
    like: object = None

    @classmethod
    def of(cls, logits: Mapping[int, FloatArray]) -> Heights:
        """logits: (h, w) each person's mask. Of tensors it brings down which rows have somebody."""
        rows = _rows(logits)
        distances = {p: distance_to(logits[p] > 0) for p in rows}
        return cls(distances, {p: _row_heights(some) for p, some in rows.items()}, next(iter(logits.values()), None))

    def __post_init__(self) -> None:
        if self.distances.keys() != self.heights.keys():
            raise ValueError(
                f"distances are of {sorted(self.distances)} and heights of {sorted(self.heights)}; they are of the same people"
            )

    def __repr__(self) -> str:
        return shapes_repr(self)

    def weights(self, curve: HeightCurve) -> FloatArray:
        """The curve's value for each pixel, by the height on the person who is nearest: (h, w), or (h, 1) of one person.

        Without anybody (1, 1), the value of a body's middle.
        """
        if not self.heights:
            return self._beside(np.full((1, 1), np.interp(0.5, curve.heights, curve.values), np.float32))
        columns = [np.interp(r, curve.heights, curve.values).astype(np.float32)[:, None] for r in self.heights.values()]
        if len(columns) == 1:
            return self._beside(columns[0])
        distances = list(self.distances.values())
        xp = namespace(distances[0])
        nearest = xp.argmin(xp.stack(distances), axis=0)
        out: FloatArray = xp.choose(nearest, [xp.broadcast_to(self._beside(c), distances[0].shape) for c in columns])
        return out

    def proximity(self, near: float, far: float) -> FloatArray:
        """(h, w): 1 up to ``near`` from the nearest mask, 0 from ``far`` on, in shares of the picture's side; (1, 1) 0 without anybody."""
        if not self.distances:
            return self._beside(np.zeros((1, 1), np.float32))
        distances = list(self.distances.values())
        xp = namespace(distances[0])
        nearest = reduce(xp.minimum, distances)
        side = math.sqrt(math.prod(nearest.shape))
        out: FloatArray = xp.clip((far - nearest / side) / (far - near), 0, 1)
        return out

    def _beside(self, values: FloatArray) -> FloatArray:
        moved: FloatArray = beside(values, self.like)
        return moved


def _rows(logits: Mapping[int, FloatArray]) -> dict[int, BoolArray]:
    """Person -> which rows hold some of their mask, (h,) and NumPy's, for those who have one. Waits for tensors once."""
    if not logits:
        return {}
    xp = namespace(next(iter(logits.values())))
    rows = host(xp.stack([(v > 0).any(axis=1) for v in logits.values()]))
    return {p: some for p, some in zip(logits, rows, strict=True) if some.any()}


def _row_heights(some: BoolArray) -> FloatArray:
    """some: (h,) which rows hold some of a mask."""
    rows = np.flatnonzero(some)
    out: FloatArray = ((np.arange(len(some)) - rows[0]) / max(1, rows[-1] - rows[0])).astype(np.float32)
    return out
