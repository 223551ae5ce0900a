"""What RVM remembers, as the arrays of a `Memory`: its state at four scales, under a name."""

from __future__ import annotations

from typing import cast

from vr180_ofx.arrays import Array
from vr180_ofx.matte.rvm.contract import State
from vr180_ofx.trackers.contract import Memory

_SCALES = ("r1", "r2", "r3", "r4")


def stored(name: str, state: State) -> dict[str, Array]:
    """A state as arrays called ``name.r1`` to ``name.r4``."""
    return {f"{name}.{scale}": values for scale, values in zip(_SCALES, state, strict=True)}


def restored(memory: Memory, name: str) -> State | None:
    """Undoes `stored`; None when nothing is remembered under that name."""
    found = [memory.arrays.get(f"{name}.{scale}") for scale in _SCALES]
    return cast(State, tuple(found)) if all(a is not None for a in found) else None
