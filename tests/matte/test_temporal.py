"""Alphas steadied by their neighbours: what is seen again counts, what is not does not."""

from __future__ import annotations

import cv2
import numpy as np

from vr180_ofx.imaging.flow import luma_of
from vr180_ofx.matte.temporal import Neighbour, steadied

SIZE = 384


def scene(x, y, seed=0):
    """(luma, alpha) of a disc with a texture of its own that stands at (x, y) before a wall."""
    wall = cv2.GaussianBlur(np.random.default_rng(1).random((SIZE, SIZE)).astype(np.float32), (0, 0), 2)
    skin = cv2.GaussianBlur(np.random.default_rng(2).random((SIZE, SIZE)).astype(np.float32), (0, 0), 2)
    move = np.float32([[1, 0, x - 190], [0, 1, y - 190]])
    ys, xs = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    alpha = np.clip(100.5 - np.hypot(xs - x, ys - y), 0, 1)
    stretched = [cv2.normalize(p, None, 0.1, 0.9, cv2.NORM_MINMAX) for p in (wall, cv2.warpAffine(skin, move, (SIZE, SIZE)))]
    luma = stretched[0] * 0.5 * (1 - alpha) + (0.4 + stretched[1] * 0.6) * alpha
    noise = np.random.default_rng(seed).normal(0, 0.004, luma.shape)
    return luma_of((luma + noise)[..., None].astype(np.float32)), alpha


def wrong(alpha, seed):
    """An outline that is off by about a pixel, differently at each place."""
    shift = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 1, (2, SIZE, SIZE)).transpose(1, 2, 0).astype(np.float32), (0, 0), 4)
    ys, xs = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    shift *= 1.5 / shift.std()
    return cv2.remap(alpha, xs + shift[..., 0], ys + shift[..., 1], cv2.INTER_LINEAR)


def test_errors_that_differ_from_frame_to_frame_are_averaged_along_the_motion():
    frames = [scene(180 + 4 * k, 190 + 2 * k, seed=k) for k in range(3)]
    said = [wrong(alpha, 10 + k) for k, (_, alpha) in enumerate(frames)]
    (before, now, after), (_, truth), unit = said, frames[1], 1.0
    neighbours = [Neighbour(before, frames[0][0]), Neighbour(after, frames[2][0])]
    error = np.abs(now - truth).mean()
    assert np.abs(steadied(now, frames[1][0], neighbours, unit) - truth).mean() < 0.9 * error
    # without the motion they would be worse than nothing
    still = [Neighbour(n.alpha, frames[1][0]) for n in neighbours]
    assert np.abs(steadied(now, frames[1][0], still, unit) - truth).mean() > error


def test_what_looks_otherwise_has_no_say():
    """Somebody who is gone in a frame, a flash, a cut."""
    luma, alpha = scene(190, 190)
    gone = Neighbour(np.zeros_like(alpha), scene(-400, -400)[0])
    flash = Neighbour(np.zeros_like(alpha), np.clip(luma.astype(int) + 90, 0, 255).astype(np.uint8))
    inside = np.hypot(*(np.mgrid[:SIZE, :SIZE] - 190)) < 90
    for other in (gone, flash):
        kept = steadied(alpha, luma, [other], 1.0)
        assert kept[inside].mean() > 0.9
    assert np.array_equal(steadied(alpha, luma, [], 1.0), alpha)


def test_a_frame_that_is_sure_is_not_fogged_by_its_neighbours():
    luma, alpha = scene(190, 190)
    fog = np.maximum(alpha, 0.4 * cv2.dilate(alpha, np.ones((81, 81))))
    kept = steadied(alpha, luma, [Neighbour(fog, luma), Neighbour(alpha, luma)], 1.0)
    beyond = cv2.dilate(alpha, np.ones((11, 11))) < 0.01
    assert kept[beyond].max() < 0.01
    # and what it is not sure of is settled
    foggy = steadied(fog, luma, [Neighbour(alpha, luma)], 1.0)
    assert foggy[beyond].max() < 0.6 * fog[beyond].max()


def test_a_frame_that_loses_an_arm_is_outvoted_by_both_neighbours_and_not_by_one():
    luma, alpha = scene(190, 190)
    lost = alpha.copy()
    lost[170:210, 200:240] = 0
    hole = (slice(180, 200), slice(210, 230))
    whole = Neighbour(alpha, luma, 1.5)
    assert steadied(lost, luma, [whole, whole], 1.0)[hole].min() > 0.7
    assert steadied(lost, luma, [whole, Neighbour(lost, luma, 1.5)], 1.0)[hole].max() < 0.05
    assert steadied(lost, luma, [whole], 1.0)[hole].max() < 0.05


def test_what_is_the_same_stays_the_same():
    luma, alpha = scene(190, 190)
    for _ in range(2):
        kept = steadied(alpha, luma, [Neighbour(alpha, luma)] * 2, 1.0)
        assert np.abs(kept - alpha).max() < 0.02
        assert kept.dtype == np.float32 and kept.min() >= 0 and kept.max() <= 1
