"""The student as a module of PyTorch, on a device; and how its file is made."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from vr180_ofx.errors import WeightsError
from vr180_ofx.imaging.either import is_tensor
from vr180_ofx.matte.rvm.network import folded
from vr180_ofx.matte.rvm.trace import converted
from vr180_ofx.matte.student import file
from vr180_ofx.matte.student.contract import STRIDE
from vr180_ofx.matte.student.network import PLANES, Student
from vr180_ofx.weights.inference import openvino
from vr180_ofx.weights.store import file_sha256


def load_network(path: Path) -> Student:
    """The network that a file is of, batch normalisation folded: for inference. Raises WeightsError."""
    weights = {name: torch.from_numpy(values.copy()).float() for name, values in file.read_weights(path).items()}
    network = cast("Student", folded(Student()))
    own = network.state_dict()
    wrong = sorted(own.keys() ^ weights.keys()) or [name for name in sorted(own) if own[name].shape != weights[name].shape]
    if wrong:
        raise WeightsError(f"{path} holds weights of another network: {len(wrong)} of them are missing or do not fit, such as {wrong[0]}")
    network.load_state_dict(weights)
    return network.eval()


class TorchStudent:
    """See `contract.StudentNetwork`. precision: float32, float16 or bfloat16. For one thread at a time on a graphics card."""

    def __init__(self, weights: Path, device: str = "cpu", precision: str = "float32") -> None:
        """device: as PyTorch names it. Raises WeightsError."""
        network = load_network(weights)
        self.device, self.dtype = torch.device(device), getattr(torch, precision)
        self.network = network.to(self.device, self.dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.sha256, self.precision = file_sha256(weights), precision

    def identity(self) -> str:
        """Equal strings mean equal results."""
        return f"student:{self.sha256[:16]}:{self.precision}:{self.device.type}"

    def look(self, planes: Any) -> Any:
        """See `contract.StudentNetwork`."""
        with torch.inference_mode():
            given = planes if is_tensor(planes) else torch.from_numpy(np.ascontiguousarray(planes, np.float32))
            shown = given.to(self.device, self.dtype).permute(0, 3, 1, 2)
            logits = self.network(shown).logits[:, 0].float()
            alpha = self.network.alpha(logits)
            return alpha if is_tensor(planes) else alpha.cpu().numpy()


class _Logits(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, planes: Tensor) -> Tensor:
        found: Tensor = self.network(planes).logits
        return found


def graph_of(network: Student) -> file.StudentGraph:
    """Planes in, logits of alpha out, for any batch and size. network: folded."""
    ov = openvino()
    planes = torch.zeros(1, PLANES, 4 * STRIDE, 4 * STRIDE)
    with torch.no_grad(), warnings.catch_warnings():
        # PyTorch calls tracing deprecated
        warnings.simplefilter("ignore")
        program = torch.jit.trace(_Logits(network).eval(), planes, check_trace=False)  # type: ignore[no-untyped-call]
    graph = converted(program)
    graph.reshape({0: [-1, PLANES, -1, -1]})
    with tempfile.TemporaryDirectory(prefix="vr180-ofx.") as folder:
        path = Path(folder) / "graph.xml"
        ov.save_model(graph, str(path), compress_to_fp16=True)
        return file.StudentGraph(path.read_bytes(), np.fromfile(path.with_suffix(".bin"), np.uint8))


def export(state: Mapping[str, Tensor], path: Path, note: str = "") -> None:
    """Writes the student's file from a trained network's state. Raises ValueError."""
    network = Student()
    network.load_state_dict(state)
    network = cast("Student", folded(network))
    halves = {name: values.detach().cpu().half() for name, values in network.state_dict().items()}
    wild = next((name for name, values in halves.items() if not bool(torch.isfinite(values).all())), None)
    if wild is not None:
        raise ValueError(f"the weights {wild} are not finite, or beyond what half precision holds (65504)")
    file.write(path, {name: values.numpy() for name, values in halves.items()}, graph_of(network), note)
