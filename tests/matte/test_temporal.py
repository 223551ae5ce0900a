"""Alphas averaged with their neighbours': what is seen again counts, what is not does not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.matte.shapes import SIDE, displaced, texture
from vr180_ofx.imaging.flow import luma_of
from vr180_ofx.matte.temporal import Neighbour, temporal_smooth


def scene(x, y, seed=0):
    """(luma, alpha) of a disc with a texture of its own that stands at (x, y) before a wall."""
    wall, skin = (texture(seed_, SIDE, SIDE, 2.0) for seed_ in (1, 2))
    move = np.array([[1, 0, x - 190], [0, 1, y - 190]], np.float32)
    ys, xs = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    alpha = np.clip(100.5 - np.hypot(xs - x, ys - y), 0, 1)
    stretched = [cv2.normalize(p, None, 0.1, 0.9, cv2.NORM_MINMAX) for p in (wall, cv2.warpAffine(skin, move, (SIDE, SIDE)))]
    luma = stretched[0] * 0.5 * (1 - alpha) + (0.4 + stretched[1] * 0.6) * alpha
    noise = np.random.default_rng(seed).normal(0, 0.004, luma.shape)
    return luma_of((luma + noise)[..., None].astype(np.float32)), alpha


def test_errors_that_differ_from_frame_to_frame_are_averaged_along_the_motion():
    frames = [scene(180 + 4 * k, 190 + 2 * k, seed=k) for k in range(3)]
    (_, luma, _), truth = [f[0] for f in frames], frames[1][1]
    alone, together, unmoved = 0.0, 0.0, 0.0
    for seed in range(0, 18, 3):
        before, now, after = (displaced(alpha, seed + k) for k, (_, alpha) in enumerate(frames))
        alone += np.abs(now - truth).mean()
        neighbours = [Neighbour(before, frames[0][0]), Neighbour(after, frames[2][0])]
        together += np.abs(temporal_smooth(now, luma, neighbours, 1.0) - truth).mean()
        # without the motion they would be worse than nothing
        still = [Neighbour(n.alpha, luma) for n in neighbours]
        unmoved += np.abs(temporal_smooth(now, luma, still, 1.0) - truth).mean()
    assert together < 0.9 * alone < 0.9 * unmoved


def test_what_looks_otherwise_has_no_say():
    """Somebody who is gone in a frame, a flash, a cut."""
    luma, alpha = scene(190, 190)
    gone = Neighbour(np.zeros_like(alpha), scene(-400, -400)[0])
    flash = Neighbour(np.zeros_like(alpha), np.clip(luma.astype(int) + 90, 0, 255).astype(np.uint8))
    inside = np.hypot(*(np.mgrid[:SIDE, :SIDE] - 190)) < 90
    for other in (gone, flash):
        kept = temporal_smooth(alpha, luma, [other], 1.0)
        assert kept[inside].mean() > 0.9
    assert np.array_equal(temporal_smooth(alpha, luma, [], 1.0), alpha)


def test_a_frame_that_is_sure_is_not_fogged_by_its_neighbours():
    luma, alpha = scene(190, 190)
    fog = np.maximum(alpha, 0.4 * cv2.dilate(alpha, np.ones((81, 81))))
    kept = temporal_smooth(alpha, luma, [Neighbour(fog, luma), Neighbour(alpha, luma)], 1.0)
    beyond = cv2.dilate(alpha, np.ones((11, 11))) < 0.01
    assert kept[beyond].max() < 0.01
    # and what it is not sure of is settled
    foggy = temporal_smooth(fog, luma, [Neighbour(alpha, luma)], 1.0)
    assert foggy[beyond].max() < 0.6 * fog[beyond].max()


def test_a_frame_that_loses_an_arm_is_outvoted_by_both_neighbours_and_not_by_one():
    luma, alpha = scene(190, 190)
    lost = alpha.copy()
    lost[170:210, 200:240] = 0
    hole = (slice(180, 200), slice(210, 230))
    whole = Neighbour(alpha, luma, 1.5)
    assert temporal_smooth(lost, luma, [whole, whole], 1.0)[hole].min() > 0.7
    assert temporal_smooth(lost, luma, [whole, Neighbour(lost, luma, 1.5)], 1.0)[hole].max() < 0.05
    assert temporal_smooth(lost, luma, [whole], 1.0)[hole].max() < 0.05


def test_what_is_the_same_stays_the_same():
    luma, alpha = scene(190, 190)
    for _ in range(2):
        kept = temporal_smooth(alpha, luma, [Neighbour(alpha, luma)] * 2, 1.0)
        assert np.abs(kept - alpha).max() < 0.02
        assert kept.dtype == np.float32 and kept.min() >= 0 and kept.max() <= 1


def test_alpha_and_luma_are_of_one_picture():
    with pytest.raises(ValueError, match=r"alpha has the shape \(3, 4\) and luma \(3, 5\)"):
        Neighbour(np.zeros((3, 4), np.float32), np.zeros((3, 5), np.uint8))
    assert "float32 (3, 4)" in repr(Neighbour(np.zeros((3, 4), np.float32), np.zeros((3, 4), np.uint8)))
