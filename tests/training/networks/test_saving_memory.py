"""Computing again what was not kept: the same gradients and the same statistics."""

from __future__ import annotations

import copy

import pytest

pytest.importorskip("torchvision", reason="the extra training is not installed")
import torch

from vr180_ofx.matte.rvm.network import RvmNetwork
from vr180_ofx.training.networks.saving_memory import recomputed


@pytest.mark.parametrize("variant", ["mobileone_rvm", "mamba_rvm"])
def test_gradients_and_statistics_are_what_they_would_be(variant):
    torch.manual_seed(1)
    plain = RvmNetwork(variant).double().train()
    saving = recomputed(copy.deepcopy(plain))
    assert list(saving.state_dict()) == list(plain.state_dict())
    clip = torch.rand(1, 1, 3, 32, 48, dtype=torch.float64)
    for network in (plain, saving):
        network(clip)[1].sum().backward()
    theirs = dict(saving.named_parameters())
    for name, parameter in plain.named_parameters():
        if parameter.grad is not None:
            other = theirs[name].grad
            assert other is not None and torch.allclose(parameter.grad, other, rtol=1e-9, atol=1e-12), name
    there = saving.state_dict()
    for name, values in plain.state_dict().items():
        if name.endswith(("running_mean", "running_var")):
            assert torch.allclose(values, there[name], rtol=1e-9, atol=1e-12), name
    # a copy, as for moving averages of weights, is a network of its own
    again = copy.deepcopy(saving)
    with torch.no_grad():
        for p in again.backbone.parameters():
            p.zero_()
        assert float((again(clip)[1] - saving(clip)[1]).abs().max()) > 1e-6
