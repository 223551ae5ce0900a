"""How far a figure is to be trusted: percentile bootstrap over scenes (Efron and Tibshirani 1993, ch. 13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: Draws of scenes with replacement: more do not change the second digit of an interval.
DRAWS = 2000
#: Fewer scenes than these show no spread that means anything: percentile intervals of them are much too narrow.
LEAST_SCENES = 5
COVERAGE = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure over scenes. value: the ratio of sums. low, high: where it lies in 95 of 100 draws; None with too few scenes."""

    value: float
    low: float | None
    high: float | None
    scenes: int

    def to_dict(self) -> dict[str, float | int | None]:
        """As JSON has it."""
        low, high = (None if v is None else round(v, 6) for v in (self.low, self.high))
        return {"value": round(self.value, 6), "low": low, "high": high, "scenes": self.scenes}


def estimate(parts: Sequence[tuple[float, float]], seed: int = 0, draws: int = DRAWS) -> Estimate | None:
    """The ratio of sums over scenes: a mean of scenes where each weighs 1, a rate where each has its number of chances.

    parts: (sum, weight) of each scene; scenes of no weight say nothing. Scenes are drawn, not frames: frames of a scene are alike.
    The same seed gives the same interval. Returns None where no scene says anything.
    """
    told = np.array([(s, w) for s, w in parts if w > 0], np.float64)
    if not len(told):
        return None
    value = float(told[:, 0].sum() / told[:, 1].sum())
    if len(told) < LEAST_SCENES:
        return Estimate(value, None, None, len(told))
    drawn = told[np.random.default_rng(seed).integers(0, len(told), (draws, len(told)))].sum(axis=1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return Estimate(value, float(low), float(high), len(told))


def difference(ours: Sequence[tuple[float, float]], theirs: Sequence[tuple[float, float]], seed: int = 0) -> Estimate | None:
    """By how much ``ours`` is above ``theirs``, of the same scenes in the same order.

    Scenes are drawn for both together: they differ more than methods do.
    """
    both = np.array([(*a, *b) for a, b in zip(ours, theirs, strict=True) if a[1] > 0 and b[1] > 0], np.float64)
    if not len(both):
        return None

    def gap(sums: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return sums[..., 0] / sums[..., 1] - sums[..., 2] / sums[..., 3]

    value = float(gap(both.sum(axis=0)))
    if len(both) < LEAST_SCENES:
        return Estimate(value, None, None, len(both))
    drawn = gap(both[np.random.default_rng(seed).integers(0, len(both), (DRAWS, len(both)))].sum(axis=1))
    low, high = np.quantile(drawn, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return Estimate(value, float(low), float(high), len(both))
