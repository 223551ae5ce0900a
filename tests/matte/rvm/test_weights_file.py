"""Files of weights: what they are of, and what is said when they are of nothing, or of something else."""

from __future__ import annotations

import pytest

pytest.importorskip("torchvision", reason="the extra rvm is not installed")
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from tests.matte.rvm.networks import random_network, worst
from vr180_ofx.errors import WeightsError
from vr180_ofx.matte.rvm.mobileone import MobileOneBlock, reparameterize_model
from vr180_ofx.matte.rvm.model import load_network
from vr180_ofx.matte.rvm.network import VARIANTS
from vr180_ofx.matte.rvm.weights_file import variant_of, write_weights


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_was_written_is_the_same_network_again(variant, tmp_path):
    network, picture = random_network(variant, "fast_guided_filter"), torch.rand(1, 3, 32, 48)
    path = tmp_path / "own.safetensors"
    write_weights(network, path, {"steps": 7, "data": "scenes"})
    assert [p.name for p in tmp_path.iterdir()] == ["own.safetensors"]
    assert variant_of(path) == variant
    with safe_open(path, framework="pt") as opened:
        header = opened.metadata()
    assert header["vr180_ofx.variant"] == variant and header["vr180_ofx.refiner"] == "fast_guided_filter"
    assert header["vr180_ofx.steps"] == "7" and header["vr180_ofx.data"] == "scenes"
    again = load_network(path)
    with torch.no_grad():
        assert worst(network(picture, downsample_ratio=0.5), again(picture, downsample_ratio=0.5)) == 0
    assert not again.training


def test_networks_of_single_convolutions_can_be_kept_too(tmp_path):
    network, picture = random_network("mobileone_rvm"), torch.rand(1, 3, 32, 48)
    trained, used = tmp_path / "trained.safetensors", tmp_path / "used.safetensors"
    write_weights(network, trained)
    small = reparameterize_model(network)
    write_weights(small, used)
    assert variant_of(used) == "mobileone_rvm" and used.stat().st_size < 0.45 * trained.stat().st_size
    with torch.no_grad():
        expected = small(picture)
        # as they are used, whether they were kept so or not
        for path in (trained, used):
            found = load_network(path, for_use=True)
            assert not any(isinstance(m, MobileOneBlock) for m in found.modules())
            assert worst(expected, found(picture)) == 0


def test_files_that_are_not_what_they_say(tmp_path):
    path = tmp_path / "own.safetensors"
    weights = random_network("mobilenetv3").state_dict()
    save_file(weights, str(path), {"vr180_ofx.variant": "mamba_rvm"})
    for read in (variant_of, load_network):
        with pytest.raises(WeightsError, match="says that it is of mamba_rvm, and its weights are those of mobilenetv3"):
            read(path)
    weights["aspp.aspp1.0.weight"] = torch.zeros(64, 960, 1, 1)
    save_file(weights, str(path))
    with pytest.raises(WeightsError, match=r"looks like RVM mobilenetv3, but size mismatch for aspp.aspp1.0.weight"):
        load_network(path)
    save_file({"something": torch.zeros(3)}, str(path))
    for read in (variant_of, load_network):
        with pytest.raises(WeightsError, match="holds no weights of RVM"):
            read(path)
    path.write_bytes(b"no weights at all")
    for read in (variant_of, load_network):
        with pytest.raises(WeightsError, match="cannot be read as weights"):
            read(path)
    with pytest.raises(WeightsError, match="does not exist"):
        variant_of(tmp_path / "nothing.safetensors")


def test_the_authors_kind_of_file_is_known_by_its_names(tmp_path):
    path = tmp_path / "rvm.pth"
    torch.save(random_network("resnet50").state_dict(), path)
    assert variant_of(path) == "resnet50"
    write_weights(load_network(path), tmp_path / "rvm.safetensors")
    assert set(load_file(tmp_path / "rvm.safetensors")) == set(torch.load(path, weights_only=True))
