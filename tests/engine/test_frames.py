"""Finished frames, in memory and on disk."""

from __future__ import annotations

import numpy as np
import pytest

from vr180_ofx.engine.frame import Frame, Layer, ViewMatte
from vr180_ofx.engine.frames import FrameCache, named
from vr180_ofx.engine.store import DiskStore
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.telemetry import Stages

NAMES = {1: "person01"}


def frame(n: int) -> Frame:
    alpha = np.full((8, 8), n / 100, np.float16)
    return Frame(n, {"left": ViewMatte(8, 8, (Layer(1, "person01", Rect(0, 0, 8, 8), alpha, alpha),))}, {"index": n, "engine": "old"})


@pytest.fixture
def store(tmp_path):
    return DiskStore(tmp_path, 1 << 20)


def test_in_memory_those_that_were_not_used_for_longest_go_first():
    cache = FrameCache(3 * frame(0).nbytes, None, Stages())
    for n in range(4):
        cache.put(f"key{n}", frame(n))
    newest = cache.get("key3")
    assert cache.get("key0") is None and newest is not None and newest.same(frame(3)) and len(cache) == 3
    cache.keep_share(0.4)
    assert len(cache) == 1 and cache.stats() == {"frames_in_memory": 1, "frames_bytes": frame(0).nbytes}
    cache.clear()
    assert len(cache) == 0 and not cache.on_disk("key3") and cache.load("key3", NAMES, {}) is None
    cache.close()


def test_on_disk_they_outlive_the_cache_and_say_what_is_so_now(store):
    cache = FrameCache(1 << 20, store, Stages())
    cache.save_beside("key", frame(5))
    cache.close()
    again = FrameCache(1 << 20, store, Stages())
    assert again.on_disk("key") and again.get("key") is None
    found = again.load("key", {1: "anna"}, {"engine": "new"})
    assert found is not None and found.same(frame(5)) and found.metadata == {"index": 5, "engine": "new"}
    assert found.views["left"].layers[0].name == "anna" and again.get("key") is found
    assert again.drop(["key", "other"]) == 1 and not again.on_disk("key")
    again.close()


def test_a_damaged_one_is_forgotten(store):
    cache = FrameCache(1 << 20, store, Stages())
    store.put("key", b"no frame at all")
    assert cache.on_disk("key") and cache.load("key", NAMES, {}) is None and not cache.on_disk("key")
    cache.close()


def test_once_closed_nothing_more_is_done(store):
    cache = FrameCache(1 << 20, store, Stages())
    cache.close()
    cache.save_beside("key", frame(1))
    assert not store.has("key")
    with pytest.raises(RuntimeError):
        cache.beside(lambda: None)


def test_a_name_may_change_without_a_frame_being_made_again():
    one = frame(2)
    assert named(one, NAMES) is one
    other = named(one, {1: "anna"})
    assert other.same(one) and other.views["left"].layers[0].name == "anna"
