"""The student on CPUs, by OpenVINO. PyTorch is not needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.errors import WeightsError
from vr180_ofx.imaging.either import as_float, beside, host
from vr180_ofx.imaging.logistic import sigmoid
from vr180_ofx.matte.student.contract import STRETCH
from vr180_ofx.matte.student.file import read_graph
from vr180_ofx.weights.inference import Compiled, openvino
from vr180_ofx.weights.store import file_sha256


class CompiledStudent:
    """See `contract.StudentNetwork`. precision: float32 or bfloat16. Safe to call from several threads."""

    def __init__(self, weights: Path, precision: str = "float32", threads: int = 1) -> None:
        """threads: for each call. Raises WeightsError."""
        graph = read_graph(weights)
        self.sha256, self.precision = file_sha256(weights), precision
        ov = openvino()
        # its constants are not copied
        self._constants = graph.constants
        try:
            model = ov.Core().read_model(graph.xml, ov.Tensor(self._constants))
        except RuntimeError as error:
            raise WeightsError(f"{weights} holds no graph that OpenVINO reads: {str(error).strip().splitlines()[-1]}") from None
        self._run = Compiled(model, precision, threads)

    def identity(self) -> str:
        """Equal strings mean equal results."""
        return f"student:{self.sha256[:16]}:{self.precision}:compiled"

    def look(self, planes: FloatArray) -> FloatArray:
        """See `contract.StudentNetwork`."""
        shown = np.ascontiguousarray(host(planes).transpose(0, 3, 1, 2), np.float32)
        (logits,) = self._run([shown])
        alphas: FloatArray = as_float(beside(alpha_of(logits[:, 0]), planes))
        return alphas


def alpha_of(logits: FloatArray) -> FloatArray:
    """Alpha, 0..1, float32: in full precision, as bfloat16 has steps of 1/256 near 1."""
    alpha: FloatArray = np.clip(sigmoid(logits.astype(np.float32)) * np.float32(1 + 2 * STRETCH) - np.float32(STRETCH), 0, 1)
    return alpha
