"""Disparity against geometry that is known exactly: a made-up scene, and the rendered demo clip with its depth."""

import cv2
import numpy as np
import pytest

from tests.conftest import shared_clip
from tests.stereo.scenes import DEMO, B, ball, claimed, trimmed, whole
from vr180_ofx.media.open import open_clip
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.quality import metrics
from vr180_ofx.quality.truth import Truth
from vr180_ofx.stereo.disparity import Disparity, at_distance, measure
from vr180_ofx.stereo.pair import StereoPair
from vr180_ofx.vr180.epipolar import EpipolarWindow, directions
from vr180_ofx.vr180.projection import Equirectangular


def test_a_ball_in_front_of_two_eyes():
    size = 512
    projection = Equirectangular(size, size)
    eyes, layers, depths = {}, {}, {}
    for view, eye in (("left", -1), ("right", 1)):
        picture, alpha, depths[view] = ball(eye, size)
        eyes[view], layers[view] = RgbEye(picture, (0, 0), size, size), whole(alpha)
    found = measure(StereoPair.of(eyes, projection), layers["left"], layers["right"])
    assert found is not None
    # the limb of the ball is seen by one eye alone
    inner = cv2.erode(layers["right"].alpha.astype(np.float32), np.ones((7, 7))) > 0.5
    ys, xs = np.nonzero(inner)
    rays = projection.unproject(np.stack([xs + 0.5, ys + 0.5], axis=-1))
    truth = projection.project(rays * depths["right"][ys, xs, None] + np.array([B, 0, 0]))
    error = np.linalg.norm(claimed(found, rays, projection) - truth, axis=-1)
    assert np.median(error) < 0.12 and (error < 0.5).mean() > 0.97, (np.median(error), (error < 0.5).mean())
    assert found.sureness > 0.6
    # metres, in the middle of the ball: from the baseline to its surface
    x, y = (int(v) for v in found.right.points(np.array([0.25 - B / 2, -0.15, 1.1])))
    assert found.range_m(B)[y, x] == pytest.approx(np.hypot(0.15, 1.1) - 0.3, rel=0.05)


def test_who_is_in_one_eye_alone_has_none():
    picture, alpha, _ = ball(1, 256)
    eye = RgbEye(picture, (0, 0), 256, 256)
    empty = whole(np.zeros((256, 256), np.float32))
    pair = StereoPair(eye, eye, Equirectangular(256, 256))
    assert measure(pair, empty, whole(alpha)) is None
    assert measure(pair, whole(alpha), empty) is None


@pytest.mark.parametrize(
    ("lateral", "size", "seen"),
    [(70, 256, True), (82, 256, False), (89, 256, False), (70, 1024, True), (82, 1024, True), (89, 1024, False)],
)
def test_somebody_where_the_baseline_ends(lateral, size, seen):
    """At the side of the field of view eyes see no depth: nothing is measured nearer to the pole than the margin that is matched with, 26
    pixels, which are 18 degrees of an eye of 256 pixels and 5 of one of 1024; elsewhere a picture that both eyes have alike lies where it
    is, without a shift.
    """
    projection, alpha = Equirectangular(size, size), np.zeros((size, size), np.float32)
    x, y = (int(v) for v in projection.project(directions(np.radians(lateral), np.array(0.1))))
    alpha[y - 20 : y + 20, x - 6 : min(x + 6, size)] = 1
    noise = np.random.default_rng(1).integers(0, 255, (size, size, 3), np.uint8)
    eye = RgbEye(cv2.GaussianBlur(noise, (0, 0), 1.5), (0, 0), size, size)
    found = measure(StereoPair(eye, eye, projection), whole(alpha), whole(alpha))
    if not seen:
        assert found is None
        return
    assert found is not None and found.sureness > 0.7
    assert np.abs(found.shift[found.mask > 0.5]).max() < 0.1
    reach = abs(found.right.lateral) + found.right.scale * found.right.width / 2
    assert reach < np.pi / 2 and np.isfinite(found.shift).all()


@pytest.mark.parametrize("from_left", [True, False])
def test_somebody_upright_at_a_distance(from_left):
    """The angles of points on a vertical line, 1.6 m away along the ground, in both eyes."""
    projection = Equirectangular(512, 512)
    blank = RgbEye(np.zeros((512, 512, 3), np.uint8), (0, 0), 512, 512)
    points = np.stack([np.full(9, 0.4), np.linspace(-0.8, 0.6, 9), np.full(9, 1.6)], axis=-1)
    seen = {view: points - np.array([eye * B / 2, 0, 0]) for view, eye in (("left", -1), ("right", 1))}
    alpha = np.zeros((512, 512), np.float32)
    for x, y in projection.project(seen["left" if from_left else "right"]).astype(int):
        alpha[y - 8 : y + 9, x - 8 : x + 9] = 1
    found = at_distance(StereoPair(blank, blank, projection), trimmed(alpha), B / 1.6, from_left=from_left)
    assert found.sureness == 0
    # an upright person's depth is that along the ground: it is exact at the horizon, and a percent off half a metre above and below
    error = np.linalg.norm(claimed(found, seen["right"], projection) - projection.project(seen["left"]), axis=-1)
    assert error.max() < 0.1


def test_disparities_whose_parts_do_not_fit_are_refused():
    window, values = EpipolarWindow(0, 0, 0.01, 20, 10), np.zeros((10, 20), np.float32)
    assert repr(Disparity(window, window, values, values > 0, values)) == "Disparity(20x10, sureness=0.00)"
    with pytest.raises(ValueError, match="must have the right window's"):
        Disparity(window, window, values[:, :5], values > 0, values)
    with pytest.raises(ValueError, match="10 and 12 rows"):
        Disparity(window, EpipolarWindow(0, 0, 0.01, 20, 12), values, values > 0, values)


def own_offset(truth, frames):
    """By how much the truth's depth is off, in columns: where its own outlines, carried by it, meet those of the other eye best."""
    errors: dict[float, list[float]] = {k / 20: [] for k in range(-6, 7)}
    for n, frame in enumerate(truth.frames()):
        if n not in frames:
            continue
        counterpart = truth.counterpart(frame)
        assert counterpart is not None
        places, known = counterpart
        left, right = frame.union("left"), frame.union("right")
        known &= np.abs(np.nan_to_num(metrics.warp(left, places, known)) - right) < 0.5
        for k, found in errors.items():
            found.append(np.abs(metrics.warp(left, places + np.array([k, 0], np.float32), known) - right)[known].mean())
    return min(errors, key=lambda k: float(np.mean(errors[k])))


def share_within(folder, clip_path, frames, pixels=0.5):
    """(share of the persons' pixels within half a pixel of the truth, by frame and person)."""
    truth, out = Truth(folder), []
    projection = truth.projection
    offset = np.array([own_offset(truth, frames), 0], np.float32)
    with open_clip(clip_path) as clip:
        for n, frame in enumerate(truth.frames()):
            if n not in frames:
                continue
            counterpart = truth.counterpart(frame)
            assert counterpart is not None
            places, known = counterpart
            eyes = clip.frame(n).eyes
            for k, alpha in frame.people["right"].items():
                found = measure(StereoPair.of(eyes, projection), whole(frame.people["left"][k]), whole(alpha))
                ys, xs = np.nonzero((alpha > 0.5) & known)
                rays = projection.unproject(np.stack([xs + 0.5, ys + 0.5], axis=-1))
                off = np.linalg.norm(claimed(found, rays, projection) - places[ys, xs] - offset, axis=-1)
                out.append(float((off < pixels * projection.width / 1024).mean()))
    return out


def test_people_of_three_dimensions():
    """The demo clip: rendered people with hair and motion blur, whose depth is known; the picture is compressed video."""
    shares = share_within(DEMO / "truth", DEMO / "walk3d.mp4", (4, 16))
    assert np.mean(shares) > 0.85, shares


@pytest.mark.slow
def test_people_whose_distance_is_known():
    clip = shared_clip("vr180/duo_2k/clip.mp4")
    shares = share_within(clip.parent, clip, range(0, 48, 8))
    assert np.mean(shares) > 0.95, shares
