"""RVM as a file for other programs."""

from __future__ import annotations

import pytest

pytest.importorskip("torchvision", reason="the extra rvm is not installed")
import torch

from tests.matte.rvm.networks import worst
from vr180_ofx.matte.rvm.export import NAMES, memory_before, to_onnx, to_torchscript


@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_torchscript_agrees(network, tmp_path, ratio):
    to_torchscript(network, tmp_path / "rvm.pt")
    scripted = torch.jit.load(str(tmp_path / "rvm.pt"))
    with torch.inference_mode():
        for shape in ((1, 3, 64, 96), (2, 2, 3, 65, 70)):
            picture = torch.rand(shape)
            first, theirs = network(picture, downsample_ratio=ratio), scripted(picture, None, None, None, None, ratio)
            second, next_ = network(picture, *first[2:], downsample_ratio=ratio), scripted(picture, *theirs[2:], ratio)
            assert worst(first + second, theirs + next_) < 1e-4


def test_onnx_agrees(network, tmp_path):
    runtime = pytest.importorskip("onnxruntime", reason="the extra export is not installed")
    pytest.importorskip("onnxscript", reason="the extra export is not installed")
    to_onnx(network, tmp_path / "rvm.onnx", 64, 96, ratio=0.5)
    assert [p.name for p in tmp_path.iterdir()] == ["rvm.onnx"]
    session = runtime.InferenceSession(str(tmp_path / "rvm.onnx"), providers=["CPUExecutionProvider"])
    picture, memory = torch.rand(1, 3, 64, 96), memory_before(network, 1, 64, 96, 0.5)
    with torch.inference_mode():
        for _ in range(2):
            expected = network(picture, *memory, downsample_ratio=0.5)
            found = session.run(None, dict(zip(NAMES[0], [picture.numpy(), *(m.numpy() for m in memory)], strict=True)))
            assert worst(expected, [torch.from_numpy(f) for f in found]) < 1e-4
            memory = expected[2:]
