"""RVM as a file for other programs: TorchScript, which keeps every freedom of the network, OpenVINO for any size, and ONNX for one.

All go from (src, r1, r2, r3, r4) to (fgr, pha, r1, r2, r3, r4); see `network.RvmNetwork.forward`.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from vr180_ofx.matte.rvm.network import RvmNetwork
from vr180_ofx.matte.rvm.trace import converted
from vr180_ofx.storage import atomic_path, write_atomic
from vr180_ofx.weights.inference import openvino

_OPSET = 18
NAMES = ("src", "r1i", "r2i", "r3i", "r4i"), ("fgr", "pha", "r1o", "r2o", "r3o", "r4o")


def to_torchscript(network: RvmNetwork, path: Path) -> None:
    """A program of its own, for any size, batch, time and ratio: ``torch.jit.load(path)(src, r1, r2, r3, r4, ratio)``. Written by atomic
    rename.
    """
    with warnings.catch_warnings():
        # PyTorch calls it deprecated; C++ programs and hosts know nothing else
        warnings.simplefilter("ignore")
        scripted = torch.jit.script(network.eval())
        with atomic_path(path) as part:
            torch.jit.save(scripted, str(part))


class _Fixed(nn.Module):
    """With the ratio as part of the network."""

    def __init__(self, network: RvmNetwork, ratio: float) -> None:
        super().__init__()
        self.network, self.ratio = network, ratio

    def forward(self, src: Tensor, r1: Tensor, r2: Tensor, r3: Tensor, r4: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.network(src, r1, r2, r3, r4, self.ratio))


def memory_before(network: RvmNetwork, batch: int, height: int, width: int, ratio: float = 1.0) -> tuple[Tensor, ...]:
    """What is remembered before the first frame, r1 to r4: zeros of the right shapes."""
    with torch.inference_mode():
        found = network(torch.zeros(batch, 3, height, width), downsample_ratio=ratio)[2:]
    return tuple(torch.zeros_like(f) for f in found)


def to_onnx(network: RvmNetwork, path: Path, height: int, width: int, *, batch: int = 1, ratio: float = 1.0) -> None:
    """For pictures of (batch, 3, height, width); before the first frame r1i to r4i are zeros. Written by atomic rename, in one file."""
    network = network.eval()
    inputs = (torch.zeros(batch, 3, height, width), *memory_before(network, batch, height, width, ratio))
    quiet = logging.getLogger("torch.onnx")
    before = quiet.level
    quiet.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), atomic_path(path) as part:
            warnings.simplefilter("ignore")
            torch.onnx.export(
                _Fixed(network, ratio), inputs, str(part), input_names=NAMES[0], output_names=NAMES[1], opset_version=_OPSET,
                dynamo=True, external_data=False, verbose=False,
            )  # fmt: skip
    finally:
        quiet.setLevel(before)


def to_openvino(network: RvmNetwork, path: Path, *, ratio: float = 1.0) -> None:
    """A graph in ``path`` (.xml), its constants beside it (.bin), float32, for pictures of any size and number, their sides a whole number
    of pixels after ``ratio``. Inputs and outputs as in ONNX. Each file is written by atomic rename, the constants first.
    """
    network = network.eval()
    inputs = (torch.zeros(1, 3, 64, 96), *memory_before(network, 1, 64, 96, ratio))
    with torch.no_grad(), warnings.catch_warnings():
        # PyTorch calls tracing deprecated
        warnings.simplefilter("ignore")
        program = torch.jit.trace(_Fixed(network, ratio), inputs, check_trace=False)  # type: ignore[no-untyped-call]
        graph = converted(program)
    graph.reshape({k: [-1, int(values.shape[1]), -1, -1] for k, values in enumerate(inputs)})
    for tensors, names in ((graph.inputs, NAMES[0]), (graph.outputs, NAMES[1])):
        for tensor, name in zip(tensors, names, strict=True):
            tensor.get_tensor().set_names({name})
    with tempfile.TemporaryDirectory(prefix="vr180-ofx.") as folder:
        there = Path(folder) / "graph.xml"
        openvino().save_model(graph, str(there), compress_to_fp16=False)
        write_atomic(path.with_suffix(".bin"), there.with_suffix(".bin").read_bytes())
        write_atomic(path, there.read_bytes())
