"""Disparity against geometry that is known exactly: a made-up scene, and the rendered demo clip with its depth."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.conftest import shared_clip
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.patch import Patch
from vr180_ofx.media.open import open_clip
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.quality import metrics
from vr180_ofx.quality.truth import Truth
from vr180_ofx.stereo.disparity import match, measure, surface
from vr180_ofx.vr180.epipolar import angles, directions
from vr180_ofx.vr180.projection import Equirectangular

DEMO = Path(__file__).resolve().parents[2] / "vr180_ofx" / "demo"
B = 0.064


def whole(alpha):
    return Patch(Rect(0, 0, alpha.shape[1], alpha.shape[0]), alpha.astype(np.float32), np.ones_like(alpha, np.float32))


def ball(eye, size=512, centre=(0.25, -0.15, 1.1), radius=0.3):
    """A ball with a pattern on it, as an eye sees it: (picture, alpha, distance along the ray)."""
    projection = Equirectangular(size, size)
    rows, columns = np.mgrid[:size, :size] + 0.5
    rays = projection.unproject(np.stack([columns, rows], axis=-1))
    origin = np.array([eye * B / 2, 0, 0]) - np.array(centre)
    along = rays @ origin
    inside = along**2 - (origin @ origin - radius**2)
    t = -along - np.sqrt(np.maximum(inside, 0))
    hit = origin + rays * t[..., None]
    pattern = 0.5 + 0.2 * sum(np.sin(f * hit[..., k] + k) for k, f in ((0, 70), (1, 90), (2, 60), (0, 31), (1, 23)))
    picture = np.where((inside > 0)[..., None], pattern[..., None], 0.2).repeat(3, axis=-1)
    return (np.clip(picture, 0, 1) * 255).astype(np.uint8), (inside > 0).astype(np.float32), np.where(inside > 0, t, 0)


def claimed(found, rays, projection):
    """Where the left eye sees what the right eye sees along the rays, (n, 3): (n, 2) pixels."""
    p = found.right.points(rays).astype(np.float32) - 0.5
    laterals = cv2.remap(found.laterals_left().astype(np.float32), p[None, :, 0], p[None, :, 1], cv2.INTER_LINEAR)[0]
    return projection.project(directions(laterals, angles(rays)[:, 1]))


def test_a_ball_in_front_of_two_eyes():
    size = 512
    projection = Equirectangular(size, size)
    eyes, layers, depths = {}, {}, {}
    for view, eye in (("left", -1), ("right", 1)):
        picture, alpha, depths[view] = ball(eye, size)
        eyes[view], layers[view] = RgbEye(picture, (0, 0), size, size), whole(alpha)
    found = measure(eyes["left"], eyes["right"], layers["left"], layers["right"], projection)
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
    assert measure(eye, eye, empty, whole(alpha), Equirectangular(256, 256)) is None
    assert measure(eye, eye, whole(alpha), empty, Equirectangular(256, 256)) is None


@pytest.mark.parametrize("lateral", [70, 82, 89])
def test_somebody_where_the_baseline_ends(lateral):
    """At the side of the field of view eyes see no depth; that is no error."""
    size = 256
    projection, alpha = Equirectangular(size, size), np.zeros((size, size), np.float32)
    x, y = (int(v) for v in projection.project(directions(np.radians(lateral), np.array(0.1))))
    alpha[y - 20 : y + 20, x - 6 : min(x + 6, size)] = 1
    eye = RgbEye(np.random.default_rng(1).integers(0, 255, (size, size, 3), np.uint8), (0, 0), size, size)
    found = measure(eye, eye, whole(alpha), whole(alpha), projection)
    assert found is None or np.isfinite(found.shift).all()
    assert lateral > 80 or found is not None


def test_without_texture_the_plane_is_all_there_is():
    """Nothing to match, and still a surface without holes."""
    flat, mask = np.full((80, 60), 0.5, np.float32), np.zeros((80, 60), np.float32)
    mask[20:60, 15:45] = 1
    shift, sure = match(flat, flat, mask, np.roll(mask, 3, axis=1))
    smooth = surface(shift, sure, np.roll(mask, 3, axis=1))
    assert np.isfinite(smooth).all() and np.isfinite(surface(shift, np.zeros_like(sure), np.zeros_like(mask))).all()


def own_offset(truth, frames):
    """By how much the truth's depth is off, in columns: where its own outlines, carried by it, meet those of the other eye best."""
    errors = {k / 20: [] for k in range(-6, 7)}
    for n, frame in enumerate(truth.frames()):
        if n not in frames:
            continue
        places, known = truth.counterpart(frame)
        left, right = frame.union("left"), frame.union("right")
        known &= np.abs(np.nan_to_num(metrics.warp(left, places, known)) - right) < 0.5
        for k, found in errors.items():
            found.append(np.abs(metrics.warp(left, places + np.float32([k, 0]), known) - right)[known].mean())
    return min(errors, key=lambda k: np.mean(errors[k]))


def share_within(folder, clip_path, frames, pixels=0.5):
    """(share of the persons' pixels within half a pixel of the truth, by frame and person)."""
    truth, out = Truth(folder), []
    projection = truth.projection
    offset = np.float32([own_offset(truth, frames), 0])
    with open_clip(clip_path) as clip:
        for n, frame in enumerate(truth.frames()):
            if n not in frames:
                continue
            places, known = truth.counterpart(frame)
            eyes = clip.frame(n).eyes
            for k, alpha in frame.people["right"].items():
                found = measure(eyes["left"], eyes["right"], whole(frame.people["left"][k]), whole(alpha), projection)
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
