"""The frame server with a tracker that never forgets, and caches that outlive it."""

import itertools
import json
import os
import random
import shutil
import threading
import time

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import settings as hyp
from hypothesis import strategies as st

pytest.importorskip("sam2", reason="the extra sam2 is not installed")

from benchmarks.support.sam2_reference import random_network
from vr180_ofx.engine.plans import analyse
from vr180_ofx.engine.scheduler import Priority
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.engine.store import DiskStore
from vr180_ofx.errors import ClipChangedError
from vr180_ofx.media.open import open_clip
from vr180_ofx.people.plan import Plan
from vr180_ofx.settings import Settings
from vr180_ofx.trackers.sam2.tracker import Sam2Tracker

CHUNK, OVERLAP = 6, 2
SETTINGS = Settings(processing={"chunk_size": CHUNK, "overlap_frames": OVERLAP})


@pytest.fixture(scope="module")
def tracker():
    return Sam2Tracker(random_network("sam2.1_t", 128), "random")


@pytest.fixture(scope="module")
def scene(people_clip, tracker):
    with open_clip(people_clip, SETTINGS) as clip:
        plan = analyse(clip)
        with FrameServer(clip, plan, tracker=tracker) as server:
            reference = [server.request(n).result() for n in range(len(clip))]
            assert server.disagreement
        yield clip, plan, reference


def test_the_mattes_are_of_something(scene):
    """Random weights do not find people, but what they find must be something that bits can differ in."""
    _, _, reference = scene
    for frame in reference:
        assert {x.person for x in frame.views["left"].layers} and 0.001 < frame.views["left"].alpha.mean() < 0.5
    assert not any(a.same(b) for a, b in itertools.pairwise(reference))


ACTIONS = st.one_of(st.integers(0, 9), st.sampled_from(["restart", "evict", "forget", "flip", "frames"]))


@hyp(max_examples=8)
@example([9, "restart", 8, "flip", "restart", 9], 3)
@example([4, "evict", "restart", 5, "frames", 4], 5)
@given(st.lists(ACTIONS, min_size=1, max_size=7), st.integers(0, 99))
def test_orders_restarts_and_evictions_never_change_a_bit(scene, tracker, tmp_path_factory, actions, seed):
    """Whatever is asked in whatever order, with caches emptied, damaged and left behind in between."""
    clip, plan, reference = scene
    rng = random.Random(seed)
    store = DiskStore(tmp_path_factory.mktemp("store"), 1 << 30)
    server = FrameServer(clip, plan, tracker=tracker, store=store)
    try:
        for action in actions:
            # what is only half written yet has a hidden name
            entries = sorted(store.folder.rglob("[!.]*.entry"))
            if action == "restart":
                server.close()
                server = FrameServer(clip, plan, tracker=tracker, store=store, cache_bytes=1 if seed % 2 else None)
            elif action == "evict":
                store.evict(store.nbytes // 2)
            elif action == "forget":
                server.clear_cache()
            elif action == "frames":
                # finished frames go, checkpoints stay
                server.clear_cache()
                for n in range(len(clip)):
                    store.drop(server.frame_key(n))
            elif action == "flip":
                for path in rng.sample(entries, min(2, len(entries))):
                    data = bytearray(path.read_bytes())
                    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
                    path.write_bytes(data)
            else:
                assert server.request(action).result().same(reference[action]), (action, actions)
    finally:
        server.close()


def test_random_access_costs_at_most_a_warm_up_and_a_chunk(scene, tracker):
    clip, plan, _ = scene
    for n in range(len(clip)):
        with FrameServer(clip, plan, tracker=tracker) as server:
            server.request(n).result()
            assert server.steps <= CHUNK + OVERLAP, n


def test_a_new_server_goes_on_where_the_old_one_stopped(scene, tracker, tmp_path):
    clip, plan, reference = scene
    store = DiskStore(tmp_path, 1 << 30)
    with FrameServer(clip, plan, tracker=tracker, store=store, keep_frames=False) as server:
        server.request(2).result()
        assert server.steps == 3
    with FrameServer(clip, plan, tracker=tracker, store=store, keep_frames=False) as server:
        assert server.request(3).result().same(reference[3])
        assert server.steps == 1


def test_finished_frames_are_served_from_disk_without_a_step(scene, tracker, tmp_path):
    clip, plan, reference = scene
    store = DiskStore(tmp_path, 1 << 30)
    with FrameServer(clip, plan, tracker=tracker, store=store) as server:
        server.request(1).result()
    with FrameServer(clip, plan, tracker=tracker, store=store) as server:
        frame = server.request(1).result()
        assert server.steps == 0 and frame.same(reference[1]) and store.hits
        assert frame.metadata == reference[1].metadata


def test_what_a_setting_does_not_change_is_not_made_again(scene, tracker, tmp_path, people_clip):
    """Another refiner needs new frames, and no tracking; another output format needs nothing."""
    _, plan, _ = scene
    store = DiskStore(tmp_path, 1 << 30)
    with open_clip(people_clip, SETTINGS) as clip, FrameServer(clip, plan, tracker=tracker, store=store) as server:
        server.request(3).result()
    changed = SETTINGS.with_overrides(["output.format=alpha", "output.compression=zip", "service.cache_gb=1"])
    with open_clip(people_clip, changed) as clip, FrameServer(clip, plan, tracker=tracker, store=store) as server:
        server.request(3).result()
        assert server.steps == 0
    changed = SETTINGS.with_overrides(["matting.refiner=none"])
    with open_clip(people_clip, changed) as clip, FrameServer(clip, plan, tracker=tracker, store=store) as server:
        # the memory before frame 4 was kept; that before frame 3 only while the first server lived
        server.request(4).result()
        assert server.steps <= 2


def test_correcting_the_plan_makes_only_what_depends_on_it_anew(scene, tracker, tmp_path):
    clip, plan, reference = scene
    data = json.loads(plan.to_json())
    person = data["people"][0]
    # somebody confirms where the person is: nothing moves, but the tracker is shown them again
    at = max(int(k) for k in person["views"]["left"])
    person["views"]["left"][str(at)]["source"] = "edited"
    person["name"] = "anna"
    corrected = Plan.from_data(data, clip)
    store = DiskStore(tmp_path, 1 << 30)
    with FrameServer(clip, plan, tracker=tracker, store=store) as server:
        for n in range(len(clip)):
            server.request(n).result()
        same = [n for n in range(len(clip)) if server.frame_key(n) == _key(server, corrected, n)]
        server.replace_plan(corrected)
        server.clear_cache()
        before = server.steps
        for n in same:
            frame = server.request(n).result()
            assert frame.same(reference[n]) and frame.views["left"].layers[0].name == "anna"
        assert server.steps == before and same == list(range(at)) and at >= 6
        after = server.request(9).result()
        assert not after.same(reference[9]) and server.steps > before
    with FrameServer(clip, corrected, tracker=tracker) as server:
        assert server.request(9).result().same(after)


def _key(server, plan, n):
    other = object.__new__(FrameServer)
    other.__dict__.update(server.__dict__)
    other._use(plan)
    return other.frame_key(n)


class Slow(Sam2Tracker):
    """Takes its time, so that something can happen meanwhile."""

    def step(self, memory, windows, batch=0):
        time.sleep(0.15)
        return super().step(memory, windows, batch)


@pytest.fixture(scope="module")
def slow(tracker):
    return Slow(tracker.network, "random")


def test_somebody_waiting_comes_before_a_render(scene, slow):
    clip, plan, reference = scene
    done = []
    with FrameServer(clip, plan, tracker=slow) as server:
        batch = server.request(9, priority=Priority.BATCH)
        batch.add_done_callback(lambda _: done.append("batch"))
        time.sleep(0.2)
        now = server.request(0)
        now.add_done_callback(lambda _: done.append("now"))
        assert now.result().same(reference[0]) and batch.result().same(reference[9])
    assert done == ["now", "batch"]


def test_what_nobody_wants_any_more_stops_at_once(scene, slow):
    clip, plan, _ = scene
    with FrameServer(clip, plan, tracker=slow) as server:
        future = server.request(9)
        time.sleep(0.3)
        assert future.cancel()
        steps = server.steps
        server.request(0).result()
        assert server.steps <= steps + 2


def test_equal_requests_are_one_work(scene, slow):
    clip, plan, reference = scene
    with FrameServer(clip, plan, tracker=slow) as server:
        futures = [server.request(1) for _ in range(5)]
        assert futures[0].cancel()
        assert all(f.result().same(reference[1]) for f in futures[1:]) and server.steps == 2


def test_prefetch_follows_the_direction_of_scrubbing(scene, slow):
    clip, plan, _ = scene
    with FrameServer(clip, plan, tracker=slow, prefetch=2) as server:
        server.request(5).result()
        server.request(4).result()
        assert sorted(server._prefetched) == [2, 3]
        server._prefetched[3].result()
        steps = server.steps
        server.request(3).result()
        assert server.steps == steps


def test_the_plan_may_change_while_a_frame_is_being_made(scene, slow, tracker):
    clip, plan, reference = scene
    data = json.loads(plan.to_json())
    data["people"][1]["exclude"] = True
    fewer = Plan.from_data(data, clip)
    with FrameServer(clip, fewer, tracker=tracker) as server:
        expected = server.request(4).result()
    with FrameServer(clip, plan, tracker=slow) as server:
        future = server.request(4)
        time.sleep(0.3)
        threading.Thread(target=server.replace_plan, args=(fewer,)).start()
        got = future.result()
        assert got.same(expected) and not got.same(reference[4])


def test_a_clip_that_was_replaced_is_not_served_from_the_cache(scene, tracker, people_clip, tmp_path):
    _, plan, _ = scene
    copy = shutil.copy(people_clip, tmp_path / "clip.mp4")
    with open_clip(copy, SETTINGS) as clip, FrameServer(clip, plan, tracker=tracker) as server:
        server.request(0).result()
        time.sleep(0.02)
        os.utime(copy)
        with pytest.raises(ClipChangedError, match="changed while it was being read"):
            server.request(0).result()
        with pytest.raises(ClipChangedError):
            server.request(1).result()


def test_a_draft_needs_no_memory(scene, tracker):
    clip, plan, reference = scene
    with FrameServer(clip, plan, tracker=tracker) as server:
        draft = server.request(9, "draft").result()
        assert server.steps == 0 and draft.metadata["quality"] == "draft" and not draft.same(reference[9])
        assert np.isfinite(draft.views["left"].alpha).all()
