"""What is drawn when: a pure function of the recipe's seed, the stage and the step, so that a run that goes on draws what it would have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vr180_ofx.training.recipe import Stage

#: What random numbers are for: no two uses have the same stream.
_CHOICE, _SHUFFLE, _SAMPLE, _AUGMENT, _STEP, _EVALUATION = range(6)
_BITS = 2**63


@dataclass(frozen=True, slots=True)
class Draw:
    """One sample of a step. epoch: how often its source was gone through before. index: in the source."""

    source: int
    epoch: int
    index: int


class Order:
    """The draws of one stage. sizes: source -> how many samples it has, in the stage's order of sources."""

    def __init__(self, seed: int, stage: int, of: Stage, sizes: dict[str, int]) -> None:
        self.seed, self.stage = seed, stage
        self.names: Sequence[str] = list(of.sources)
        self.sizes = [sizes[n] for n in self.names]
        shares = [of.share(n) for n in self.names]
        weights = np.array([s.weight for s in shares])
        rng = np.random.default_rng([_CHOICE, seed, stage])
        #: Which source a step's batch is of: each has its own shape.
        self.choices = rng.choice(len(self.names), of.steps, p=weights / weights.sum())
        self.batches = [s.batch or 1 for s in shares]
        drawn = np.zeros((len(self.names), of.steps), np.int64)
        for k, batch in enumerate(self.batches):
            drawn[k] = np.cumsum(self.choices == k) * batch
        self._drawn = drawn
        self._shuffled = lru_cache(maxsize=2 * len(self.names))(self._shuffle)

    def source(self, step: int) -> str:
        return self.names[int(self.choices[step])]

    def draws(self, step: int) -> list[Draw]:
        """All samples of a step (of all processes), in order. Every sample of a source comes once before any comes twice."""
        k = int(self.choices[step])
        size, batch = self.sizes[k], self.batches[k]
        begin = int(self._drawn[k, step]) - batch
        return [Draw(k, n // size, int(self._shuffled(k, n // size)[n % size])) for n in range(begin, begin + batch)]

    def _shuffle(self, source: int, epoch: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.random.default_rng([_SHUFFLE, self.seed, self.stage, source, epoch]).permutation(self.sizes[source])

    def random(self, draw: Draw) -> np.random.Generator:
        """What decides chance in one sample, when it is made."""
        return np.random.default_rng([_SAMPLE, self.seed, self.stage, draw.source, draw.epoch, draw.index])

    def augment_seed(self, draw: Draw) -> int:
        """What decides chance in one sample, on the device."""
        return _seed(_AUGMENT, self.seed, self.stage, draw.source, draw.epoch, draw.index)

    def step_seed(self, step: int, rank: int) -> int:
        """Of everything else that is random in a step (dropout, a task's own draws)."""
        return _seed(_STEP, self.seed, self.stage, step, rank)


def evaluation_random(seed: int, source: int, index: int) -> np.random.Generator:
    """The same samples in every evaluation."""
    return np.random.default_rng([_EVALUATION, seed, source, index])


def _seed(*words: int) -> int:
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0] % _BITS)
