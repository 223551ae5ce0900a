"""Networks for tests: RVM with weights that were trained, where they are there, and with random ones where only the arithmetic counts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import SHARED
from vr180_ofx.errors import FrameError
from vr180_ofx.media.contract import Clip, SourceFrame

#: Weights that were trained, for tests.
TRAINED = SHARED / "weights" / "rvm_mobilenetv3_test.safetensors"
needs_trained = pytest.mark.skipif(not TRAINED.exists(), reason="the weights for tests are not there")


def random_network(variant: Any = "mobilenetv3", refiner: Any = "deep_guided_filter") -> Any:
    torch = pytest.importorskip("torch", reason="the extra rvm is not installed")
    pytest.importorskip("torchvision", reason="the extra rvm is not installed")
    from vr180_ofx.matte.rvm.network import RvmNetwork

    torch.manual_seed(7)
    network = RvmNetwork(variant, refiner).eval()
    for m in network.modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.running_mean.normal_(0, 0.05)
            m.running_var.uniform_(0.8, 1.2)
            m.weight.data.uniform_(0.8, 1.2)
            m.bias.data.normal_(0, 0.05)
    # alphas all over the range, whatever is seen
    network.project_mat.conv.weight.data[3] *= 6
    bias = network.project_mat.conv.bias
    assert bias is not None
    bias.data[3] = 0.6
    return network


def trained_statistics(network: Any) -> Any:
    """What its normalisations saw, as after a training: with the random ones above values double from layer to layer of a deep encoder."""
    import torch

    torch.manual_seed(11)
    with torch.no_grad():
        for m in network.modules():
            if isinstance(m, torch.nn.BatchNorm2d):
                m.momentum = None
        network.train()
        for _ in range(2):
            network(torch.rand(2, 3, 64, 96))
        network.eval()
        # and moved a little, so that no two are alike
        for m in network.modules():
            if isinstance(m, torch.nn.BatchNorm2d):
                mean, variance = m.running_mean, m.running_var
                assert mean is not None and variance is not None
                mean += 0.1 * torch.randn_like(mean) * variance.sqrt()
                variance *= torch.empty_like(variance).uniform_(0.7, 1.4)
    return network


def damage(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """A frame that no clip can decode any more."""
    read = Clip.frame

    def damaged(clip: Clip, n: int) -> SourceFrame:
        if n == number:
            raise FrameError(clip.path, n, "it is damaged")
        return read(clip, n)

    monkeypatch.setattr(Clip, "frame", damaged)


def worst(a: Any, b: Any) -> float:
    """The largest difference between the tensors of two lists."""
    return max(float((x - y).abs().max()) for x, y in zip(a, b, strict=True))
