"""The engine thread: who comes first, what is interrupted, and what is given up when memory runs short."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hyp
from hypothesis import strategies as st

from tests.engine.numbers import FRAMES, NumberRecipe, number_clip, numbers_of, working
from vr180_ofx.engine.limits import LEVELS, Ladder
from vr180_ofx.engine.scheduler import Priority
from vr180_ofx.engine.store import DiskStore
from vr180_ofx.errors import DeviceLostError, FrameError, ResourceError
from vr180_ofx.weights import memory_short

SOON = 30.0


class Gate:
    """Holds a thread up at a frame, and says when it is there."""

    def __init__(self, at: int) -> None:
        self._at = at
        self.there, self.open = threading.Event(), threading.Event()

    def __call__(self, n: int) -> None:
        if n == self._at and not self.open.is_set():
            self.there.set()
            assert self.open.wait(SOON), "nobody opened the gate"


def expected(n: int, chunk: int = 6, overlap: int = 2) -> float:
    """A frame in the first chunk, before any cross-fade: every number before counts half as much as the next."""
    return float(np.float16(sum(k * 0.5 ** (n - k) for k in range(n + 1)) / (2 * FRAMES)))


@pytest.fixture(scope="module")
def reference():
    with working() as bench:
        return [bench.ask(n).result(SOON) for n in range(FRAMES)]


def test_frames_depend_on_all_that_came_before(reference):
    assert [numbers_of(f) for f in reference[:5]] == [expected(n) for n in range(5)]
    assert {v.width for f in reference for v in f.views.values()} == {8}
    assert [f.metadata["chunk"] for f in reference] == [0] * 6 + [1] * 4 + [2] * 2


@hyp(max_examples=25)
@given(st.lists(st.integers(0, FRAMES - 1), min_size=1, max_size=10), st.sampled_from([None, 2]), st.booleans())
def test_the_order_changes_no_bit(order, exact_after, at_once):
    with working(NumberRecipe(exact_after)) as bench:
        straight = [bench.ask(n).result(SOON) for n in range(FRAMES)]
    with working(NumberRecipe(exact_after)) as bench:
        futures = [bench.ask(n) for n in order] if at_once else [_done(bench.ask(n)) for n in order]
        assert all(f.result(SOON).same(straight[n]) for n, f in zip(order, futures, strict=True))


def _done(future):
    future.result(SOON)
    return future


def test_somebody_waiting_comes_before_a_render(reference):
    done = []
    with working() as bench:
        gate = bench.recipe.stepping = Gate(7)
        batch = bench.ask(9, Priority.BATCH)
        assert gate.there.wait(SOON)
        now = bench.ask(0)
        batch.add_done_callback(lambda _: done.append("batch"))
        now.add_done_callback(lambda _: done.append("now"))
        gate.open.set()
        assert now.result(SOON).same(reference[0]) and batch.result(SOON).same(reference[9])
        # the render went on where it was interrupted
        assert bench.worker.steps <= 2 + 9
    assert done == ["now", "batch"]


def test_what_nobody_wants_any_more_stops_at_the_next_step(reference):
    with working() as bench:
        gate = bench.recipe.stepping = Gate(2)
        future = bench.ask(5)
        assert gate.there.wait(SOON) and future.cancel()
        gate.open.set()
        assert bench.ask(0).result(SOON).same(reference[0])
        # frames 0 to 2 for what was cancelled, frame 0 for the other one
        assert bench.worker.steps <= 4


def test_equal_requests_are_one_work(reference):
    with working() as bench:
        gate = bench.recipe.stepping = Gate(0)
        futures = [bench.ask(1) for _ in range(5)]
        assert gate.there.wait(SOON) and futures[0].cancel()
        gate.open.set()
        assert all(f.result(SOON).same(reference[1]) for f in futures[1:]) and bench.worker.steps == 2


def test_a_frame_is_finished_while_the_next_one_is_stepped(reference):
    with working() as bench:
        stepped, order = threading.Event(), []

        def stepping(n):
            if n == 1:
                stepped.set()

        def finishing(n):
            order.append((n, stepped.wait(SOON)))

        bench.recipe.stepping, bench.recipe.finishing = stepping, finishing
        futures = [bench.ask(n) for n in (0, 1)]
        assert [f.result(SOON).same(reference[n]) for n, f in enumerate(futures)] == [True, True]
    assert order == [(0, True), (1, True)]


def test_another_plan_waits_for_what_is_being_finished():
    with working() as bench:
        gate = bench.recipe.finishing = Gate(3)
        old = bench.ask(3)
        assert gate.there.wait(SOON)
        corrected = bench.scene(lambda n: b"corrected")
        key = bench.worker.scene.key(3, "final")
        using = threading.Thread(target=bench.worker.use, args=(corrected,))
        using.start()
        assert bench.worker.version == 0 and not old.done()
        gate.open.set()
        using.join(SOON)
        assert bench.worker.version == 1 and old.result(SOON).index == 3
        # what was made with the other plan is not served with this one
        assert bench.worker.scene.key(3, "final") != key and bench.frames.get(key) is not None
        steps = bench.worker.steps
        bench.ask(3).result(SOON)
        assert bench.worker.steps > steps


def test_another_plan_interrupts_what_is_being_stepped():
    with working() as bench:
        gate = bench.recipe.stepping = Gate(2)
        future = bench.ask(5)
        assert gate.there.wait(SOON)
        using = threading.Thread(target=bench.worker.use, args=(bench.scene(lambda n: b"corrected"),))
        using.start()
        bench.recipe.stepping = lambda n: None
        gate.open.set()
        using.join(SOON)
        assert future.result(SOON).index == 5 and bench.worker.version == 1
        # begun again: what was stepped for the other plan counts for nothing
        assert bench.worker.steps >= 3 + 6


def test_a_frame_that_is_not_there_breaks_the_thread_of_memory():
    clip = number_clip(broken=frozenset({2}))
    with working(clip=clip) as bench:
        in_order = {n: bench.ask(n).result(SOON) for n in (0, 1, 3, 4)}
        with pytest.raises(FrameError, match="frame 2 cannot be decoded"):
            bench.ask(2).result(SOON)
    with working(clip=clip) as bench:
        assert all(bench.ask(n).result(SOON).same(in_order[n]) for n in (4, 1, 3, 0))
        assert numbers_of(in_order[3]) == float(np.float16(3 / (2 * FRAMES)))


def test_another_worker_goes_on_where_this_one_stopped(reference, tmp_path):
    store = DiskStore(tmp_path, 1 << 20)
    with working(store=store) as bench:
        bench.ask(3).result(SOON)
        assert bench.worker.steps == 4
    with working(store=store) as bench:
        assert bench.ask(4).result(SOON).same(reference[4]) and bench.worker.steps == 1


def test_an_error_is_told_to_whoever_asked_and_to_nobody_else(reference):
    with working() as bench:

        def failing(n):
            if n == 1:
                raise ZeroDivisionError("no")

        bench.recipe.stepping = failing
        with pytest.raises(ZeroDivisionError):
            bench.ask(1).result(SOON)
        assert bench.ask(0).result(SOON).same(reference[0])


@pytest.mark.parametrize("stage", ["stepping", "finishing"])
def test_a_card_that_is_lost_is_an_error_for_people(stage):
    def failing(n):
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    with working() as bench:
        setattr(bench.recipe, stage, failing)
        with pytest.raises(DeviceLostError, match="illegal memory access"):
            bench.ask(1).result(SOON)


class OutOfMemoryError(RuntimeError):
    """As PyTorch's: not a MemoryError."""


@pytest.mark.parametrize("error", [MemoryError("no room"), OutOfMemoryError("no room")])
@pytest.mark.parametrize("stage", ["stepping", "finishing"])
def test_memory_that_runs_short_is_made_room_for(reference, stage, error, tmp_path):
    store, failures = DiskStore(tmp_path, 1 << 20), [error, error]

    def failing(n):
        if n == 3 and failures:
            raise failures.pop()

    told = memory_short.times_told()
    with working(store=store, ladder=Ladder(1e15, lambda: 0, lambda: 1 << 40)) as bench:
        setattr(bench.recipe, stage, failing)
        frame = bench.ask(3).result(SOON)
        assert frame.same(reference[3]) and frame.metadata["degradations"] == LEVELS[2].name == bench.worker.level.name
        # whoever keeps recordings of networks is told
        assert memory_short.times_told() == told + 2
        # what was made under need is not kept for others
        assert len(bench.frames) == 0 and len(bench.checkpoints) == 0
        failures += [error] * 9
        with pytest.raises(ResourceError, match="out of memory: no room"):
            bench.ask(3).result(SOON)
    assert not any(store.has(bench.worker.scene.key(n, "final")) for n in range(FRAMES))


def test_closing_leaves_nobody_waiting():
    with working() as bench:
        gate = bench.recipe.stepping = Gate(1)
        futures = [bench.ask(n) for n in (5, 2)]
        assert gate.there.wait(SOON)
        bench.scheduler.close()
        gate.open.set()
    assert all(f.done() for f in futures) and futures[1].cancelled()
