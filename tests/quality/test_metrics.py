"""Against closed forms and loops."""

import numpy as np
import pytest

from vr180_ofx.quality import metrics as m


def disc(radius, size=64, shift=0):
    y, x = np.mgrid[:size, :size]
    return (np.hypot(x - size / 2 - shift, y - size / 2) < radius).astype(np.float32)


def test_simple_sums():
    a, b = np.zeros((10, 20), np.float32), np.full((10, 20), 0.25, np.float32)
    assert (m.mad(a, b), m.mse(a, b), m.sad(a, b)) == pytest.approx((0.25, 0.0625, 0.05))


def test_iou_by_counting():
    a, b = disc(12), disc(12, shift=6)
    assert m.iou(a, b) == pytest.approx((a * b).sum() / np.maximum(a, b).sum())
    assert m.iou(a * 0, a * 0) == 1 and m.iou(a, a * 0) == 0


def test_iou_does_not_see_half_floats():
    """All 65,536 alphas of 16 bits, each as often as any."""
    truth = (np.arange(65536, dtype=np.float32) / np.float32(65535)).reshape(256, 256)
    assert m.iou(truth.astype(np.float16).astype(np.float32), truth) == 1 and np.count_nonzero(truth > m.COVERED) > 32700


def test_the_band_is_a_square_neighbourhood_of_the_outline():
    truth = np.zeros((40, 40), np.float32)
    truth[10:30, 10:30] = 1
    band = m.boundary_band(truth, 3)
    assert band.sum() == 26 * 26 - 14 * 14
    assert m.band_mad(truth, truth, 3) == 0 and m.band_mad(truth * 0, truth, 3) == pytest.approx((400 - 196) / band.sum())
    assert m.band_mad(truth, truth * 0, 3) is None and m.band_radius(3072) == 15


def test_gradient_of_a_ramp_is_its_slope():
    x = np.tile(np.arange(64, dtype=np.float32) / 64, (64, 1))
    g = m._gradient(x, 1.4)[20:44, 20:44]
    assert g.std() < 1e-5
    assert m._gradient(2 * x, 1.4)[30, 30] == pytest.approx(2 * g[10, 10], rel=1e-5)
    assert m.gradient_error(x, x) == 0 and m.gradient_error(disc(10), disc(14)) > 0


def test_connectivity_counts_what_is_cut_off():
    truth = disc(12)
    island = truth.copy()
    island[2:6, 2:6] = 1
    assert m.connectivity_error(truth, truth) == 0
    assert m.connectivity_error(island, truth) == pytest.approx(16 / 1000)
    # however much emptiness lies around, and where nothing else is
    assert m.connectivity_error(np.pad(island, 50), np.pad(truth, 50)) == pytest.approx(16 / 1000)
    assert m.connectivity_error(truth * 0, truth * 0) == 0 and m.connectivity_error(truth * 0, truth) == pytest.approx(truth.sum() / 1000)


def test_dtssd_sees_only_change():
    a, b = disc(10), disc(12)
    assert m.dtssd(a, a, b, b) == 0
    assert m.dtssd(a + 0.1, a, b, b) == pytest.approx(10, rel=1e-4)


def test_carrying_shifts_by_the_disparity():
    left = disc(8, shift=5)
    ys, xs = np.mgrid[:64, :64] + 0.5
    right = m.warp(left, np.stack([xs + 5, ys], axis=-1), np.ones((64, 64), bool))
    assert np.abs(right - disc(8)).max() == 0
