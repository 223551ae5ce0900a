"""Where a chunk can be picked up."""

from __future__ import annotations

import numpy as np
import pytest

from vr180_ofx.engine.checkpoints import CHECKPOINTS, Checkpoints
from vr180_ofx.engine.chunks import ChunkPlan
from vr180_ofx.engine.keys import Chain
from vr180_ofx.engine.store import DiskStore
from vr180_ofx.telemetry import Stages
from vr180_ofx.trackers.contract import Memory

EVERY = CHECKPOINTS.every_frames
FRAMES = 3 * EVERY
CHUNK = ChunkPlan([(0, FRAMES - 1)], 0, 0).chunks[0]


def memory(n: int) -> Memory:
    return Memory({"n": np.full(1000, float(n))})


def number(found: tuple[int, Memory] | None) -> tuple[int, int] | None:
    return None if found is None else (found[0], int(found[1].arrays["n"][0]))


@pytest.fixture
def chain():
    return Chain(lambda n: b"", "clip|tracker")


@pytest.fixture
def store(tmp_path):
    return DiskStore(tmp_path, 1 << 24)


def filled(chain, store=None, exact_after=None, limit=1 << 24, **more):
    """As after all frames of the chunk were stepped."""
    made = Checkpoints(limit, store, exact_after, Stages())
    for n in range(1, FRAMES + 1):
        made.keep(chain, CHUNK, n, memory(n), **more)
    return made


def test_the_newest_ones_and_one_every_so_many_frames_are_kept(chain):
    made = filled(chain)
    found = {n: number(made.find(chain, CHUNK, n, 0)) for n in range(FRAMES + 1)}
    assert found[FRAMES] == (FRAMES, FRAMES) and found[FRAMES - 1] == (FRAMES - 1, FRAMES - 1)
    assert found[EVERY + 5] == (EVERY, EVERY)
    # the first two frames of a chunk are as cheap as anything
    assert all(f is None or f[0] <= n for n, f in found.items()) and found[0] is None
    assert len(made) < FRAMES / 4


def test_few_memories_stay_on_a_graphics_card(chain, store):
    """The newest ones; those that outlive them come down, and are the same."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    made = Checkpoints(1 << 24, store, None, Stages())
    for n in range(1, 2 * EVERY + 6):
        made.keep(chain, CHUNK, n, Memory({"n": torch.full((1000,), float(n))}))
    # and somewhere else, as who scrubs does
    for n in range(EVERY + 9, EVERY + 12):
        made.keep(chain, CHUNK, n, Memory({"n": torch.full((1000,), float(n))}))
    kept = {n: made.find(chain, CHUNK, n, n - 1) for n in range(1, FRAMES)}
    there = {n: found[1] for n, found in kept.items() if found is not None}
    on_card = {n for n, m in there.items() if m.on_device}
    assert {EVERY, 2 * EVERY} <= set(there) - on_card and EVERY + 11 in on_card and len(on_card) <= CHECKPOINTS.held_on_device + 1
    assert all(m.digest() == Memory({"n": np.full(1000, n, np.float32)}).digest() for n, m in there.items())
    again = Checkpoints(1 << 24, store, None, Stages()).find(chain, CHUNK, EVERY, 0)
    assert again is not None and again[1].digest() == there[EVERY].digest()


def test_what_is_no_nearer_than_a_cold_start_is_not_looked_for(chain):
    made = filled(chain)
    assert number(made.find(chain, CHUNK, EVERY + 5, EVERY)) is None


def test_another_plan_finds_only_what_does_not_depend_on_it(chain):
    made = filled(chain)
    corrected = Chain(lambda n: b"corrected" if n == EVERY + 3 else b"", "clip|tracker")
    assert number(made.find(corrected, CHUNK, FRAMES, 0)) == (EVERY, EVERY)


def test_they_outlive_the_process(chain, store):
    made = filled(chain, store)
    again = Checkpoints(1 << 24, store, None, Stages())
    assert number(again.find(chain, CHUNK, FRAMES - 1, 0)) == (FRAMES - EVERY, FRAMES - EVERY)
    # the last one when somebody closes the server in the middle
    made.keep(chain, CHUNK, EVERY + 7, memory(EVERY + 7))
    made.save_newest()
    assert number(again.find(chain, CHUNK, EVERY + 9, 0)) == (EVERY + 7, EVERY + 7)


def test_what_a_network_that_forgets_knows_is_not_worth_a_file(chain, store):
    made = filled(chain, store, exact_after=2)
    made.save_newest()
    assert store.nbytes == 0 and number(made.find(chain, CHUNK, FRAMES, 0)) == (FRAMES, FRAMES)


def test_what_was_made_under_need_is_for_this_run_alone(chain, store):
    made = filled(chain, store, under_need=True)
    assert store.nbytes == 0 and len(made) == 0
    # without the newest one the next frame would cost the whole chunk
    assert number(made.find(chain, CHUNK, FRAMES, 0)) == (FRAMES, FRAMES)
    made.forget_newest()
    assert made.find(chain, CHUNK, FRAMES, 0) is None


def test_less_may_be_kept(chain):
    made = filled(chain)
    held = made.stats()["checkpoints_bytes"]
    made.keep_share(held / (1 << 24) / 2)
    assert 0 < made.stats()["checkpoints_bytes"] <= held / 2
    made.clear()
    assert len(made) == 0


def test_a_damaged_entry_counts_as_absent(chain, store):
    filled(chain, store)
    for path in store.folder.rglob("*.entry"):
        path.write_bytes(path.read_bytes()[:-3])
    assert Checkpoints(1 << 24, store, None, Stages()).find(chain, CHUNK, FRAMES, 0) is None and store.damaged
