"""What ``torch.hub`` finds here, as it finds it: by the names in the file."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torchvision", reason="the extra rvm is not installed")
import torch

from tests.matte.rvm.networks import random_network, worst
from vr180_ofx.errors import WeightsError
from vr180_ofx.matte.rvm.mobileone import MobileOneBlock
from vr180_ofx.matte.rvm.network import VARIANTS
from vr180_ofx.matte.rvm.weights_file import write_weights

ROOT = str(Path(__file__).resolve().parents[1])


def hub(name, **words):
    return torch.hub.load(ROOT, name, source="local", trust_repo=True, **words)


def test_every_variant_has_an_entry_without_weights():
    for variant in VARIANTS:
        network = hub(variant, pretrained=False, refiner="fast_guided_filter")
        assert network.variant == variant and not network.training and "fast" in type(network.refiner).__name__.lower()
        with torch.no_grad():
            assert network(torch.rand(1, 3, 32, 32))[1].shape == (1, 1, 32, 32)


def test_weights_that_nobody_published_are_an_error_and_not_random_ones():
    for variant in ("mobileone_rvm", "mamba_rvm"):
        with pytest.raises(WeightsError, match=f"no weights of {variant} are published"):
            hub(variant, pretrained=True)


def test_weights_of_ones_own(tmp_path):
    trained, path, picture = random_network("mobileone_rvm"), tmp_path / "own.safetensors", torch.rand(1, 3, 32, 32)
    write_weights(trained, path)
    with torch.no_grad():
        assert worst(hub("mobileone_rvm", weights=path)(picture), trained(picture)) == 0
    assert not any(isinstance(m, MobileOneBlock) for m in hub("mobileone_rvm", weights=path, for_use=True).modules())
    with pytest.raises(WeightsError, match="is of mobileone_rvm, and not of mamba_rvm"):
        hub("mamba_rvm", weights=path)
