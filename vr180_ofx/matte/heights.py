"""How high on a person a pixel lies: of hair masks know little, and what networks add at shoes is shadow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vr180_ofx.arrays import FloatArray, shapes_repr
from vr180_ofx.imaging.parts import distance_to
from vr180_ofx.matte.parameters import HeightCurve


def distances_to_masks(logits: Mapping[int, FloatArray]) -> dict[int, FloatArray]:
    """Person -> pixels from each pixel to their mask, (h, w) float32, for those who have one.

    logits: (h, w) each person's mask, above 0 inside.
    """
    return {p: distance_to(mask) for p, v in logits.items() if (mask := v > 0).any()}


@dataclass(frozen=True, slots=True)
class Heights:
    """Where pixels lie on the people of one picture, of those who have a mask.

    distances: (h, w) float32 pixels to each one's mask. heights: (h,) float32, of each row on each one: 0 at the top of their
    mask, 1 at its bottom. People stand upright in what is seen of them.
    """

    distances: Mapping[int, FloatArray]
    heights: Mapping[int, FloatArray]

    @classmethod
    def of(cls, logits: Mapping[int, FloatArray]) -> Heights:
        """logits: (h, w) each person's mask."""
        distances = distances_to_masks(logits)
        return cls(distances, {p: _row_heights(logits[p]) for p in distances})

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
        columns = [np.interp(r, curve.heights, curve.values).astype(np.float32)[:, None] for r in self.heights.values()]
        if not columns:
            return np.full((1, 1), np.interp(0.5, curve.heights, curve.values), np.float32)
        if len(columns) == 1:
            return columns[0]
        distances = list(self.distances.values())
        out: FloatArray = np.choose(np.argmin(distances, axis=0), [np.broadcast_to(c, distances[0].shape) for c in columns])
        return out

    def proximity(self, near: float, far: float) -> FloatArray:
        """(h, w): 1 up to ``near`` from the nearest mask, 0 from ``far`` on, in shares of the picture's side; (1, 1) 0 without anybody."""
        if not self.distances:
            return np.zeros((1, 1), np.float32)
        nearest = np.minimum.reduce(list(self.distances.values()))
        side = np.float32(np.sqrt(nearest.size))
        out: FloatArray = np.clip((far - nearest / side) / np.float32(far - near), 0, 1)
        return out


def _row_heights(logits: FloatArray) -> FloatArray:
    rows = np.flatnonzero((logits > 0).any(axis=1))
    out: FloatArray = ((np.arange(len(logits)) - rows[0]) / max(1, rows[-1] - rows[0])).astype(np.float32)
    return out
