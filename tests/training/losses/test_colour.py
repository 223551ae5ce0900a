"""Losses of colours, against what is known of them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torchvision", reason="the extra training is not installed")
import torch

from vr180_ofx.training.losses.colour import composite, composition, foreground, foreground_temporal


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


def test_a_composite_is_over():
    colour, ground = random(1, 1, 3, 2, 2), random(1, 1, 3, 2, 3)[..., :2]
    for a, expected in ((0.0, ground), (1.0, colour), (0.25, 0.25 * colour + 0.75 * ground)):
        assert torch.allclose(composite(colour, torch.full((1, 1, 1, 2, 2), a, dtype=torch.float64), ground), expected)


def test_the_composition_loss_is_that_of_deep_image_matting():
    colour, alpha, ground = random(2, 2, 3, 5, 6), random(2, 2, 1, 5, 6), random(2, 2, 3, 5, 7)[..., :6]
    source = composite(colour, alpha, ground)
    # nothing but its epsilon is left of what is right
    assert composition(colour, alpha, ground, source).tolist() == pytest.approx([1e-6, 1e-6])
    # alpha off by d: the composite is off by d times what the colours differ by
    off = composition(colour, alpha + 0.1, ground, source)
    expected = np.sqrt((0.1 * (colour - ground).numpy()) ** 2 + 1e-12).reshape(2, -1).mean(1)
    assert off.tolist() == pytest.approx(expected.tolist())
