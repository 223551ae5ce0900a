"""Losses of alpha, against closed forms, NumPy and OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

pytest.importorskip("torchvision", reason="the extra training is not installed")
import torch

from vr180_ofx.training.losses.alpha import LEVELS, alpha_l1, alpha_l2, gradient, laplacian, laplacian_pyramid, temporal

RANDOM = np.random.default_rng(4)


def pair(*shape):
    return tuple(torch.from_numpy(RANDOM.random(shape)) for _ in range(2))


def test_l1_and_l2_are_numpys_means_of_each_sample():
    a, b = pair(3, 2, 1, 5, 7)
    known = torch.from_numpy(RANDOM.random((3, 2, 1, 5, 7)))
    known[1] = 0
    off, w = (a - b).numpy(), known.numpy()
    for k in range(3):
        assert float(alpha_l1(a, b)[k]) == pytest.approx(np.abs(off[k]).mean())
        assert float(alpha_l2(a, b)[k]) == pytest.approx((off[k] ** 2).mean())
        if k != 1:
            assert float(alpha_l1(a, b, known)[k]) == pytest.approx(np.average(np.abs(off[k]), weights=w[k]))
            assert float(alpha_l2(a, b, known)[k]) == pytest.approx(np.average(off[k] ** 2, weights=w[k]))
    # of nothing that is known nothing is wrong
    assert float(alpha_l1(a, b, known)[1]) == 0


def levels_of(picture):
    """Burt and Adelson's pyramid by OpenCV's filters, borders mirrored."""
    row, found = np.array([1, 4, 6, 4, 1]) / 16, []
    for _ in range(LEVELS):
        small = cv2.sepFilter2D(picture, -1, row, row, borderType=cv2.BORDER_REFLECT_101)[::2, ::2]
        spread = np.zeros_like(picture)
        spread[::2, ::2] = small
        found.append(picture - cv2.sepFilter2D(spread, -1, 2 * row, 2 * row, borderType=cv2.BORDER_REFLECT_101))
        if not (picture.shape[0] % 2 or picture.shape[1] % 2):
            # it has functions for that, too, which do something of their own at the last row of odd sizes
            size = (picture.shape[1], picture.shape[0])
            assert np.abs(found[-1] - (picture - cv2.pyrUp(cv2.pyrDown(picture), dstsize=size))).max() < 1e-12
        picture = small
    return found


@pytest.mark.parametrize(("height", "width"), [(64, 96), (65, 83), (48, 40)])
def test_the_pyramid_is_opencvs(height, width):
    picture = RANDOM.random((height, width))
    found = laplacian_pyramid(torch.from_numpy(picture)[None, None])
    for level, theirs in zip(found, levels_of(picture), strict=True):
        assert np.abs(level[0, 0].numpy() - theirs).max() < 1e-12


def test_the_laplacian_loss_is_the_weighted_sum_of_its_levels():
    a, b = pair(2, 3, 1, 48, 64)
    for k in range(2):
        expected = 0.0
        for frame in range(3):
            pairs = zip(levels_of(a[k, frame, 0].numpy()), levels_of(b[k, frame, 0].numpy()), strict=True)
            expected += sum(2**s / 5 * np.abs(one - two).mean() / 3 for s, (one, two) in enumerate(pairs))
        assert float(laplacian(a, b)[k]) == pytest.approx(expected, rel=1e-9)


def test_what_differs_by_a_constant_has_the_same_edges():
    a, _ = pair(1, 2, 1, 40, 40)
    assert float(laplacian(a, a - 0.3)[0]) == pytest.approx(0, abs=1e-12)
    assert float(gradient(a, a - 0.3)[0]) == pytest.approx(0, abs=1e-12)
    assert float(alpha_l1(a, a - 0.3)[0]) == pytest.approx(0.3)
    # too small for any level
    assert float(laplacian(torch.ones(1, 1, 1, 2, 2), torch.zeros(1, 1, 1, 2, 2))[0]) == 0


def test_ramps_have_the_gradient_they_have():
    """Against nothing: a ramp of 0.02 a pixel across and 0.05 down."""
    y, x = torch.meshgrid(torch.arange(8.0), torch.arange(12.0), indexing="ij")
    ramp = (0.02 * x + 0.05 * y)[None, None, None]
    assert float(gradient(ramp, torch.zeros_like(ramp))[0]) == pytest.approx(0.07, rel=1e-5)
    # known only in the left half, where there is an edge of 1 between columns 3 and 4, and a wrong one beyond
    seen, truth = torch.zeros(1, 1, 1, 8, 12), torch.zeros(1, 1, 1, 8, 12)
    truth[..., 4:], known = 1, torch.zeros(1, 1, 1, 8, 12)
    known[..., :6] = 1
    seen[..., 9:] = 1
    assert float(gradient(seen, truth, known)[0]) == pytest.approx(1 / 5)


def test_flicker_is_what_changes_otherwise_than_the_truth():
    truth, _ = pair(2, 4, 1, 6, 6)
    # off by the same everywhere and always: wrong, but still
    assert float(temporal(truth + 0.2, truth).max()) == pytest.approx(0, abs=1e-12)
    flicker = torch.tensor([0.0, 0.1, 0.0, 0.1]).view(1, 4, 1, 1, 1)
    assert temporal(truth + flicker, truth).tolist() == pytest.approx([0.01, 0.01])
    # two frames of which one is not known say nothing of what changed
    known = torch.ones(2, 4, 1, 6, 6)
    known[:, 1] = 0
    assert temporal(truth + torch.tensor([0, 0.9, 0, 0.1]).view(1, 4, 1, 1, 1), truth, known).tolist() == pytest.approx([0.01, 0.01])


def test_of_a_single_frame_there_is_no_flicker_and_its_gradient_is_nothing():
    alpha = torch.rand(2, 1, 1, 4, 4, requires_grad=True)
    loss = temporal(alpha, torch.zeros(2, 1, 1, 4, 4))
    assert loss.tolist() == [0, 0]
    loss.sum().backward()
    assert alpha.grad is not None and not alpha.grad.any()
