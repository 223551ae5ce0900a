"""Features of VGG-16, by weights of random numbers in torchvision's layout."""

from __future__ import annotations

import logging

import pytest

pytest.importorskip("torchvision", reason="the extra training is not installed")
import torch
from torch.nn import functional as F

from vr180_ofx.errors import WeightsError
from vr180_ofx.training.losses import perceptual
from vr180_ofx.training.losses.perceptual import Perceptual, perceptual_if_there

#: Of VGG-16 (Simonyan and Zisserman 2015, configuration D) until its third pooling: torchvision's index, channels in and out.
LAYERS = ((0, 3, 64), (2, 64, 64), (5, 64, 128), (7, 128, 128), (10, 128, 256), (12, 256, 256), (14, 256, 256))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    table = {}
    for k, channels, out in LAYERS:
        table[f"features.{k}.weight"] = torch.randn(out, channels, 3, 3) * (2 / (9 * channels)) ** 0.5
        table[f"features.{k}.bias"] = 0.1 * torch.randn(out)
    # what comes after is in the file, and not looked at
    table["classifier.6.bias"] = torch.zeros(1000)
    path = tmp_path_factory.mktemp("vgg") / "vgg16.pth"
    torch.save(table, path)
    return path, table


def features(pictures, table):
    """Layer by layer: what comes of the 2nd, the 4th and the 7th convolution."""
    x, found = (pictures - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1), []
    for k, *_ in LAYERS:
        if k in (5, 10):
            x = F.max_pool2d(x, 2)
        x = F.conv2d(x, table[f"features.{k}.weight"], table[f"features.{k}.bias"], padding=1).clamp(min=0)
        if k in (2, 7, 14):
            found.append(x)
    return found


def test_it_is_the_distance_of_three_layers(weights):
    path, table = weights
    loss = Perceptual(path)
    a, b = torch.rand(2, 2, 3, 16, 24), torch.rand(2, 2, 3, 16, 24)
    expected = [
        sum(float(((p - q) ** 2).mean()) for p, q in zip(features(a[k], table), features(b[k], table), strict=True)) for k in range(2)
    ]
    assert loss(a, b).tolist() == pytest.approx(expected, rel=1e-4)
    assert loss(a, a).tolist() == [0, 0] and not any(p.requires_grad for p in loss.parameters())
    a.requires_grad_()
    loss(a, b).sum().backward()
    assert a.grad is not None and float(a.grad.abs().max()) > 0


def test_without_its_weights_it_is_off_and_said_to_be(weights, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with caplog.at_level(logging.WARNING):
        assert perceptual_if_there() is None
    assert "the perceptual loss is off" in caplog.text and str(tmp_path) in caplog.text
    there = perceptual.weights_path()
    there.parent.mkdir(parents=True)
    there.write_bytes(weights[0].read_bytes())
    assert perceptual_if_there() is not None
    with pytest.raises(WeightsError, match="does not exist"):
        perceptual_if_there(tmp_path / "nothing.pth")
    there.write_bytes(b"nothing")
    with pytest.raises(WeightsError, match="cannot be read as torchvision's VGG-16"):
        perceptual_if_there()
