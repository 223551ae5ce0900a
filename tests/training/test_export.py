"""What was trained, as files for others."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("torchvision", reason="the extra training is not installed")
import torch

from tests.cli.conftest import cli
from tests.matte.rvm.networks import random_network, trained_statistics, worst
from vr180_ofx.errors import ComputationError, SettingsError, WeightsError
from vr180_ofx.matte.rvm.model import load_network
from vr180_ofx.matte.rvm.weights_file import variant_of, write_weights
from vr180_ofx.training import export as exporting
from vr180_ofx.training.export import TOLERANCE, export


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run's folder, as far as it matters here."""
    folder = tmp_path_factory.mktemp("run")
    write_weights(trained_statistics(random_network("mobileone_rvm")), folder / "weights.safetensors")
    return folder


@pytest.mark.parametrize("name", ["mine.pt", *(pytest.param(f"mine.{e}", marks=pytest.mark.slow) for e in ("xml", "onnx"))])
def test_each_kind_gives_what_the_network_gives(run, tmp_path, capsys, name):
    words = ["train", "export", str(run), "-o", str(tmp_path / "deep" / name), "--size", "64x96", "--downsample", "0.5", "--json"]
    status, said, err = cli(capsys, *words)
    assert status == 0, err
    told = json.loads(said)
    assert told["variant"] == "mobileone_rvm" and 0 <= told["worst"] <= TOLERANCE == told["tolerance"]
    expected = ["mine.bin", "mine.xml"] if name == "mine.xml" else [name]
    assert sorted(p.name for p in (tmp_path / "deep").iterdir()) == expected


def test_weights_for_use_and_weights_to_go_on_with(run, tmp_path):
    used, trained = tmp_path / "used.safetensors", tmp_path / "trained.safetensors"
    assert export(run, used).worst == 0 and export(run / "weights.safetensors", trained, as_trained=True).worst == 0
    assert variant_of(used) == variant_of(trained) == "mobileone_rvm" and used.stat().st_size < 0.5 * trained.stat().st_size
    picture = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert worst(load_network(used)(picture), load_network(trained, for_use=True)(picture)) == 0


def test_what_is_not_the_network_is_not_kept(run, tmp_path, monkeypatch):
    """A library that computes something else: here weights that are not those."""
    other = random_network("mobileone_rvm")
    way = (lambda network, *rest: exporting._write_weights(other, *rest), exporting._run_weights)
    monkeypatch.setitem(exporting._WAYS, ".safetensors", way)
    with pytest.raises(ComputationError, match="gives other numbers than the network"):
        export(run, tmp_path / "mine.safetensors")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_exported(run, tmp_path):
    for target, how, kind, said in (
        ("mine.exe", {}, SettingsError, "ends in none of .safetensors, .pt, .onnx, .xml"),
        ("mine.pt", {"as_trained": True}, SettingsError, "only .safetensors can be trained on"),
        ("mine.onnx", {"size": (50, 64)}, SettingsError, "the size is 64x50"),
        ("mine.onnx", {"downsample": 2.0}, SettingsError, "downsample 2"),
    ):
        with pytest.raises(kind, match=said):
            export(run, tmp_path / target, **how)
    with pytest.raises(SettingsError, match="holds neither weights.safetensors nor best.safetensors"):
        export(tmp_path, tmp_path / "mine.pt")
    (tmp_path / "bad.safetensors").write_bytes(b"nothing")
    with pytest.raises(WeightsError, match="cannot be read as weights"):
        export(tmp_path / "bad.safetensors", tmp_path / "mine.pt")
    assert [p.name for p in tmp_path.iterdir()] == ["bad.safetensors"]
