"""What RVM remembers, as the arrays of a `Memory`: its state at four scales, under a name."""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt

from vr180_ofx.arrays import Array
from vr180_ofx.trackers.contract import Memory

#: What is remembered at four scales, finest first; half, so that a memory that was written and read again is the same.
State = tuple[npt.NDArray[np.float16], ...]
#: Pictures are multiples of this on both sides.
STEP = 16
_SCALES = ("r1", "r2", "r3", "r4")


def stored(name: str, state: State) -> dict[str, Array]:
    return {f"{name}.{scale}": values for scale, values in zip(_SCALES, state, strict=True)}


def restored(memory: Memory, name: str) -> State | None:
    """None when nothing is remembered under that name."""
    found = [memory.arrays.get(f"{name}.{scale}") for scale in _SCALES]
    return cast(State, tuple(found)) if all(a is not None for a in found) else None
