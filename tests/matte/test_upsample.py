"""Mattes made at less than full resolution."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vr180_ofx.engine.enlarge import enlarged
from vr180_ofx.engine.frame import Layer, ViewMatte
from vr180_ofx.imaging.half import half
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.upsample import upsampled, upsampled_part
from vr180_ofx.media.picture import RgbEye


def _hair(size: int) -> np.ndarray:
    """Strands two pixels wide in front of a disc: finer than half the resolution holds."""
    alpha = np.zeros((size, size), np.float32)
    cv2.circle(alpha, (size // 2, size // 2), size // 4, 1, -1, cv2.LINE_AA)
    for angle in np.arange(0, 6.28, 0.15):
        end = (int(size / 2 + 0.42 * size * np.cos(angle)), int(size / 2 + 0.42 * size * np.sin(angle)))
        cv2.line(alpha, (size // 2, size // 2), end, 1, 2, cv2.LINE_AA)
    return np.clip(alpha, 0, 1)


@pytest.mark.parametrize("factor", [2, 4])
def test_strands_thinner_than_the_small_picture_come_back_from_the_large_one(factor):
    truth = _hair(256)
    luma = 0.2 + 0.5 * truth
    small = (256 // factor, 256 // factor)
    alpha = cv2.resize(truth, small, interpolation=cv2.INTER_AREA)
    made = upsampled(alpha, cv2.resize(luma, small, interpolation=cv2.INTER_AREA), luma, factor)
    cubic = np.clip(cv2.resize(alpha, (256, 256), interpolation=cv2.INTER_CUBIC), 0, 1)
    assert np.abs(made - truth).mean() < 0.25 * np.abs(cubic - truth).mean()
    assert made.min() >= 0 and made.max() <= 1


def test_a_flat_picture_adds_nothing_to_the_interpolation():
    alpha = cv2.resize(_hair(256), (64, 64), interpolation=cv2.INTER_AREA)
    grey = np.full((256, 256), 0.5, np.float32)
    made = upsampled(alpha, grey[:64, :64], grey, 4)
    assert np.array_equal(made, np.clip(cv2.resize(alpha, (256, 256), interpolation=cv2.INTER_CUBIC), 0, 1))


@pytest.mark.parametrize("factor", [2, 3])
def test_part_of_a_picture_by_any_factor_is_the_same_as_all_of_it(factor):
    rng = np.random.default_rng(2)
    large = cv2.GaussianBlur(rng.random((60 * factor, 60 * factor)).astype(np.float32), (0, 0), 2)
    small = cv2.resize(large, (60, 60), interpolation=cv2.INTER_AREA)
    alpha = cv2.GaussianBlur((rng.random((60, 60)) > 0.5).astype(np.float32), (0, 0), 1.5)
    whole = upsampled(alpha, small, large, factor)
    rect, scale = Rect(31, 22, 77, 85), (factor, factor)
    part = upsampled_part(alpha, small, np.ascontiguousarray(large[rect.slices]), rect=rect, scale=scale)
    assert np.abs(part - whole[rect.slices]).max() < 0.02
    plain = upsampled_part(alpha, small, None, rect=rect, scale=scale)
    cubic = cv2.resize(alpha, (60 * factor, 60 * factor), interpolation=cv2.INTER_CUBIC)
    assert np.abs(plain - np.clip(cubic, 0, 1)[rect.slices]).max() < 0.02


@pytest.mark.parametrize("edge_aware", [True, False])
def test_layers_that_touch_the_border_and_each_other_fit_and_add_up_to_one(edge_aware):
    # 203 is no multiple of 4: the last block is incomplete
    pixels = np.random.default_rng(0).random((203, 203, 3)).astype(np.float32)
    eye = RgbEye(pixels, (0, 0), 203, 203)
    small = eye.reduced(4)
    assert (small.width, small.height) == (51, 51)
    rects = [Rect(0, 0, 30, 51), Rect(25, 10, 51, 51), Rect(20, 40, 40, 51)]
    layers = tuple(
        Layer(k, f"p{k}", r, half(np.full((r.height, r.width), 0.5, np.float32)), half(np.ones((r.height, r.width), np.float32)))
        for k, r in enumerate(rects)
    )
    view = enlarged(ViewMatte(51, 51, layers), small, eye, 4, edge_aware)
    assert (view.width, view.height) == (203, 203)
    assert view.alpha.shape == (203, 203) and all(x.alpha.shape == (x.rect.height, x.rect.width) for x in view.layers)
    total = sum(view.person(k) for k in range(3))
    assert total.max() <= 1.001 and total[170:200, 120:150].min() > 0.99
    assert view.person(0)[:, :100].min() > 0.3 and view.person(0)[:, 140:].max() == 0
