"""The invariants: order does not matter, memory is flat, a draft is called a draft."""

import random
import threading
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import settings as hyp
from hypothesis import strategies as st

from vr180_ofx.engine.cache import BytesCache
from vr180_ofx.engine.chunks import ChunkPlan
from vr180_ofx.engine.frame import cross_fade
from vr180_ofx.engine.plans import analyse
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.imaging.half import half
from vr180_ofx.media.open import open_clip
from vr180_ofx.settings import Settings
from vr180_ofx.trackers.blazepose import BlazePoseTracker
from vr180_ofx.trackers.contract import Mask, Memory
from vr180_ofx.weights.store import require

SETTINGS = Settings(processing={"chunk_size": 4, "overlap_frames": 2})


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
            assert server.steps - before <= 1 + server._tracker.exact_after


def test_in_order_each_frame_is_one_step(scene):
    clip, plan, _ = scene
    with FrameServer(clip, plan) as server:
        for n in range(len(clip)):
            server.request(n).result()
        # the warm-up of each chunk but the first may be stepped again
        assert server.steps <= len(clip) + 2 * len(server.chunks.chunks)


class LongMemory(BlazePoseTracker):
    """A tracker that never forgets: a running mean of everything it saw."""

    exact_after = None

    def step(self, memory, windows, batch=0):
        kept, masks = super().step(Memory({k: v for k, v in memory.arrays.items() if not k.startswith("mean.")}), windows)
        arrays, out = dict(kept.arrays), {}
        for key, mask in masks.items():
            name = f"mean.{key[0]}.{key[1]}"
            mean = 0.5 * (memory.arrays[name] + mask.logits) if name in memory.arrays else mask.logits
            arrays[name] = mean.astype(np.float32)
            out[key] = Mask(arrays[name].copy(), mask.score)
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


def test_a_frame_is_finished_while_the_next_one_is_stepped_and_never_with_a_plan_that_is_gone(scene):
    clip, plan, reference = scene
    nobody = replace(plan, people=[replace(p, exclude=True) for p in plan.people])
    with FrameServer(clip, plan) as server:
        refine, stepped, order = server._refiner.refine, threading.Event(), []
        step = server._tracker.step

        def stepping(memory, windows, batch=0):
            order.append("step")
            if order.count("step") == 2:
                stepped.set()
            return step(memory, windows, batch)

        def refining(*args):
            # the first frame is not finished before the second one was stepped
            order.append("in time" if stepped.wait(30) else "too late")
            return refine(*args)

        server._tracker.step, server._refiner.refine = stepping, refining
        futures = [server.request(n) for n in (0, 1)]
        assert futures[0].result().same(reference[0]) and futures[1].result().same(reference[1])
        assert "too late" not in order
        # a correction waits for what is being finished, and what is asked for after it knows of it
        held, entered = threading.Event(), threading.Event()

        def held_up(*args):
            entered.set()
            held.wait(30)
            return refine(*args)

        server._refiner.refine = held_up
        old = server.request(5)
        assert entered.wait(30)
        corrected = threading.Thread(target=server.replace_plan, args=(nobody,))
        corrected.start()
        corrected.join(0.2)
        assert corrected.is_alive() and not old.done()
        held.set()
        corrected.join()
        assert old.result().same(reference[5])
        assert not any(v.layers for v in server.request(5).result().views.values())


def test_requests_that_make_no_sense(scene):
    clip, plan, _ = scene
    with FrameServer(clip, plan) as server:
        with pytest.raises(IndexError, match=r"frames 0\.\.9"):
            server.request(10)
        with pytest.raises(ValueError, match="allowed are final and draft"):
            server.request(1, "best")
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
            assert view.alpha.shape == (512, 512) and sum(view.people.values()).max() <= 1.001
        off[how] = np.abs(frame.views["right"].alpha - reference[3].views["right"].alpha).mean()
    assert off["edge_aware"] < 0.9 * off["cubic"] < 0.02


def test_halves_are_rounded_as_numpy_does():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.random(5000), [0, 1, 2**-14, 2**-24, 2**-25, 1 - 2**-12, 65504]]).astype(np.float32)[None]
    assert half(values).dtype == np.float16 and np.array_equal(half(values), values.astype(np.float16))


def test_cross_fading_ends_at_its_ends(scene):
    _, _, reference = scene
    a, b = reference[2], reference[3]
    for share, end in ((0.0, a), (1.0, b)):
        mixed, difference = cross_fade(a, b, share)
        assert difference > 0
        assert all(np.abs(mixed.views[v].alpha - end.views[v].alpha).max() < 2e-3 for v in mixed.views)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(0, 30), st.integers(0, 20))
def test_chunks_cover_every_frame_once_and_stay_in_their_shot(lengths, size, overlap):
    shots, at = [], 0
    for length in lengths:
        shots.append((at, at + length - 1))
        at += length
    plan = ChunkPlan(shots, size, overlap)
    owners = [plan.of(n) for n in range(at)]
    assert [n for c in plan.chunks for n in range(c.first, c.last + 1)] == list(range(at))
    for n, c in enumerate(owners):
        assert n in c
        shot = next(s for s in shots if s[0] <= n <= s[1])
        assert shot[0] <= c.start <= c.first <= c.last <= shot[1] and c.first - c.start <= overlap
        fade = plan.fade(n)
        if fade is not None:
            assert 0 < fade[1] < 1 and fade[0].number == c.number + 1 and fade[0].start <= n < fade[0].first


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 50)), max_size=60))
def test_the_cache_never_holds_more_than_it_may(items):
    cache = BytesCache(100)
    for key, size in items:
        cache.put(key, str(key), size)
        assert cache.nbytes <= 100 and cache.nbytes == sum(s for _, s in cache._entries.values())
