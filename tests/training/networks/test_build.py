"""Networks by a recipe's words."""

# mypy: disable-error-code="import-untyped"
from __future__ import annotations

import pytest

pytest.importorskip("torchvision", reason="the extra training is not installed")
import torch

from tests.matte.rvm.networks import random_network
from vr180_ofx.errors import SettingsError, WeightsError
from vr180_ofx.matte.rvm.mobileone import reparameterize_model
from vr180_ofx.matte.rvm.weights_file import write_weights
from vr180_ofx.training.networks.build import NetworkOptions, build_network


def test_the_same_words_and_the_same_seed_are_the_same_network():
    built = []
    for _ in range(2):
        torch.manual_seed(3)
        built.append(build_network(NetworkOptions.of({"variant": "mamba_rvm", "refiner": "fast_guided_filter"})))
    assert built[0].training and type(built[0].refiner).__name__ == "FastGuidedFilter"
    assert all(torch.equal(a, b) for a, b in zip(*(n.state_dict().values() for n in built), strict=True))


def test_it_goes_on_from_a_file_whatever_refiner_that_had(tmp_path):
    before, path = random_network("mobileone_rvm", "fast_guided_filter"), tmp_path / "before.safetensors"
    write_weights(before, path)
    network = build_network(NetworkOptions.of({"variant": "mobileone_rvm", "weights": str(path)}))
    mine = network.state_dict()
    assert all(torch.equal(values, mine[name]) for name, values in before.state_dict().items())
    assert type(network.refiner).__name__ == "DeepGuidedFilter"
    with pytest.raises(WeightsError, match="is of mobileone_rvm, and the recipe trains mamba_rvm"):
        build_network(NetworkOptions.of({"variant": "mamba_rvm", "weights": path}))
    write_weights(reparameterize_model(before), path)
    with pytest.raises(WeightsError, match="take the file from before it was made for use"):
        build_network(NetworkOptions.of({"variant": "mobileone_rvm", "weights": path}))


def test_encoders_begin_with_torchvisions(tmp_path):
    from torchvision.models import mobilenet_v3_large

    torch.manual_seed(0)
    path, whole = tmp_path / "mobilenet.pth", mobilenet_v3_large(weights=None)
    torch.save(whole.state_dict(), path)
    network = build_network(NetworkOptions.of({"backbone_weights": path}))
    mine = network.backbone.state_dict()
    assert mine and all(torch.equal(values, whole.state_dict()[name]) for name, values in mine.items())
    with pytest.raises(WeightsError, match="no weights of torchvision for the encoder of mamba_rvm"):
        build_network(NetworkOptions.of({"variant": "mamba_rvm", "backbone_weights": path}))
    with pytest.raises(WeightsError, match=r"has no .* as the encoder of resnet50 has it"):
        build_network(NetworkOptions.of({"variant": "resnet50", "backbone_weights": path}))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"variant": "vgg"}, "the task's variant is 'vgg'; allowed are mobilenetv3, resnet50, mobileone_rvm, mamba_rvm"),
        ({"variant": ["resnet50"]}, "allowed are"),
        ({"refiner": "best"}, "allowed are deep_guided_filter, fast_guided_filter"),
        ({"weights": 3}, "the task's weights is 3; it is the path of a file"),
    ],
)
def test_words_that_mean_nothing(words, message):
    with pytest.raises(SettingsError, match=message):
        NetworkOptions.of(words)
