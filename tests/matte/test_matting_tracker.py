"""A tracker and a matting network as one."""

from __future__ import annotations

import numpy as np
import pytest

from vr180_ofx.matte.matting_tracker import MattingTracker
from vr180_ofx.media.contract import Sample
from vr180_ofx.telemetry import Stages
from vr180_ofx.trackers.contract import Crop, Mask, Memory, NetworkAlpha, WindowImage
from vr180_ofx.vr180.window import Window


class Counting:
    """A tracker that remembers how often it saw somebody, under names that the network uses, too."""

    window_size, wants_prompts, looks_ahead = 8, True, 0
    exact_after: int | None = 2

    def identity(self):
        return "counting"

    def begin(self):
        return Memory()

    def step(self, memory, windows, batch=0):
        counts = {f"{p}.{view}": memory.arrays.get(f"{p}.{view}", np.zeros(1)) + 1 for p, view in windows}
        return Memory(counts), {key: Mask(np.full((8, 8), counts[f"{key[0]}.{key[1]}"][0]), 1.0) for key in windows}


class Network:
    """Sees the first person alone, and remembers what the tracker said of them."""

    looks_ahead = 1
    exact_after: int | None = None

    def __init__(self):
        self.batches = []

    def identity(self):
        return "network"

    def begin(self):
        return Memory()

    def close(self):
        raise AssertionError("it belongs to whoever made it")

    def step(self, memory, windows, masks, batch=0):
        self.batches.append(batch)
        total = memory.arrays.get("1.left", np.zeros(1)) + masks[1, "left"].logits[0, 0]
        alpha = np.full((4, 4), total[0], np.float32)
        window = windows[1, "left"].window
        return Memory({"1.left": total}), {(1, "left"): NetworkAlpha(alpha, np.zeros((4, 4, 3)), window, Crop((1,), 0, 0, 0.5, 4, 4))}


@pytest.fixture
def windows():
    sample = Sample(np.zeros((8, 8, 3), np.float32), np.zeros((8, 8, 3), np.float32))
    return {(p, "left"): WindowImage(sample, Window((0, 0, 1), 60, 0, 8)) for p in (1, 2)}


def test_each_remembers_its_own_in_one_memory(windows):
    network, stages = Network(), Stages()
    tracker = MattingTracker(Counting(), network, stages)
    memory, states = tracker.begin(), []
    for n in range(1, 4):
        before = memory.digest()
        states.append(memory)
        memory, masks = tracker.step(memory, windows, 5)
        assert states[-1].digest() == before
        # what the tracker says, and what the network adds up of it; who is not seen by the network has the tracker's mask alone
        assert masks[2, "left"].logits[0, 0] == n and masks[2, "left"].network_alpha is None
        seen = masks[1, "left"].network_alpha
        assert seen is not None and seen.alpha[0, 0] == n * (n + 1) / 2
    assert network.batches == [5, 5, 5] and "matte" in stages.summary()
    # a memory that was written and read again goes on in the same way
    again, masks = tracker.step(Memory.from_bytes(states[-1].to_bytes()), windows)
    assert again.digest() == memory.digest()


def test_it_is_both(windows):
    tracker = MattingTracker(Counting(), Network())
    assert tracker.identity() == "counting+network"
    assert (tracker.window_size, tracker.wants_prompts, tracker.looks_ahead, tracker.exact_after) == (8, True, 1, None)


def test_it_forgets_when_both_do(windows):
    network, tracker = Network(), Counting()
    network.exact_after = 0
    assert MattingTracker(tracker, network).exact_after == tracker.exact_after
