"""Losses: nothing where nothing is wrong, more where more is."""

import pytest
import torch

from vr180_ofx.matte.student.network import Answer
from vr180_ofx.training.student.losses import WEIGHTS, band_of, gradient, laplacian, losses


def scene():
    alpha = torch.zeros(2, 1, 64, 64)
    alpha[0, :, 16:48, 20:40] = 1
    picture = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    return {"source": picture, "foreground": picture.clone(), "alpha": alpha, "presence": torch.tensor([1.0, 0.0])}


def answer(batch, wrong=0.0):
    alpha = (batch["alpha"] - wrong).abs()
    logits = (alpha - 0.5) * 40
    presence = (batch["presence"] - 0.5) * 40 * (1 - 2 * (wrong > 0.5))
    return Answer(alpha, logits, torch.full_like(batch["source"], wrong), (1 - wrong) * torch.ones_like(alpha), presence)


def test_the_truth_costs_nothing():
    batch = scene()
    assert all(float(v) < 1e-3 for v in losses(answer(batch), batch).values())


@pytest.mark.parametrize("name", WEIGHTS)
def test_each_loss_sees_what_is_wrong(name):
    batch = scene()
    given = answer(batch, 0.9)
    if name == "confidence":
        given = given._replace(confidence=torch.full_like(given.alpha, 0.999))
    assert float(losses(given, batch)[name]) > 0.01 * WEIGHTS[name]
    assert name not in losses(given, batch, WEIGHTS | {name: 0.0})


def test_bands_are_about_edges():
    band = band_of(scene()["alpha"], 3)
    assert band[0, 0, 16, 30] and band[0, 0, 14, 30] and not band[0, 0, 32, 30] and not band[0, 0, 2, 2] and not band[1].any()


def test_a_shift_is_seen_by_slopes_and_a_level_is_not():
    a = scene()["alpha"]
    assert gradient(a, a + 0.1) < 1e-6 < gradient(a, a.roll(1, -1))
    assert laplacian(a, a) == 0 < laplacian(a, a.roll(1, -1)) < laplacian(a, a.roll(6, -1))


def test_where_logits_are_flat_there_is_still_a_slope():
    """Surely wrong: L1 behind a logistic function would teach nothing."""
    batch = scene()
    logits = torch.full((2, 1, 64, 64), 12.0, requires_grad=True)
    alpha = logits.sigmoid()
    parts = losses(Answer(alpha, logits, torch.zeros(2, 3, 64, 64), alpha.detach(), torch.zeros(2)), batch)
    torch.stack(list(parts.values())).sum().backward()
    assert logits.grad is not None and logits.grad[1].min() > 1e-6
