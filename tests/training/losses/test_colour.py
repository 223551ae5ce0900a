"""Losses of colours, against what is known of them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torchvision", reason="the extra training is not installed")
import torch

from vr180_ofx.training.losses.colour import composition, foreground, foreground_temporal


def random(*shape):
    return torch.from_numpy(np.random.default_rng(sum(shape)).random(shape))


def test_colours_count_where_somebody_is():
    truth, alpha = random(2, 2, 3, 4, 8), torch.zeros(2, 2, 1, 4, 8)
    alpha[..., :2] = 0.1
    wrong_elsewhere = truth.clone()
    wrong_elsewhere[..., 2:] += 5
    assert foreground(wrong_elsewhere, truth, alpha).tolist() == [0, 0]
    # a quarter of the picture is off by 0.3
    assert foreground(truth - 0.3, truth, alpha).tolist() == pytest.approx([0.075, 0.075])


def test_colours_flicker_where_somebody_is():
    truth, alpha = random(1, 3, 3, 4, 8), torch.zeros(1, 3, 1, 4, 8)
    alpha[:, 1:, :, :, :4] = 1
    assert float(foreground_temporal(truth + 0.4, truth, alpha)) == pytest.approx(0, abs=1e-12)
    seen = truth.clone()
    seen[:, 1] += 0.2
    # up by 0.2 and down again, in half of both pictures
    assert float(foreground_temporal(seen, truth, alpha)) == pytest.approx(0.04 / 2)
    assert foreground_temporal(truth[:, :1], truth[:, :1], alpha[:, :1]).tolist() == [0]


def test_the_composition_loss_is_that_of_deep_image_matting():
    colour, alpha, ground = random(2, 2, 3, 5, 6), random(2, 2, 1, 5, 6), random(2, 2, 3, 5, 7)[..., :6]
    source = alpha * colour + (1 - alpha) * ground
    # nothing but its epsilon is left of what is right
    assert composition(colour, alpha, ground, source, linear=False).tolist() == pytest.approx([1e-6, 1e-6])
    # alpha off by d: the composite is off by d times what the colours differ by
    off = composition(colour, alpha + 0.1, ground, source, linear=False)
    expected = np.sqrt((0.1 * (colour - ground).numpy()) ** 2 + 1e-12).reshape(2, -1).mean(1)
    assert off.tolist() == pytest.approx(expected.tolist())
    # where nothing is known, nothing is wrong
    known = torch.zeros(2, 2, 1, 5, 6)
    known[1] = 1
    assert composition(colour, alpha + 0.1, ground, source, known, linear=False).tolist() == pytest.approx([0, expected[1]])


def test_coverage_is_of_light():
    """Half a white person before black is half the light, sRGB 0.735 (IEC 61966-2-1); 0.5 is what it would be as shown."""
    colour, ground, half = torch.ones(1, 1, 3, 2, 2), torch.zeros(1, 1, 3, 2, 2), torch.full((1, 1, 1, 2, 2), 0.5)
    lit = 1.055 * 0.5 ** (1 / 2.4) - 0.055
    assert float(composition(colour, half, ground, torch.full((1, 1, 3, 2, 2), lit))) == pytest.approx(0, abs=2e-6)
    assert float(composition(colour, half, ground, torch.full((1, 1, 3, 2, 2), 0.5), linear=False)) == pytest.approx(1e-6, abs=1e-6)
    half.requires_grad_()
    composition(colour, half * 0, ground, torch.full((1, 1, 3, 2, 2), lit)).sum().backward()
    assert half.grad is not None and bool(half.grad.isfinite().all())
