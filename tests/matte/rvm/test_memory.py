"""RVM's state in a memory."""

from __future__ import annotations

import numpy as np

from vr180_ofx.matte.rvm.memory import restored, stored
from vr180_ofx.trackers.contract import Memory


def test_states_come_back_by_their_names():
    rng = np.random.default_rng(0)
    states = {
        name: tuple(rng.random((c, 8 >> k, 8 >> k)).astype(np.float16) for k, c in enumerate((2, 3, 4, 5)))
        for name in ("1.left", "1.right")
    }
    memory = Memory.from_bytes(Memory(stored("1.left", states["1.left"]) | stored("1.right", states["1.right"])).to_bytes())
    for name, state in states.items():
        again = restored(memory, name)
        assert again is not None and all(map(np.array_equal, again, state))
    assert restored(memory, "2.left") is None
    # a part of a state is none
    part = {k: a for k, a in memory.arrays.items() if k != "1.left.r3"}
    assert restored(Memory(part), "1.left") is None
