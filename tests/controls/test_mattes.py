"""Garbage and holdout mattes on the demo clip's true mattes, against its true depth, and against arithmetic."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from tests.controls.frames import Given
from tests.imaging.rays import inside
from tests.stereo.scenes import DEMO, trimmed
from vr180_ofx.controls.contract import EyeMattes
from vr180_ofx.controls.mattes import MatteControls
from vr180_ofx.errors import InputMatteError
from vr180_ofx.imaging.parts import bounds
from vr180_ofx.media.open import open_clip
from vr180_ofx.people.mattes_file import Kind
from vr180_ofx.people.plan import Plan
from vr180_ofx.quality.truth import Truth

N = 2


@pytest.fixture(scope="module")
def demo():
    """(clip, one frame of truth, its mattes)."""
    truth = next(islice(Truth(DEMO / "truth").frames(), N, None))
    with open_clip(DEMO / "walk3d.mp4") as clip:
        width, height = clip.eye_size
        mattes = {v: EyeMattes(width, height, {p: trimmed(a) for p, a in people.items()}) for v, people in truth.people.items()}
        yield clip, truth, mattes


def plan_of(clip, *mattes):
    """Two people, of whom nothing is known but their names."""
    people: list[dict[str, object]] = [{"id": k, "name": f"person0{k}", "views": {}} for k in (1, 2)]
    return Plan.from_data({"format": "vr180-ofx plan", "version": 1, "people": people, "mattes": list(mattes)}, clip)


STEPS: tuple[tuple[Kind, ...], ...] = (("hand_over",), ("garbage", "holdout"))


def applied(demo, *mattes):
    clip, _, before = demo
    plan = plan_of(clip, *mattes)
    around = Given(clip, before)
    made = before
    for kinds in STEPS:
        control = MatteControls(plan, plan.mattes, clip.geometry.layout, kinds)
        made = control.apply(N, made, around) if control.identity(N) else made
    return made, around.said


def whole(eye, person):
    out = np.zeros((eye.height, eye.width), np.float32)
    patch = eye.people.get(person)
    if patch is not None:
        out[patch.rect.slices] = patch.alpha
    return out


def around_person(alpha, left=0.0, top=0.0, right=1.0, bottom=1.0, room=8):
    """A box around a part of somebody, in shares of their own."""
    r = bounds(alpha > 0.5)
    x0, x1 = r.x0 + left * r.width - room * (left == 0), r.x0 + right * r.width + room * (right == 1)
    y0, y1 = r.y0 + top * r.height - room * (top == 0), r.y0 + bottom * r.height + room * (bottom == 1)
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]


@pytest.mark.parametrize("drawn", ["left", "right"])
def test_what_is_drawn_in_one_eye_takes_the_same_thing_out_of_the_other(demo, drawn):
    """By the depth of the truth, which the program has not seen: each pixel of the other eye is a point in space, which the eye in which
    the matte was drawn sees inside of it or not."""
    clip, truth, before = demo
    other = {"left": "right", "right": "left"}[drawn]
    depth = truth.depth[other]
    ys, xs = np.mgrid[: depth.shape[0], : depth.shape[1]] + 0.5
    step = np.array([truth_interocular(), 0, 0]) * (1 if drawn == "left" else -1)
    seen = clip.projection.project(clip.projection.unproject(np.stack([xs, ys], axis=-1)) * depth[..., None] + step)
    figures = {}
    for person in (1, 2):
        for part in ({}, {"bottom": 0.5}, {"right": 0.5}, {"left": 0.3, "right": 0.7, "top": 0.2, "bottom": 0.4}, {"top": 0.85}):
            points = around_person(whole(before[drawn], person), **part)
            made, said = applied(demo, {"name": "g", "kind": "garbage", "shapes": {drawn: points}})
            assert said["carried"][f"g {other}"].startswith("disparity")
            had, has = (sum(whole(eye[other], p) for p in (1, 2)) for eye in (before, made))
            known = (depth > 0) & (had > 0.5)
            gone, wanted = known & (has < 0.5 * had), known & inside(np.array(points), seen[..., 0], seen[..., 1])
            figures[person, str(part)] = (gone & wanted).sum() / (gone | wanted).sum()
    assert min(figures.values()) > 0.95, figures
    assert np.mean(list(figures.values())) > 0.98, figures


def test_a_layer_of_two_people_is_carried_by_what_each_of_them_is(demo):
    """As a tracker that tells nobody apart has it: 1.2 and 1.85 m away, in one layer."""
    clip, truth, apart = demo
    together = {v: EyeMattes(e.width, e.height, {1: trimmed(whole(e, 1) + whole(e, 2))}) for v, e in apart.items()}
    for person in (1, 2):
        points = around_person(whole(apart["left"], person), bottom=0.5)
        made, _ = applied((clip, truth, together), {"name": "g", "kind": "garbage", "shapes": {"left": points}})
        wanted, _ = applied(demo, {"name": "g", "kind": "garbage", "shapes": {"left": points}})
        gone, should = (whole(eye["right"], 1) + whole(eye["right"], 2) < 0.5 for eye in (made, wanted))
        had = whole(together["right"], 1) > 0.5
        assert (had & gone & should).sum() / (had & (gone | should)).sum() > 0.97


def truth_interocular():
    return Truth(DEMO / "truth").interocular_m


def test_inside_is_nobody_and_outside_is_as_it_was(demo):
    _, _, before = demo
    points = around_person(whole(before["left"], 1), bottom=0.5)
    made, _ = applied(demo, {"name": "g", "kind": "garbage", "carry": False, "shapes": {"left": points}})
    (x0, y0), (x1, y1) = points[0], points[2]
    for p in (1, 2):
        was, now = whole(before["left"], p), whole(made["left"], p)
        assert now[int(y0) + 1 : int(y1), int(x0) + 1 : int(x1)].max() == 0
        was[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1] = now[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1] = 0
        assert np.array_equal(was, now) and np.array_equal(whole(made["right"], p), whole(before["right"], p))
    assert made["left"].people[1].confidence[4, 4] == 1


def test_inverted_leaves_the_inside_alone_in_both_eyes(demo):
    _, _, before = demo
    points = around_person(whole(before["left"], 1))
    kept, _ = applied(demo, {"name": "g", "kind": "garbage", "invert": True, "shapes": {"left": points}})
    for view in ("left", "right"):
        assert np.abs(whole(kept[view], 1) - whole(before[view], 1)).max() < 1e-3, "inside of it nothing changes"
    (x0, _), (x1, _) = points[0], points[2]
    for p in (1, 2):
        assert whole(kept["left"], p)[:, : int(x0)].max() == 0 and whole(kept["left"], p)[:, int(x1) + 1 :].max() == 0
        assert whole(kept["right"], p)[:, : int(x0) - 40].max() == 0 and whole(kept["right"], p)[:, int(x1) + 41 :].max() == 0


def test_one_persons_garbage_is_not_the_others(demo):
    _, _, before = demo
    made, _ = applied(demo, {"name": "g", "kind": "garbage", "person": "person02", "shapes": {v: everything(before) for v in before}})
    for view in ("left", "right"):
        assert whole(made[view], 2).max() == 0 and np.array_equal(whole(made[view], 1), whole(before[view], 1))


def everything(mattes):
    eye = mattes["left"]
    return [[-10, -10], [eye.width + 10, -10], [eye.width + 10, eye.height + 10], [-10, eye.height + 10]]


def test_a_holdout_is_all_of_one_person_and_what_is_over_is_taken_from_the_others(demo):
    _, _, before = demo
    points = around_person(whole(before["left"], 2), bottom=0.5)
    made, _ = applied(demo, {"name": "h", "kind": "holdout", "person": 1, "carry": False, "shapes": {"left": points}})
    (x0, y0), (x1, y1) = points[0], points[2]
    part = slice(int(y0) + 1, int(y1)), slice(int(x0) + 1, int(x1))
    assert whole(made["left"], 1)[part].min() == 1 and whole(made["left"], 2)[part].max() == 0
    assert sum(whole(made["left"], p) for p in (1, 2)).max() <= 1
    assert made["left"].people[1].confidence.min() >= 0


def test_what_is_handed_over_leaves_the_sum_as_it_was(demo):
    _, _, before = demo
    points = around_person(whole(before["left"], 2), bottom=0.5)
    made, said = applied(demo, {"name": "h", "kind": "hand_over", "person": 1, "shapes": {"left": points}})
    assert "h right" in said["carried"]
    for view in ("left", "right"):
        sums = [sum(whole(eye[view], p) for p in (1, 2)) for eye in (before, made)]
        assert np.abs(sums[0] - sums[1]).max() < 1e-6
        taken = whole(before[view], 2).sum() - whole(made[view], 2).sum()
        assert taken > 0.3 * whole(before[view], 2).sum()


def test_feather_is_a_soft_edge_around_the_line(demo):
    _, _, before = demo
    eye = before["left"]
    row = bounds(whole(eye, 2) > 0.99)
    middle = (row.y0 + row.y1) / 2
    line = [[0, 0], [eye.width, 0], [eye.width, middle], [0, middle]]
    made, _ = applied(demo, {"name": "g", "kind": "garbage", "carry": False, "feather": 12, "shapes": {"left": line}})
    was, now = whole(eye, 2), whole(made["left"], 2)
    solid = (was[int(middle) - 8 : int(middle) + 8] == 1).all(axis=0)
    share = now[int(middle) - 8 : int(middle) + 8, solid].mean(axis=1)
    assert share[0] < 0.03 and share[-1] > 0.97 and np.all(np.diff(share) > -1e-6) and 0.3 < np.interp(7.5, range(16), share) < 0.7


def test_without_a_depth_it_is_an_error_that_says_what_to_do(demo):
    """A holdout over a place that both pictures show in one colour: nothing says where the other eye has it."""
    clip, _, before = demo
    flat = {v: EyeMattes(e.width, e.height, {}) for v, e in before.items()}
    plan = plan_of(clip, {"name": "sky", "kind": "holdout", "person": 1, "shapes": {"left": [[2, 2], [40, 2], [40, 10], [2, 10]]}})
    control = MatteControls(plan, plan.mattes, clip.geometry.layout, ["holdout"])
    with pytest.raises(InputMatteError, match="metres.*both eyes.*carry") as error:
        control.apply(N, flat, Given(clip, flat, grey=True))
    assert error.value.index == N
    by_hand = plan_of(
        clip, {"name": "sky", "kind": "holdout", "person": 1, "metres": 2, "shapes": {"left": [[490, 500], [530, 500], [510, 540]]}}
    )
    made = MatteControls(by_hand, by_hand.mattes, clip.geometry.layout, ["holdout"]).apply(N, flat, Given(clip, flat, grey=True))
    x = [
        float((whole(made[v], 1).sum(axis=0) * (np.arange(made[v].width) + 0.5)).sum() / whole(made[v], 1).sum()) for v in ("left", "right")
    ]
    # in the middle of the picture the eyes see what is 2 m away b/2 radians apart
    assert x[0] - x[1] == pytest.approx(0.064 / 2 / np.pi * made["left"].width, abs=0.3)
