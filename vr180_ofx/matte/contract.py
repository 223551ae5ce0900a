"""What a refiner is, and which there are. Adding one is one module, one line here, one test.

A refiner works on a window and describes its alpha as a function of the full-resolution picture, so that the edge is as
sharp as the plate and no full-size image is ever made: alpha = a . guide + b, with a and b smooth (He, Sun, Tang 2013).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.trackers.contract import Key, Mask, Memory, NetworkAlpha, WindowImage

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True)
class Refined:
    """Alpha in a window.

    coefficients: (h, w, 4) float32: alpha = c0 * luma + c1 * cb + c2 * cr + c3 of the guide at any resolution, then
        clipped to 0..1. gain: contrast about 0.5 that is applied before clipping.
    """

    coefficients: FloatArray
    gain: float = 1.0
    #: Where in the window's pixels they begin, and how many of them there are for one of those; by default they are the whole window.
    place: tuple[float, float, float] | None = None

    def at(self, window_size: int) -> tuple[float, float, float]:
        return self.place or (0.0, 0.0, self.coefficients.shape[0] / window_size)

    def value(self, guide: FloatArray) -> FloatArray:
        """The alpha at the coefficients' own resolution, (h, w) 0..1. guide: (h, w, 3)."""
        c = self.coefficients
        value = c[..., 0] * guide[..., 0]
        value += c[..., 1] * guide[..., 1]
        value += c[..., 2] * guide[..., 2]
        value += c[..., 3] - np.float32(0.5)
        value *= np.float32(self.gain)
        value += np.float32(0.5)
        out: FloatArray = np.clip(value, 0, 1, out=value)
        return out


class Refiner(Protocol):
    """Edges of one window. A refiner knows nothing of frames, chunks, files or threads."""

    def identity(self) -> str: ...

    def refine(self, guide: FloatArray, mask: FloatArray) -> Refined:
        """guide: (h, w, 3) luma and colour differences; mask: (h, w) 0..1."""
        ...


def constant(alpha: FloatArray, gain: float = 1.0) -> Refined:
    """An alpha that does not depend on the picture: (h, w) 0..1."""
    coefficients = np.zeros((*alpha.shape, 4), np.float32)
    coefficients[..., 3] = alpha
    return Refined(coefficients, gain)


class MattingNetwork(Protocol):
    """A matting network that remembers. looks_ahead: see `trackers.base.Tracker`."""

    looks_ahead: int

    def identity(self) -> str: ...

    def begin(self) -> Memory: ...

    def close(self) -> None: ...

    def step(
        self, memory: Memory, windows: Mapping[Key, WindowImage], masks: Mapping[Key, Mask], batch: int = 0
    ) -> tuple[Memory, dict[Key, NetworkAlpha]]: ...
