"""MobileOne's layers as they are trained, and as they are used."""

from __future__ import annotations

import pytest

pytest.importorskip("torchvision", reason="the extra rvm is not installed")
import torch
from torch import nn

from tests.matte.rvm.networks import random_network, trained_statistics, worst
from vr180_ofx.matte.rvm.mobileone import SIZES, MobileOne, MobileOneBlock, MobileOneLayer, reparameterize_block, reparameterize_model
from vr180_ofx.matte.rvm.network import folded


def with_random_norms(module: nn.Module) -> nn.Module:
    for m in module.modules():
        if isinstance(m, nn.BatchNorm2d):
            assert m.running_mean is not None and m.running_var is not None
            m.running_mean.normal_(0, 1)
            m.running_var.uniform_(0.3, 3)
            m.weight.data.normal_(0, 1)
            m.bias.data.normal_(0, 1)
    return module.eval()


#: Each kind: full and depthwise of 3x3 and 5x5, of one pixel; with and without what only exists when shapes stay; dilated; in groups.
KINDS = {
    "stem": dict(channels=3, out=8, kernel=3, stride=2),
    "full, with itself": dict(channels=6, out=6, kernel=3, branches=2),
    "depthwise": dict(channels=8, out=8, kernel=3, groups=8, branches=4),
    "depthwise, strided": dict(channels=8, out=8, kernel=3, groups=8, stride=2, branches=4),
    "depthwise, dilated": dict(channels=8, out=8, kernel=3, groups=8, dilation=2, branches=2),
    "depthwise of 5": dict(channels=4, out=4, kernel=5, groups=4, branches=3),
    "grouped": dict(channels=8, out=8, kernel=3, groups=2),
    "pointwise": dict(channels=8, out=12, kernel=1, branches=4),
    "pointwise, with itself": dict(channels=8, out=8, kernel=1, branches=4),
    "pointwise, strided": dict(channels=8, out=8, kernel=1, stride=2),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_layer_becomes_one_convolution_of_the_same_values(kind):
    torch.manual_seed(3)
    block = MobileOneBlock(**KINDS[kind])
    with_random_norms(block)
    pictures = torch.randn(2, KINDS[kind]["channels"], 13, 17)
    fused = reparameterize_block(block)
    assert [type(m) for m in fused.children()] == [nn.Conv2d]
    with torch.no_grad():
        assert float((block(pictures) - fused(pictures)).abs().max()) < 1e-5
        block = block.double()
        exact = reparameterize_block(block)(pictures.double())
        assert float((block(pictures.double()) - exact).abs().max()) < 1e-12
        # what is seen, is more than zeros
        assert float(exact.abs().max()) > 0.1


def test_the_whole_matting_network_gives_the_same_mattes():
    """To 1e-10 in float64. In float32 it may be off by what float32 itself is off, 40 layers and a memory later."""
    network = trained_statistics(random_network("mobileone_rvm"))
    clip = torch.rand(1, 2, 3, 65, 83)
    with torch.no_grad():
        small = reparameterize_model(network)
        before, after = network(clip), small(clip)
        exact = network.double()(clip.double())
        assert worst(exact, reparameterize_model(network)(clip.double())) < 1e-10
        network.float()
        assert float((before[1] - after[1]).abs().mean()) < 1e-5
        for made, fused, true in zip(before, after, exact, strict=True):
            assert float((fused - true).abs().max()) < 3 * float((made - true).abs().max())
    # the one that was given stays as it is trained
    assert any(isinstance(m, MobileOneBlock) for m in network.modules())
    assert not any(isinstance(m, MobileOneBlock) for m in small.modules()) and any(isinstance(m, MobileOneLayer) for m in small.modules())
    assert sum(p.numel() for p in small.parameters()) < 0.4 * sum(p.numel() for p in network.parameters())
    with torch.no_grad():
        assert worst(after[:2], folded(small)(clip)[:2]) < 1e-3


@pytest.mark.parametrize("size", SIZES)
def test_sizes_are_those_of_the_paper(size):
    """Without the head, which is 1000 classes and their biases on the last channels; table 3 gives parameters at use in millions."""
    with torch.device("meta"):
        encoder = MobileOne(size)
    channels = encoder.channels[3]
    used = 0
    for m in encoder.modules():
        if isinstance(m, MobileOneBlock):
            first = m.branches[0].conv
            assert isinstance(first, nn.Conv2d)
            used += first.weight.numel() + first.out_channels
    whole = (used + channels * 1000 + 1000) / 1e6
    assert whole == pytest.approx({"s0": 2.1, "s1": 4.8, "s2": 7.8, "s3": 10.1}[size], abs=0.06)


def test_a_layer_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="kernel is 2"):
        MobileOneBlock(4, 4, 2)
    with pytest.raises(ValueError, match="branches 0"):
        MobileOneBlock(4, 4, 3, branches=0)
