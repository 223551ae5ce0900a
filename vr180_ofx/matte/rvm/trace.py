"""From RVM's network in PyTorch to a graph for OpenVINO."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vr180_ofx.matte.rvm import scan_in_openvino
from vr180_ofx.matte.rvm.contract import STEP
from vr180_ofx.matte.rvm.network import RvmNetwork
from vr180_ofx.matte.rvm.scan import OPERATION
from vr180_ofx.weights.inference import openvino


class _Decoding(nn.Module):
    def __init__(self, network: RvmNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor, r1: Tensor, r2: Tensor, r3: Tensor, r4: Tensor) -> tuple[Tensor, ...]:
        return self.network.decode(picture, r1, r2, r3, r4)


def converted(program: Any) -> Any:
    """What ``torch.jit.trace`` gives, as a graph of OpenVINO."""
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch import ConversionExtension
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    # not `openvino.convert_model`, which reports that it was used
    frontend = FrontEndManager().load_by_framework("pytorch")
    frontend.add_extension(ConversionExtension(OPERATION, scan_in_openvino.convert))
    # it must live until everything is converted
    decoder = TorchScriptPythonDecoder(program)
    return frontend.convert(frontend.load(decoder))


def traced(network: RvmNetwork) -> tuple[bytes, bytes]:
    """`RvmNetwork.decode` of single frames, with memory as halves, for any batch and size: the graph as XML, and its constants."""
    ov = openvino()
    from openvino.preprocess import PrePostProcessor

    picture = torch.zeros(1, 3, 4 * STEP, 4 * STEP)
    with torch.no_grad(), warnings.catch_warnings():
        # PyTorch calls tracing deprecated
        warnings.simplefilter("ignore")
        memory = network.decode(picture, None, None, None, None)[1:]
        program = torch.jit.trace(_Decoding(network).eval(), (picture, *memory), check_trace=False)  # type: ignore[no-untyped-call]
    graph = converted(program)
    graph.reshape({k: [-1, int(values.shape[1]), -1, -1] for k, values in enumerate((picture, *memory))})
    types = PrePostProcessor(graph)
    for k in range(1, 1 + len(memory)):
        types.input(k).tensor().set_element_type(ov.Type.f16)
        types.output(k).tensor().set_element_type(ov.Type.f16)
    graph = types.build()
    with tempfile.TemporaryDirectory(prefix="vr180-ofx.") as folder:
        path = Path(folder) / "graph.xml"
        ov.save_model(graph, str(path), compress_to_fp16=False)
        return path.read_bytes(), path.with_suffix(".bin").read_bytes()
