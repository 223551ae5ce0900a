"""How high on a person a pixel lies, which says something of edges: of hair masks know little, and what networks add at shoes is shadow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from vr180_ofx.arrays import FloatArray


def distances(logits: Mapping[int, FloatArray]) -> dict[int, FloatArray]:
    """Pixels to each person's mask, for those who have one. logits: (h, w) each person's."""
    return {p: cv2.distanceTransform((v <= 0).astype(np.uint8), cv2.DIST_L2, 5) for p, v in logits.items() if (v > 0).any()}


@dataclass(frozen=True, slots=True)
class Heights:
    """Of each person who has a mask. away: (h, w) pixels to the mask. rows: (h,) 0 at their top, and 1 at their feet; people stand upright
    in what is seen of them.
    """

    away: Mapping[int, FloatArray]
    rows: Mapping[int, FloatArray]

    @classmethod
    def of(cls, logits: Mapping[int, FloatArray]) -> Heights:
        """logits: (h, w) each person's mask."""
        away = distances(logits)
        return cls(away, {p: _rows(logits[p]) for p in away})

    def table(self, heights: tuple[float, ...], values: tuple[float, ...]) -> FloatArray:
        """The value for each pixel, of a function of height that is linear between those that are given: (h, w), or (h, 1). Nobody is
        taken for a body's middle.
        """
        columns = [np.interp(r, heights, values).astype(np.float32)[:, None] for r in self.rows.values()]
        if not columns:
            return np.full((1, 1), np.interp(0.5, heights, values), np.float32)
        if len(columns) == 1:
            return columns[0]
        # the nearest one's
        away = list(self.away.values())
        out: FloatArray = np.choose(np.argmin(away, axis=0), [np.broadcast_to(c, away[0].shape) for c in columns])
        return out

    def near(self, near: float, far: float) -> FloatArray:
        """(h, w): 1 up to ``near`` from everybody's masks, 0 from ``far`` on, in shares of the picture's side; 0 where nobody is."""
        if not self.away:
            return np.zeros((1, 1), np.float32)
        nearest = np.minimum.reduce(list(self.away.values()))
        side = np.float32(np.sqrt(nearest.size))
        out: FloatArray = np.clip((far - nearest / side) / np.float32(far - near), 0, 1)
        return out


def _rows(logits: FloatArray) -> FloatArray:
    there = np.flatnonzero((logits > 0).any(axis=1))
    out: FloatArray = ((np.arange(len(logits)) - there[0]) / max(1, there[-1] - there[0])).astype(np.float32)
    return out
