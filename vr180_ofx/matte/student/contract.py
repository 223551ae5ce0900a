"""What the student is to those who show it windows."""

from __future__ import annotations

from typing import Protocol

from vr180_ofx.arrays import FloatArray

#: The network's pictures are multiples of this on both sides: its deepest features are at this stride.
STRIDE = 32
#: What goes beyond 0 and 1 is cut off: a logistic function alone never reaches them.
STRETCH = 0.02


class StudentNetwork(Protocol):
    """The student with its weights, on some device: `model.TorchStudent`, or `compiled.CompiledStudent`."""

    def identity(self) -> str:
        """Weights, precision and what runs them: equal strings mean equal results."""
        ...

    def look(self, planes: FloatArray) -> FloatArray:
        """Windows of one size.

        planes: (n, h, w, 6) 0..1: sRGB, guide, guide after the guided filter, others' guides; h and w multiples of `STRIDE`. Returns
        alphas (n, h, w) 0..1 float32, of the planes' kind.
        """
        ...
