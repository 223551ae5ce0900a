"""RVM as a file for other programs."""

from __future__ import annotations

import pytest

pytest.importorskip("torchvision", reason="the extra rvm is not installed")
import torch

from tests.matte.rvm.networks import random_network, trained_statistics, worst
from vr180_ofx.matte.rvm.export import NAMES, memory_before, to_onnx, to_openvino, to_torchscript
from vr180_ofx.matte.rvm.mobileone import reparameterize_model
from vr180_ofx.weights.inference import openvino


@pytest.mark.parametrize(
    ("variant", "ratio"),
    [("mobilenetv3", 1.0), ("mobilenetv3", 0.5), ("mamba_rvm", 0.5), pytest.param("mobileone_rvm", 0.5, marks=pytest.mark.slow)],
)
def test_torchscript_agrees(tmp_path, variant, ratio):
    network = trained_statistics(random_network(variant))
    to_torchscript(network, tmp_path / "rvm.pt")
    scripted = torch.jit.load(str(tmp_path / "rvm.pt"))
    with torch.inference_mode():
        for shape in ((1, 3, 64, 96), (2, 2, 3, 65, 70)):
            picture = torch.rand(shape)
            first, theirs = network(picture, downsample_ratio=ratio), scripted(picture, None, None, None, None, ratio)
            second, next_ = network(picture, *first[2:], downsample_ratio=ratio), scripted(picture, *theirs[2:], ratio)
            assert worst(first + second, theirs + next_) < 1e-4


# the exporter takes a minute or two for the scan
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("variant", ["mobilenetv3", *(pytest.param(v, marks=pytest.mark.slow) for v in ("mobileone_rvm", "mamba_rvm"))])
def test_onnx_agrees(tmp_path, variant):
    runtime = pytest.importorskip("onnxruntime", reason="the extra export is not installed")
    pytest.importorskip("onnxscript", reason="the extra export is not installed")
    network = reparameterize_model(trained_statistics(random_network(variant)))
    to_onnx(network, tmp_path / "rvm.onnx", 64, 96, ratio=0.5)
    assert [p.name for p in tmp_path.iterdir()] == ["rvm.onnx"]
    session = runtime.InferenceSession(str(tmp_path / "rvm.onnx"), providers=["CPUExecutionProvider"])
    picture, memory = torch.rand(1, 3, 64, 96), memory_before(network, 1, 64, 96, 0.5)
    with torch.inference_mode():
        for _ in range(2):
            expected = network(picture, *memory, downsample_ratio=0.5)
            found = session.run(None, dict(zip(NAMES[0], [picture.numpy(), *(m.numpy() for m in memory)], strict=True)))
            assert worst(expected, [torch.from_numpy(f) for f in found]) < 1e-3
            memory = expected[2:]


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["mobileone_rvm", "mamba_rvm"])
def test_openvino_agrees_for_any_size_and_any_ratio(tmp_path, variant):
    """Of the same inputs and outputs as ONNX; float32 inside and in the file."""
    network = reparameterize_model(trained_statistics(random_network(variant)))
    to_openvino(network, tmp_path / "rvm.xml", ratio=0.5)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["rvm.bin", "rvm.xml"]
    model = openvino().Core().read_model(str(tmp_path / "rvm.xml"))
    run = openvino().Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for batch, height, width in ((1, 64, 96), (2, 98, 70)):
        picture, memory = torch.rand(batch, 3, height, width), memory_before(network, batch, height, width, 0.5)
        with torch.inference_mode():
            for _ in range(2):
                expected = network(picture, *memory, downsample_ratio=0.5)
                found = run(dict(zip(NAMES[0], [picture.numpy(), *(m.numpy() for m in memory)], strict=True)))
                assert worst(expected, [torch.from_numpy(found[name]) for name in NAMES[1]]) < 1e-3
                memory = expected[2:]
