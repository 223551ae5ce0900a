"""VMamba's blocks: what they scan, and in which order."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torchvision", reason="the extra rvm is not installed")
import torch

from vr180_ofx.matte.rvm.vssm import Ss2d, VssBlock, Vssm, cross_merge, cross_scan


def test_the_four_ways_through_a_picture():
    numbers = np.arange(2 * 3 * 4).reshape(2, 3, 4)
    along = cross_scan(torch.from_numpy(numbers[..., None])).squeeze(-1).numpy()
    for k, picture in enumerate(numbers):
        rows = picture.ravel().tolist()
        columns = picture.T.ravel().tolist()
        assert [way.tolist() for way in along[:, k]] == [rows, columns, rows[::-1], columns[::-1]]


def test_merging_brings_each_place_back():
    picture = torch.randn(2, 5, 7, 3)
    assert torch.allclose(cross_merge(cross_scan(picture), 5, 7), 4 * picture)


def test_every_place_sees_every_other_one_and_batches_are_apart():
    torch.manual_seed(0)
    layer = Ss2d(6, states=2).double()
    picture = torch.randn(2, 5, 6, 6, dtype=torch.float64, requires_grad=True)
    made = layer(picture)
    for y, x in ((0, 0), (4, 5), (2, 3)):
        (seen,) = torch.autograd.grad(made[0, y, x].sum(), picture, retain_graph=True)
        assert bool((seen[0].abs().sum(-1) > 0).all()) and not seen[1].any()


def test_turned_around_it_is_the_same_with_its_directions_exchanged():
    """A picture upside down, and left to right: what went forwards goes backwards."""
    torch.manual_seed(1)
    layer = Ss2d(4).double()
    # a convolution that is the same from both sides
    layer.near.weight.data = (layer.near.weight.data + layer.near.weight.data.flip(-1, -2)) / 2
    other = Ss2d(4).double()
    other.load_state_dict(layer.state_dict())
    for name in ("select", "widen", "step_bias", "log_a", "through"):
        values = getattr(other, name)
        values.data = values.data[[2, 3, 0, 1]]
    picture = torch.randn(1, 5, 6, 4, dtype=torch.float64)
    with torch.no_grad():
        assert float((layer(picture).flip(1, 2) - other(picture.flip(1, 2))).abs().max()) < 1e-12


def test_before_training_states_forget_in_a_thousandth_to_a_tenth():
    """Mamba, section 3.6."""
    layer = Ss2d(64, states=3)
    steps = torch.nn.functional.softplus(layer.step_bias.detach())
    assert 0.000999 < float(steps.min()) < 0.01 < float(steps.max()) < 0.1001
    assert torch.allclose(layer.log_a.exp()[0, 0], torch.tensor([1.0, 2.0, 3.0]))


@pytest.mark.parametrize("states", [1, 2])
def test_a_block_learns_what_lies_far_away(states):
    """Whether the corner opposite is bright: no convolution of 3x3 sees that."""
    torch.manual_seed(2)
    block = VssBlock(8, states)
    pictures = torch.randn(32, 6, 7, 8)
    wanted = (pictures[:, 5, 6, 0] > 0).float()
    optimiser = torch.optim.Adam(block.parameters(), 2e-2)
    for step in range(40):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(block(pictures)[:, 0, 0, 0] * 4, wanted)
        if step == 0:
            first = float(loss.detach())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 0.3 * first


def test_half_precision_around_it_changes_little_and_its_gradients_are_finite():
    torch.manual_seed(4)
    block, picture = VssBlock(8, states=2), torch.randn(2, 9, 11, 8)
    with torch.no_grad():
        exact = block(picture)
    with torch.autocast("cpu", torch.bfloat16):
        half = block(picture)
    half.float().square().sum().backward()
    assert float((half.detach().float() - exact).abs().max()) < 0.05 * float(exact.abs().max())
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in block.parameters())


@pytest.mark.slow
def test_it_compiles_as_a_whole():
    """One graph, forwards and backwards, as recipes with ``compile`` have it."""
    torch.manual_seed(5)
    block, picture = VssBlock(8), torch.randn(2, 9, 11, 8, requires_grad=True)
    gradients, made = [], []
    for run in (block, torch.compile(block, backend="aot_eager", fullgraph=True)):
        made.append(run(picture))
        gradients.append(torch.autograd.grad(made[-1].square().sum(), picture)[0])
    assert torch.allclose(made[0], made[1], atol=1e-6) and torch.allclose(gradients[0], gradients[1], atol=1e-5)


def test_features_have_rvms_sizes():
    encoder = Vssm(width=16, depths=(1, 1, 1))
    found = encoder(torch.rand(2, 3, 65, 83))
    assert [tuple(f.shape) for f in found] == [(2, 8, 33, 42), (2, 16, 17, 21), (2, 32, 9, 11), (2, 64, 5, 6)]
