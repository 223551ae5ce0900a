"""What RVM is to those who show it pictures: a step from pictures and states to alphas and states."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Protocol

from vr180_ofx.arrays import Array, FloatArray

#: What is remembered of one picture at four scales, finest first, (channels, h, w) each. Half on CPUs, float32 on graphics cards, and kept
#: as it is: a memory that was written and read again is the same.
State = tuple[Array, ...]
#: The network's pictures are multiples of this on both sides.
STEP = 16


class RecurrentNetwork(Protocol):
    """RVM with its weights, on some device: `model.Rvm`, or `compiled.CompiledRvm`, which sees no sequences."""

    def identity(self) -> str:
        """Weights, precision and what runs them: equal strings mean equal results."""
        ...

    def pool(self, pictures: int) -> Executor | None:
        """Threads for so many pictures at once, which the caller shuts down; None when pictures are worked on as a batch."""
        ...

    def step(self, pictures: FloatArray, states: Sequence[State | None]) -> tuple[FloatArray, list[State]]:
        """One frame of several pictures of one size, or frames in a row of each of them.

        pictures: (n[, t], h, w, 3) sRGB 0..1. states: n, what was remembered of each; None: nothing. Returns alphas
        (n[, t], h, w) float32 0..1, of the pictures' kind, and what is to be remembered.
        """
        ...
