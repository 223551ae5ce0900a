"""The invariants: order does not matter, memory is flat, a draft is called a draft."""

import itertools
import json
import os
import random
import shutil
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import settings as hyp
from hypothesis import strategies as st

from vr180_ofx.engine.pipeline import Pipeline
from vr180_ofx.engine.plans import analyse
from vr180_ofx.engine.scheduler import Priority
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.engine.store import DiskStore
from vr180_ofx.errors import ClipChangedError, InputMatteError
from vr180_ofx.matte.guided import GuidedRefiner
from vr180_ofx.media.open import open_clip
from vr180_ofx.people.corrections import PointsAt
from vr180_ofx.people.plan import Plan
from vr180_ofx.settings import Settings
from vr180_ofx.trackers.blazepose import MEMORY_FRAMES, BlazePoseTracker
from vr180_ofx.trackers.contract import Mask, Memory
from vr180_ofx.trackers.sam2.memory import MemoryBank
from vr180_ofx.weights.store import require

SETTINGS = Settings(processing={"chunk_size": 4, "overlap_frames": 2})
#: For a tracker that never forgets: two chunks, which are cross-faded.
LONG = Settings(processing={"chunk_size": 6, "overlap_frames": 2})


@pytest.fixture(scope="module")
def scene(people_clip):
    with open_clip(people_clip, SETTINGS) as clip:
        plan = analyse(clip)
        with FrameServer(clip, plan) as server:
            reference = [server.request(n).result() for n in range(len(clip))]
        yield clip, plan, reference


@hyp(max_examples=10)
@example([6, 5], False, 0)
@example([9, 8, 7], False, 0)
@example([5, 6, 4], True, 1)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=8), st.booleans(), st.integers(0, 3))
def test_the_order_of_requests_does_not_change_a_bit(scene, order, forget, batch):
    clip, plan, reference = scene
    with FrameServer(clip, plan, cache_bytes=1 if forget else None) as server:
        if batch:
            futures = [(n, server.request(n)) for n in order]
            answers = [(n, f.result()) for n, f in futures]
        else:
            answers = [(n, server.request(n).result()) for n in order]
    wrong = [n for n, a in answers if not a.same(reference[n])]
    assert not wrong


def test_chunk_size_does_not_change_a_bit_for_a_tracker_that_forgets(scene, people_clip):
    _, plan, reference = scene
    for chunk, overlap in ((0, 0), (3, 2), (7, 60)):
        settings = Settings(processing={"chunk_size": chunk, "overlap_frames": overlap})
        with open_clip(people_clip, settings) as clip, FrameServer(clip, plan) as server:
            assert server.request(6).result().same(reference[6])


def test_any_frame_costs_no_more_than_the_warm_up(scene):
    clip, plan, _ = scene
    with FrameServer(clip, plan) as server:
        for n in (9, 0, 5, 2, 7):
            before = server.steps
            server.request(n).result()
            assert server.steps - before <= 1 + MEMORY_FRAMES


def test_in_order_each_frame_is_one_step(scene):
    clip, plan, _ = scene
    with FrameServer(clip, plan) as server:
        for n in range(len(clip)):
            server.request(n).result()
        # the warm-up of each chunk but the first may be stepped again
        assert server.steps <= len(clip) + 2 * len(server.chunks.chunks)


class LongMemory(BlazePoseTracker):
    """A tracker that never forgets: a running mean of everything it saw."""

    exact_after: int | None = None

    def step(self, memory, windows, batch=0):
        kept, masks = super().step(Memory({k: v for k, v in memory.arrays.items() if not k.startswith("mean.")}), windows)
        arrays, out = dict(kept.arrays), {}
        for key, mask in masks.items():
            name = f"mean.{key[0]}.{key[1]}"
            mean = 0.5 * (np.asarray(memory.arrays[name], np.float32) + mask.logits) if name in memory.arrays else mask.logits
            arrays[name] = mean = mean.astype(np.float32)
            out[key] = Mask(mean.copy(), mask.score)
        return Memory(arrays), out


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_the_order_does_not_matter_for_a_tracker_that_never_forgets(scene, seed):
    clip, plan, short = scene
    tracker = LongMemory(require("blazepose_segmenter"))
    with FrameServer(clip, plan, tracker=tracker) as server:
        reference = [server.request(n).result() for n in range(len(clip))]
        assert server.disagreement and all(v < 0.2 for v in server.disagreement.values())
    order = list(range(len(clip))) * 2
    random.Random(seed).shuffle(order)
    with FrameServer(clip, plan, tracker=tracker, cache_bytes=1 if seed == 1 else 1 << 30) as server:
        assert all(server.request(n).result().same(reference[n]) for n in order[:9])
    assert not reference[3].same(short[3])


def test_a_draft_is_called_a_draft_and_never_kept_as_final(scene):
    clip, plan, reference = scene
    with FrameServer(clip, plan) as server:
        draft = server.request(5, "draft").result()
        assert draft.metadata["quality"] == "draft" and not draft.same(reference[5])
        final = server.request(5).result()
        assert final.metadata["quality"] == "final" and final.same(reference[5])


def test_a_corrected_plan_is_what_the_next_request_is_answered_with(scene):
    clip, plan, reference = scene
    nobody = replace(plan, people=[replace(p, exclude=True) for p in plan.people])
    with FrameServer(clip, plan) as server:
        assert server.request(1).result().same(reference[1]) and server.version == 0
        server.replace_plan(nobody)
        assert server.version == 1 and server.plan is nobody
        assert not any(v.layers for v in server.request(1).result().views.values())


def test_requests_that_make_no_sense(scene):
    clip, plan, _ = scene
    with FrameServer(clip, plan) as server:
        with pytest.raises(IndexError, match=r"frames 0\.\.9"):
            server.request(10)
        with pytest.raises(ValueError, match="allowed are final and draft"):
            server.request(1, "best")  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="closed"):
        server.request(1)


def test_a_request_can_be_cancelled(scene):
    clip, plan, reference = scene
    with FrameServer(clip, plan) as server:
        futures = [server.request(n) for n in range(9)]
        assert futures[8].cancel()
        assert futures[0].result().same(reference[0])
        assert futures[8].cancelled()


def test_what_a_frame_holds(scene):
    clip, plan, reference = scene
    frame = reference[4]
    matte = frame.views["left"]
    assert matte.alpha.shape == (512, 512) and matte.alpha.dtype == np.float32
    assert set(matte.people) == {1, 2} and 0.02 < matte.alpha.mean() < 0.2
    assert np.abs(sum(matte.people.values()) - matte.alpha).max() < 2e-3
    assert matte.confidence.min() >= 0 and matte.confidence.max() == 1
    assert frame.metadata["chunk"] == 1 and frame.metadata["degradations"] == "none"


@pytest.mark.parametrize("quality", ["final", "draft"])
def test_half_scale_is_a_smaller_matte_of_the_same(scene, people_clip, quality):
    _, plan, reference = scene
    settings = Settings(processing={"scale_factor": 0.5, "upsampling": "none"})
    with open_clip(people_clip, settings) as clip, FrameServer(clip, plan) as server:
        half = server.request(3, quality).result().views["right"].alpha
    assert half.shape == (256, 256)
    small = cv2.resize(reference[3].views["right"].alpha, (256, 256), interpolation=cv2.INTER_AREA)
    assert np.abs(half - small).mean() < (0.01 if quality == "final" else 0.03)


@pytest.mark.parametrize("scale", [0.5, 0.25])
def test_upsampled_mattes_come_nearer_to_those_made_at_full_resolution(scene, people_clip, scale):
    _, plan, reference = scene
    off = {}
    for how in ("edge_aware", "cubic"):
        settings = Settings(processing={"scale_factor": scale, "upsampling": how})
        with open_clip(people_clip, settings) as clip, FrameServer(clip, plan) as server:
            frame = server.request(3).result()
        assert frame.metadata["upsampling"] == how
        for view in frame.views.values():
            assert view.alpha.shape == (512, 512) and np.sum(list(view.people.values()), axis=0).max() <= 1.001
        off[how] = np.abs(frame.views["right"].alpha - reference[3].views["right"].alpha).mean()
    assert off["edge_aware"] < 0.9 * off["cubic"] < 0.02


def test_frames_are_made_ahead_in_the_direction_of_scrubbing(scene):
    clip, plan, reference = scene
    with FrameServer(clip, plan, prefetch=2) as server:
        for n in (7, 6):
            assert server.request(n).result().same(reference[n])
        while server.stats()["waiting"]["prefetch"]:
            time.sleep(0.01)
        steps = server.steps
        assert all(server.request(n, priority=Priority.BATCH).result().same(reference[n]) for n in (5, 4)) and server.steps == steps


@pytest.fixture(scope="module")
def tracker():
    """SAM 2 with random weights: it never forgets."""
    pytest.importorskip("sam2", reason="the extra sam2 is not installed")
    from benchmarks.support.sam2_reference import random_network
    from vr180_ofx.trackers.sam2.tracker import Sam2Tracker

    return Sam2Tracker(random_network("sam2.1_t", 128), "random")


@pytest.fixture(scope="module")
def remembered(people_clip, tracker):
    with open_clip(people_clip, LONG) as clip:
        plan = analyse(clip)
        with FrameServer(clip, plan, tracker=tracker) as server:
            reference = [server.request(n).result() for n in range(len(clip))]
            assert server.disagreement
        yield clip, plan, reference


def test_points_go_into_a_network_that_takes_them_from_their_frame_on(remembered, tracker):
    """What was made before stays good; what comes after is another memory. The embedded tracker is shown none, and keeps all keys."""
    clip, plan, reference = remembered
    n = 4
    box = plan.track(plan.people[0], "left").boxes[n]
    point = (box[0] + box[2]) / 2, (box[1] * 3 + box[3]) / 4
    people = [replace(plan.people[0], points={"left": {n: PointsAt((point,))}}), *plan.people[1:]]
    own = replace(plan, people=people)
    memories, windows, masks = [], [], []
    with FrameServer(clip, plan, tracker=tracker) as before, FrameServer(clip, own, tracker=tracker) as after:
        keys = [[s._worker.scene.key(k, "final") for k in range(len(clip))] for s in (before, after)]
        assert [a == b for a, b in zip(*keys, strict=True)] == [k < n for k in range(len(clip))]
    with FrameServer(clip, plan) as before, FrameServer(clip, own) as after:
        assert all(before._worker.scene.key(k, "final") == after._worker.scene.key(k, "final") for k in range(len(clip)))
    pipelines = [Pipeline(p, tracker, GuidedRefiner()) for p in (plan, own)]
    for pipeline in pipelines:
        memory = tracker.begin()
        for k in range(n + 2):
            memory, found, seen = pipeline.advance(clip.frame(k), memory)
            memories.append(memory)
            windows.append(seen)
            masks.append(found)
    without, with_points = slice(0, n + 2), slice(n + 2, None)
    key, other = (plan.people[0].id, "left"), (plan.people[1].id, "left")
    differ = [not np.array_equal(a[key].logits, b[key].logits) for a, b in zip(masks[without], masks[with_points], strict=True)]
    assert differ == [k >= n for k in range(n + 2)]
    assert all(np.allclose(a[other].logits, b[other].logits, atol=1e-4) for a, b in zip(masks[without], masks[with_points], strict=True))
    # it is what the network says of the box and the point, which is where the window shows it
    image = windows[with_points][n][key]
    assert image.anchor and image.prompt is not None and image.prompt.points[0][2] == 1
    ray = image.window.directions(np.array(image.prompt.points[0][:2]))
    assert np.allclose(plan.projection.project(ray), point, atol=1e-3)
    past = MemoryBank.from_memory(memories[-1]).people[key]
    assert n in [r.step for r in past if r.anchor]


class Meddling:
    """A tracker, and what is done once as it is stepped for the second time."""

    def __init__(self, tracker, meddle):
        self._tracker, self._meddle, self._steps = tracker, meddle, 0

    def __getattr__(self, name):
        return getattr(self._tracker, name)

    def step(self, *words):
        self._steps += 1
        if self._steps == 2:
            self._meddle()
        return self._tracker.step(*words)


def paint(file, clip, value):
    """The upper half is said, the lower one is not."""
    width, height = clip.eye_size
    picture = np.full((height, width, 4), value, np.uint8)
    picture[..., 3] = 0
    picture[: height // 2, :, 3] = 255
    cv2.imwrite(str(file), picture)


def test_a_painted_matte_that_changes_leaves_no_stale_memory(remembered, tracker, tmp_path):
    """Frames and memories, in this server and on disk, are those of what the file holds now; before its frame all stays."""
    clip, plan, _ = remembered
    n, frames = 1, (0, 1, 2)
    file = tmp_path / "mine.png"
    people = [replace(plan.people[0], paint={"left": {n: str(file)}})]
    own, store = replace(plan, people=people), DiskStore(tmp_path / "store", 1 << 28)

    def bits(server):
        return [server._find(k, "final", Priority.BATCH).result() for k in frames]

    made, keys = {}, {}
    for value in (255, 0):
        paint(file, clip, value)
        with FrameServer(clip, own, tracker=tracker) as server:
            made[value], keys[value] = bits(server), [server._worker.current().key(k, "final") for k in range(len(clip))]
    # up to the next chunk, which begins with the plan alone
    assert [a == b for a, b in zip(keys[0], keys[255], strict=True)] == [k < n or k >= 6 for k in range(len(clip))]
    assert [a.same(b) for a, b in zip(made[0], made[255], strict=True)] == [k < n for k in frames]
    with FrameServer(clip, own, tracker=tracker, store=store) as server:
        for value in (0, 255):
            paint(file, clip, value)
            assert all(a.same(b) for a, b in zip(bits(server), made[value], strict=True)), value
        assert server.version == 1
        paint(file, clip, 0)
        steps = server.steps
        assert all(a.same(b) for a, b in zip(bits(server), made[0], strict=True)) and server.steps == steps
        file.write_bytes(b"no picture")
        with pytest.raises(InputMatteError, match=str(file)):
            server.request(2).result()
        assert server._find(0, "final", Priority.BATCH).result().same(made[0][0])
    # another server goes on from what lies on disk
    paint(file, clip, 255)
    with FrameServer(clip, own, tracker=tracker, store=DiskStore(tmp_path / "store", 1 << 28)) as server:
        assert all(a.same(b) for a, b in zip(bits(server), made[255], strict=True)) and server.steps == 0
    # while it is being made: nobody is given what was made with the former one
    paint(file, clip, 0)
    with FrameServer(clip, own, tracker=Meddling(tracker, lambda: paint(file, clip, 255))) as server:
        assert server._find(2, "final", Priority.BATCH).result().same(made[255][2]) and server.version == 1
    # a tracker that takes no prompts is shown none
    with FrameServer(clip, own) as server, FrameServer(clip, replace(plan, people=plan.people[:1])) as plain:
        assert server._worker.current().key(2, "final") == plain._worker.current().key(2, "final")


def test_the_mattes_are_of_something(remembered):
    """Random weights do not find people, but what they find must be something that bits can differ in."""
    _, _, reference = remembered
    for frame in reference:
        assert {x.person for x in frame.views["left"].layers} and 0.001 < frame.views["left"].alpha.mean() < 0.5
    assert not any(a.same(b) for a, b in itertools.pairwise(reference))


ACTIONS = st.one_of(st.integers(0, 9), st.sampled_from(["restart", "evict", "forget", "flip", "frames"]))


@hyp(max_examples=8)
@example([9, "restart", 8, "flip", "restart", 9], 3)
@example([4, "evict", "restart", 5, "frames", 4], 5)
@given(st.lists(ACTIONS, min_size=1, max_size=7), st.integers(0, 99))
def test_orders_restarts_and_evictions_never_change_a_bit(remembered, tracker, tmp_path_factory, actions, seed):
    """Whatever is asked in whatever order, with caches emptied, damaged and left behind in between."""
    clip, plan, reference = remembered
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


def test_random_access_costs_at_most_a_warm_up_and_a_chunk(remembered, tracker):
    clip, plan, _ = remembered
    for n in range(len(clip)):
        with FrameServer(clip, plan, tracker=tracker) as server:
            server.request(n).result()
            assert server.steps <= 6 + 2, n


def test_a_new_server_goes_on_where_the_old_one_stopped(remembered, tracker, tmp_path):
    clip, plan, reference = remembered
    store = DiskStore(tmp_path, 1 << 30)
    with FrameServer(clip, plan, tracker=tracker, store=store, keep_frames=False) as server:
        server.request(2).result()
        assert server.steps == 3
    with FrameServer(clip, plan, tracker=tracker, store=store, keep_frames=False) as server:
        assert server.request(3).result().same(reference[3])
        assert server.steps == 1


def test_finished_frames_are_served_from_disk_without_a_step(remembered, tracker, tmp_path):
    clip, plan, reference = remembered
    store = DiskStore(tmp_path, 1 << 30)
    with FrameServer(clip, plan, tracker=tracker, store=store) as server:
        server.request(1).result()
    with FrameServer(clip, plan, tracker=tracker, store=store) as server:
        frame = server.request(1).result()
        assert server.steps == 0 and frame.same(reference[1]) and store.hits
        assert frame.metadata == reference[1].metadata


def test_what_a_setting_does_not_change_is_not_made_again(remembered, tracker, tmp_path, people_clip):
    """Another refiner needs new frames, and no tracking; another output format needs nothing."""
    _, plan, _ = remembered
    store = DiskStore(tmp_path, 1 << 30)
    with open_clip(people_clip, LONG) as clip, FrameServer(clip, plan, tracker=tracker, store=store) as server:
        server.request(3).result()
    changed = LONG.with_overrides(["output.format=alpha", "output.compression=zip", "service.cache_gb=1"])
    with open_clip(people_clip, changed) as clip, FrameServer(clip, plan, tracker=tracker, store=store) as server:
        server.request(3).result()
        assert server.steps == 0
    changed = LONG.with_overrides(["matting.refiner=none"])
    with open_clip(people_clip, changed) as clip, FrameServer(clip, plan, tracker=tracker, store=store) as server:
        # the memory before frame 4 was kept; that before frame 3 only while the first server lived
        server.request(4).result()
        assert server.steps <= 2


def test_correcting_the_plan_makes_only_what_depends_on_it_anew(remembered, tracker, tmp_path):
    clip, plan, reference = remembered
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
        with FrameServer(clip, corrected, tracker=tracker) as other:
            same = [n for n in range(len(clip)) if server.frame_key(n) == other.frame_key(n)]
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


def test_a_clip_that_was_replaced_is_not_served_from_the_cache(remembered, tracker, people_clip, tmp_path):
    _, plan, _ = remembered
    copy = Path(shutil.copy(people_clip, tmp_path / "clip.mp4"))
    with open_clip(copy, LONG) as clip, FrameServer(clip, plan, tracker=tracker) as server:
        server.request(0).result()
        later = copy.stat().st_mtime + 1
        os.utime(copy, (later, later))
        with pytest.raises(ClipChangedError, match="changed while it was being read"):
            server.request(0).result()
        with pytest.raises(ClipChangedError):
            server.request(1).result()


def test_a_draft_needs_no_memory(remembered, tracker):
    clip, plan, reference = remembered
    with FrameServer(clip, plan, tracker=tracker) as server:
        draft = server.request(9, "draft").result()
        assert server.steps == 0 and draft.metadata["quality"] == "draft" and not draft.same(reference[9])
        assert np.isfinite(draft.views["left"].alpha).all()
