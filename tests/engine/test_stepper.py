"""The way to a frame: from where, how far, and what is kept on it."""

from __future__ import annotations

import pytest

from tests.engine.numbers import FRAMES, NumberMaker, NumberRecipe, number_clip, numbers_of
from vr180_ofx.engine.checkpoints import Checkpoints
from vr180_ofx.engine.chunks import ChunkPlan
from vr180_ofx.engine.decoding import Decoder
from vr180_ofx.engine.keys import Chain
from vr180_ofx.engine.limits import LEVELS
from vr180_ofx.engine.scene import Scene
from vr180_ofx.engine.scheduler import Priority, Scheduler, Work
from vr180_ofx.engine.stepper import Interrupted, Stepper
from vr180_ofx.people.plan import Plan
from vr180_ofx.telemetry import Stages


class Way:
    """A stepper without a thread. stopped, held_up: what it is told."""

    def __init__(self, exact_after=None, chunk=6, overlap=2, broken=frozenset()):
        clip, recipe, stages = number_clip(broken=broken), NumberRecipe(exact_after), Stages()
        self.stopped = self.held_up = lambda: False
        self.stepped: list[int] = []
        recipe.stepping = self.stepped.append
        self.decoder = Decoder(clip, stages, 30.0)
        self.stepper = Stepper(
            len(clip), recipe.network, self.decoder, Checkpoints(1 << 20, None, exact_after, stages), Scheduler(),
            common={"engine": "this one"}, stopped=lambda work: self.stopped(), held_up=lambda work: self.held_up(),
        )  # fmt: skip
        plan = Plan.of_nobody(clip)
        chunks = ChunkPlan([(0, FRAMES - 1)], chunk, overlap)
        self.scene = Scene(plan, chunks, Chain(plan.facts, "clip"), {}, "", exact_after)
        self.maker: NumberMaker = recipe.maker(plan, LEVELS[0])

    def work(self, n: int, quality="final") -> Work:
        return Work(n, quality, Priority.INTERACTIVE, 0)

    def frame(self, n: int, quality="final"):
        return self.stepper.frame(self.work(n, quality), self.scene, self.maker)()


@pytest.fixture
def way():
    made = []

    def make(**more):
        made.append(Way(**more))
        return made[-1]

    yield make
    for one in made:
        one.decoder.close()


def test_from_the_beginning_of_the_chunk_and_then_one_by_one(way):
    one = way()
    one.frame(3)
    assert one.stepped == [0, 1, 2, 3]
    one.frame(4)
    assert one.stepped[4:] == [4] and one.stepper.steps == 5


def test_a_network_that_forgets_is_warmed_up_and_no_more(way):
    one = way(exact_after=2, chunk=0)
    one.frame(9)
    assert one.stepped == [7, 8, 9]
    # what it knew while it was warmed up is not what others would have known
    one.stepped.clear()
    one.frame(8)
    assert one.stepped == [6, 7, 8]


def test_a_draft_needs_no_memory_and_leaves_none(way):
    one = way()
    draft = one.frame(5, "draft")
    assert one.stepped == [5] and draft.metadata["quality"] == "draft" and draft.metadata["chunk"] == -1
    assert numbers_of(draft) != numbers_of(one.frame(5)) and one.stepped == [5, 0, 1, 2, 3, 4, 5, *range(4, 6)]


def test_where_chunks_are_cross_faded_both_are_stepped_and_compared(way):
    one = way()
    assert one.scene.chunks.fade(5) is not None and one.scene.chunks.fade(3) is None
    one.frame(3)
    assert one.stepper.disagreement == {}
    one.frame(5)
    assert list(one.stepper.disagreement) == [5] and one.stepper.disagreement[5] > 0
    # whoever forgets says the same in both
    exact = way(exact_after=2)
    exact.frame(5)
    assert exact.stepper.disagreement == {} and exact.stepped == [3, 4, 5]


def test_an_interrupted_work_goes_on_where_it_stopped(way):
    one = way(chunk=0)
    work, steps = one.work(8), 3
    one.held_up = lambda: len(one.stepped) >= steps
    with pytest.raises(Interrupted):
        one.stepper.frame(work, one.scene, one.maker)
    assert one.stepped == [0, 1, 2] and work.progress[0][0] == 3
    one.held_up = lambda: False
    one.stepper.frame(work, one.scene, one.maker)
    assert one.stepped == list(range(9)) and not work.progress


def test_frames_say_what_was_given_up(way):
    one = way()
    one.stepper.degradations, one.stepper.under_need = "batch of 1", True
    assert one.frame(2).metadata == {"engine": "this one", "index": 2, "quality": "final", "chunk": 0, "degradations": "batch of 1"}


def test_a_frame_that_is_not_there_is_stepped_over_with_nothing_remembered(way):
    one = way(chunk=0, broken=frozenset({4}))
    assert numbers_of(one.frame(5)) == numbers_of(way(chunk=0).frame(5, "draft")) and one.stepped == [0, 1, 2, 3, 5]
