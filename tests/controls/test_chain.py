"""What is carried from frame to frame: the same bits in any order, with and without what is remembered, and one step a frame."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tests.controls.corrections import FIRST, LAST, Frames, demo_frames, headless, plan_of
from vr180_ofx.controls.chain import Link, Origin
from vr180_ofx.controls.points import PointCorrections
from vr180_ofx.engine.cache import SharedCache

ROOM = 64 << 20


class Counted(Frames):
    """Which pictures were asked for."""

    def __init__(self, clip, wrong):
        super().__init__(clip, wrong)
        self.asked: list[int] = []

    def picture(self, n):
        self.asked.append(n)
        return super().picture(n)


@pytest.fixture(scope="module")
def scene():
    demo = demo_frames()
    clip, alphas = next(demo)
    wrong, point = headless(alphas)
    plan = plan_of(clip, alphas, {"left": {str(FIRST): {"plus": [point]}}})
    control = PointCorrections(plan)
    straight = {n: made_by(control, n, Frames(clip, wrong)) for n in range(LAST + 1)}
    yield clip, wrong, plan, straight
    demo.close()


def made_by(control, n, around):
    """(person 1 in the left eye, what was said)."""
    patch = control.apply(n, around.mattes(n), around)["left"].people[1]
    return patch, around.said.get("points", {})


def same(a, b):
    return a[0].rect == b[0].rect and np.array_equal(a[0].alpha, b[0].alpha) and np.array_equal(a[0].confidence, b[0].confidence)


@pytest.mark.parametrize("room", [ROOM, 3 << 20, 0])
def test_the_same_bits_in_any_order_with_any_memory(scene, room):
    clip, wrong, plan, straight = scene
    kept: SharedCache[str, Origin | Link] = SharedCache(room)
    order = random.Random(room).sample(sorted(straight), len(straight))
    for n in order if room == ROOM else order[:4]:
        # as a server does it: controls are made anew for each frame
        around = Frames(clip, wrong)
        made = made_by(PointCorrections(plan, kept=kept), n, around)
        assert same(made, straight[n]) and made[1] == straight[n][1], n
        assert kept.nbytes <= room


def test_the_frame_beside_costs_one_picture_more(scene):
    clip, wrong, plan, straight = scene
    kept: SharedCache[str, Origin | Link] = SharedCache(ROOM)
    ends = min((n for n in straight if n > FIRST and straight[n][1]["1 left 2"].startswith("ends")), default=LAST + 1)
    assert ends > FIRST + 3, "too short a way to tell"
    for n in range(FIRST + 1, ends):
        around = Counted(clip, wrong)
        made_by(PointCorrections(plan, kept=kept), n, around)
        assert set(around.asked) == ({FIRST, n} if n == FIRST + 1 else {n}), n
    # and the way back none but its own, for the other eye
    around = Counted(clip, wrong)
    made_by(PointCorrections(plan, kept=kept), FIRST + 2, around)
    assert set(around.asked) <= {FIRST + 2}


def test_another_matte_or_other_points_are_another_way(scene):
    clip, wrong, plan, straight = scene
    kept: SharedCache[str, Origin | Link] = SharedCache(ROOM)
    made_by(PointCorrections(plan, kept=kept), FIRST + 1, Frames(clip, wrong))
    other = {n: {v: dict(own) for v, own in people.items()} for n, people in wrong.items()}
    other[FIRST]["left"][1] = np.minimum(other[FIRST]["left"][1], 0.9)
    alone = made_by(PointCorrections(plan), FIRST + 1, Frames(clip, other))
    assert same(made_by(PointCorrections(plan, kept=kept), FIRST + 1, Frames(clip, other)), alone)
