"""What the other eye says of the same people: a second opinion where both see the same, and none where they do not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.matte.shapes import displaced, logits_of, texture
from vr180_ofx.matte.both_eyes import Group, fuse_groups
from vr180_ofx.matte.fusion import InstanceMask
from vr180_ofx.matte.plain import NoRefiner
from vr180_ofx.trackers.contract import Crop, NetworkAlpha
from vr180_ofx.vr180.window import Window

WIDTH, HEIGHT, RADIUS = 352, 416, 110


def eye(x, y, wall, scale=1.0):
    """(guide, alpha): somebody with a pattern of their own before a wall that lies elsewhere in each eye."""
    ys, xs = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    alpha = np.clip((RADIUS * scale - np.hypot(xs - x, ys - y)) / 3 + 0.5, 0, 1)
    skin = cv2.remap(texture(2, 300, 300), 150 + (xs - x) / scale, 150 + (ys - y) / scale, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    back = 0.1 + 0.25 * np.roll(texture(1, HEIGHT, WIDTH), wall, axis=1)
    luma = alpha * (0.55 + 0.4 * skin) + (1 - alpha) * back + np.random.default_rng(wall).normal(0, 0.004, alpha.shape)
    guide = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    guide[..., 0] = np.clip(luma, 0, 1)
    return guide, alpha.astype(np.float32)


def group(view, guide, alpha, mask, people=(1,), scale=1.0):
    window = Window((0, 0, 1), 60, 0, WIDTH)
    network = NetworkAlpha(alpha, guide, window, Crop(people, 0, 0, scale, WIDTH, HEIGHT))
    m = cv2.warpAffine(mask, np.array([[1 / scale, 0, 0], [0, 1 / scale, 0]], np.float32), (WIDTH, WIDTH))
    return Group(view, network, {p: InstanceMask(logits_of(m), window) for p in people})


@pytest.fixture(scope="module")
def pair():
    """Both eyes: guides and truths; the right eye's crop is at another place, and smaller."""
    return eye(170, 200, 5), eye(190, 215, 40, 0.9)


def both(pair, left, right, **more):
    (guide_l, truth_l), (guide_r, truth_r) = pair
    return [group("left", guide_l, left, truth_l), group("right", guide_r, right, truth_r, scale=0.9, **more)]


def made(groups, *, agree=True):
    return [instances[1].alpha for instances in fuse_groups(groups, NoRefiner(), map, agree=agree)]


def test_errors_that_differ_between_the_eyes_are_averaged(pair):
    (_, truth_l), (_, truth_r) = pair
    groups = both(pair, displaced(truth_l, 10), displaced(truth_r, 11))
    alone, together = made(groups, agree=False), made(groups)
    for a, t, truth in zip(alone, together, (truth_l, truth_r), strict=True):
        assert np.abs(t - truth).mean() < 0.9 * np.abs(a - truth).mean()
    # in whatever order
    assert all(np.array_equal(a, b) for a, b in zip(made(groups[::-1])[::-1], together, strict=True))


def test_haze_in_one_eye_is_thinned_by_the_other(pair):
    (_, truth_l), (_, truth_r) = pair
    haze = truth_l.copy()
    haze[60:120, 20:60] = np.maximum(haze[60:120, 20:60], 0.4)
    groups = both(pair, haze, truth_r)
    alone, together = made(groups, agree=False)[0], made(groups)[0]
    spot = (slice(75, 105), slice(30, 50))
    assert alone[spot].mean() > 0.1 and together[spot].mean() < 0.75 * alone[spot].mean()


@pytest.mark.parametrize("broken", ["black", "flash"])
def test_an_eye_that_sees_something_else_has_no_say(pair, broken):
    (guide_l, truth_l), (guide_r, truth_r) = pair
    other = np.zeros_like(guide_r) if broken == "black" else np.ones_like(guide_r)
    groups = both((pair[0], (other, truth_r)), truth_l, np.zeros_like(truth_r))
    assert np.abs(made(groups)[0] - made(groups, agree=False)[0]).max() < 0.05


def test_an_eye_that_misses_somebody_makes_nobody_half_seen(pair):
    """Whom the network sees in one eye alone is whole in that eye, and nobody in the other: that is for those who compare the eyes."""
    (guide_l, truth_l), (guide_r, truth_r) = pair
    nobody = np.zeros_like(truth_r)
    left, right = made([group("left", guide_l, truth_l, truth_l), group("right", guide_r, nobody, 0.3 * truth_r, scale=0.9)])
    inside = cv2.erode(truth_l, np.ones((9, 9))) > 0.99
    assert left[inside].min() > 0.97 and right.max() < 0.03


def test_no_haze_comes_from_the_other_eye(pair):
    (_, truth_l), (_, truth_r) = pair
    haze = np.maximum(truth_l, 0.3 * cv2.dilate(truth_l, np.ones((61, 61))))
    alone = made(both(pair, haze, truth_r), agree=False)[1]
    assert np.abs(made(both(pair, haze, truth_r))[1] - alone)[cv2.dilate(truth_r, np.ones((9, 9))) < 0.01].max() < 0.005


def test_other_people_do_not_count(pair):
    (guide_l, truth_l), (guide_r, truth_r) = pair
    groups = [group("left", guide_l, displaced(truth_l, 1), truth_l), group("right", guide_r, truth_r, truth_r, people=(1, 2), scale=0.9)]
    for a, b in zip(*(fuse_groups(groups, NoRefiner(), map, agree=agree) for agree in (True, False)), strict=True):
        assert all(np.array_equal(a[p].alpha, b[p].alpha) for p in a)
    # nor people in the same eye
    twice = [group("left", guide_l, displaced(truth_l, s), truth_l) for s in (1, 2)]
    assert all(np.array_equal(a, b) for a, b in zip(made(twice), made(twice, agree=False), strict=True))
