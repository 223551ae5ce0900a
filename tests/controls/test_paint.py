"""Painted mattes on the demo clip: true mattes lose a part, and what somebody paints brings it back, beside its frame, too."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tests.controls.corrections import FIRST, Frames, demo_frames, error, headless, plan_of, whole
from vr180_ofx.controls.points import PointCorrections
from vr180_ofx.errors import InputMatteError
from vr180_ofx.imaging.parts import bounds


@pytest.fixture(scope="module")
def demo():
    yield from demo_frames()


def painting(path, clip, *, value=None, said=None, size=None):
    """A picture of an eye: grey ``value``, (h, w) 0..1, opaque where ``said``, (h, w) bool; wholly where that is None."""
    width, height = size or clip.eye_size
    grey = np.zeros((height, width), np.float32) if value is None else value
    grey = (grey * 255 + 0.5).astype(np.uint8)
    picture = grey if said is None else np.dstack([grey, grey, grey, said.astype(np.uint8) * 255])
    assert cv2.imwrite(str(path), picture)
    return str(path)


def painted_plan(clip, alphas, files):
    """files: view -> frame -> file, of person 1."""
    plan = plan_of(clip, alphas, {})
    return replace(plan, people=(replace(plan.people[0], paint=files), *plan.people[1:]))


def made(clip, alphas, wrong, files, n):
    """(mattes, what was said)."""
    control, around = PointCorrections(painted_plan(clip, alphas, files)), Frames(clip, wrong)
    assert control.identity(n)
    return control.apply(n, around.mattes(n), around), around.said.get("paint", {})


def head_rows(alphas, view="left", n=FIRST):
    """Where the head of person 1 is, (h, w) bool: as `headless` takes it away."""
    r = bounds(alphas[n][view][1] > 0.5)
    said = np.zeros(alphas[n][view][1].shape, bool)
    said[max(r.y0 - 4, 0) : r.y0 + r.height // 7, r.x0 : r.x1] = True
    return said


def test_what_is_painted_is_the_matte_there_and_nowhere_else(demo, tmp_path):
    clip, alphas = demo
    wrong, _ = headless(alphas)
    said = head_rows(alphas)
    rng = np.random.default_rng(3)
    value = rng.random(said.shape).astype(np.float32)
    file = painting(tmp_path / "p.png", clip, value=value, said=said)
    out, notes = made(clip, alphas, wrong, {"left": {FIRST: file}}, FIRST)
    alpha = whole(out["left"])
    assert np.abs(alpha - value)[said].max() < 1.01 / 255 and notes["1 left 2"] == "here"
    assert np.array_equal(alpha[~said], wrong[FIRST]["left"][1][~said])
    # what is theirs is nobody else's, and somebody surely said it
    assert (whole(out["left"], 2) + alpha)[said].max() < 1 + 1e-5
    patch = out["left"].people[1]
    sure = np.zeros(said.shape, np.float32)
    sure[patch.rect.slices] = patch.confidence
    assert sure[said].min() > 0.999


def test_a_grey_picture_says_it_of_the_whole_eye_even_where_three_meet(demo, tmp_path):
    clip, alphas = demo
    both = {n: {v: {**own, 3: own[2] * 0.5, 2: own[2] * 0.5} for v, own in people.items()} for n, people in alphas.items()}
    value = np.full(alphas[FIRST]["left"][1].shape, 0.25, np.float32)
    file = painting(tmp_path / "p.png", clip, value=value)
    out, _ = made(clip, alphas, both, {"left": {FIRST: file}, "right": {FIRST: file}}, FIRST)
    for view in ("left", "right"):
        assert np.abs(whole(out[view]) - 64 / 255).max() < 1e-3, view


def test_it_goes_to_frames_beside_it_and_ends_in_order(demo, tmp_path):
    clip, alphas = demo
    wrong, _ = headless(alphas)
    truth = alphas[FIRST]["left"][1]
    for name, said in (("part.png", head_rows(alphas)), ("all.png", None)):
        file = painting(tmp_path / name, clip, value=truth, said=said)
        for n, least in ((FIRST, 0.95), (FIRST + 2, 0.5), (0, 0.5)):
            out, notes = made(clip, alphas, wrong, {"left": {FIRST: file}}, n)
            before, after = (error(x, alphas[n]["left"][1]) for x in (wrong[n]["left"][1], whole(out["left"])))
            assert after < (1 - least) * before, (name, n, before, after, notes)
        assert notes["1 left 2"] == "carried over 2 frames"


def test_what_is_the_same_already_changes_nothing_beside_it(demo, tmp_path):
    """A matte painted a little softer all along its outline is no reason to move anything to other frames."""
    clip, alphas = demo
    truth = alphas[FIRST]["left"][1]
    file = painting(tmp_path / "p.png", clip, value=cv2.GaussianBlur(truth, (0, 0), 0.7))
    out, _ = made(clip, alphas, alphas, {"left": {FIRST: file}}, FIRST + 1)
    for view in ("left", "right"):
        assert np.array_equal(whole(out[view]), alphas[FIRST + 1][view][1])


def test_the_other_eye_gets_what_surely_is_the_same(demo, tmp_path):
    clip, alphas = demo
    wrong, _ = headless(alphas, ("left", "right"))
    file = painting(tmp_path / "p.png", clip, value=alphas[FIRST]["left"][1], said=head_rows(alphas))
    out, notes = made(clip, alphas, wrong, {"left": {FIRST: file}}, FIRST)
    assert notes["1 left 2 in right"] == "by disparity"
    truth = alphas[FIRST]["right"][1]
    assert error(whole(out["right"]), truth) < 0.4 * error(wrong[FIRST]["right"][1], truth)


def test_half_the_size_is_enough(demo, tmp_path):
    clip, alphas = demo
    wrong, _ = headless(alphas)
    width, height = clip.eye_size
    size = width // 2, height // 2
    value = cv2.resize(alphas[FIRST]["left"][1], size, interpolation=cv2.INTER_AREA)
    file = painting(tmp_path / "p.png", clip, value=value, size=size)
    out, _ = made(clip, alphas, wrong, {"left": {FIRST: file}}, FIRST)
    truth = alphas[FIRST]["left"][1]
    assert error(whole(out["left"]), truth) < 0.3 * error(wrong[FIRST]["left"][1], truth)


def test_a_file_that_cannot_be_had_is_an_error_of_its_frame_and_said_beside_it(demo, tmp_path):
    clip, alphas = demo
    for name, make, words in (
        ("none.png", lambda p: None, "does not exist"),
        ("text.png", lambda p: p.write_text("no picture"), "not an image"),
        (
            "size.png",
            lambda p: painting(p, clip, size=(100, 100)),
            r"is 100x100; a painted matte is as large as one eye's picture, 1024x1024, or half of it",
        ),
    ):
        make(tmp_path / name)
        files = {"left": {FIRST: str(tmp_path / name)}}
        with pytest.raises(InputMatteError, match=words) as info:
            made(clip, alphas, alphas, files, FIRST)
        assert "painted for person01 (left eye)" in str(info.value) and info.value.index == FIRST
        out, notes = made(clip, alphas, alphas, files, FIRST + 1)
        assert "not carried to here" in notes["1 left 2"] and np.array_equal(whole(out["left"]), alphas[FIRST + 1]["left"][1])


def test_another_picture_in_the_file_is_another_frame(demo, tmp_path):
    clip, alphas = demo
    file = tmp_path / "p.png"
    control = PointCorrections(painted_plan(clip, alphas, {"left": {FIRST: str(file)}}))
    names = {control.identity(FIRST + 1)}
    for value in (0.2, 0.7):
        painting(file, clip, value=np.full(clip.eye_size[::-1], value, np.float32))
        names.add(control.identity(FIRST + 1))
        file.touch()
    assert len(names) == 3 and not control.identity(FIRST + 13) and control.neighbours(FIRST + 3) == (FIRST,)
