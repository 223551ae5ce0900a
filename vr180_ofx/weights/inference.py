"""Running networks on the CPU: OpenVINO, one thread for each call at a time, so that the last bits do not depend on how many there are."""

from __future__ import annotations

import sys
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vr180_ofx.weights.store import WeightsError

FloatArray = npt.NDArray[np.floating]


_REPORTER = "openvino_telemetry"
_importing = threading.Lock()


def openvino() -> Any:
    """The library. On its own, importing it reports its use to its makers over the network, unless the user told it once not to."""
    with _importing:
        reporter = sys.modules.get(_REPORTER)
        # what cannot be imported is replaced by the library's own stub
        sys.modules[_REPORTER] = None  # type: ignore[assignment]
        try:
            import openvino
        finally:
            del sys.modules[_REPORTER]
            if reporter is not None:
                sys.modules[_REPORTER] = reporter
    return openvino


def compiled(model: Any, precision: str = "f32") -> Any:
    """A model of OpenVINO for one thread of the CPU. precision: f32, or bf16 for machines that multiply it faster."""
    config = {
        "INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1,
        # pinned threads of several models would meet on the same core
        "ENABLE_CPU_PINNING": False,
    }  # fmt: skip
    return openvino().Core().compile_model(model, "CPU", config)


def load_model(path: Path, outputs: tuple[str, ...]) -> Network:
    """The network in the file ``path`` (TensorFlow Lite, ONNX); whoever asks for the same file shares it. Raises WeightsError."""
    stat = path.stat()
    return _load(path, outputs, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=8)
def _load(path: Path, outputs: tuple[str, ...], _changed: int, _size: int) -> Network:
    return Network(path, outputs)


class Network:
    """A file with a network of one picture. Safe to call from several threads.

    Compiling takes 0.2 s for the segmenter, and threads come and go: as many are kept as were ever in use at once.

    outputs: the names of the tensors to return, in order; what only others need is not computed.
    """

    def __init__(self, path: Path, outputs: tuple[str, ...]) -> None:
        ov = openvino()
        self.path = path
        try:
            found = ov.Core().read_model(str(path))
        except RuntimeError as error:
            # whole sentences come after the places in its own source
            reason = str(error).strip().splitlines()[-1]
            raise WeightsError(f"{path} cannot be read as a network: {reason}") from None
        by_name = {name: output for output in found.outputs for name in output.get_names()}
        missing = [name for name in outputs if name not in by_name]
        if missing:
            raise WeightsError(f"{path} has no output {', '.join(missing)}; it has {', '.join(by_name)}")
        self._model = ov.Model([by_name[name] for name in outputs], found.get_parameters())
        self._idle = [self._request()]

    def _request(self) -> Any:
        return compiled(self._model).create_infer_request()

    def __call__(self, image: FloatArray) -> tuple[FloatArray, ...]:
        """image: (height, width, 3), in the network's own range. Returns the outputs without their batch axis."""
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._request()
        found = request.infer([np.ascontiguousarray(image[None], dtype=np.float32)])
        values = tuple(np.array(found[k][0]) for k in range(len(found)))
        self._idle.append(request)
        return values
