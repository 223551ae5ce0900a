"""Running networks on the CPU: OpenVINO, as a rule one thread for each call at a time, so that several are worked on side by side."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.errors import WeightsError

_REPORTER = "openvino_telemetry"
#: MediaPipe's own operation for TensorFlow Lite (its transpose_conv_bias.cc): the selfie segmenter ends in one.
_TRANSPOSE_CONVOLUTION = "Convolution2DTransposeBias"
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
        _know_arrays(openvino)
    return openvino


@cache
def _know_arrays(library: Any) -> None:
    """Lets the library's bindings look up NumPy's functions on one thread, once.

    They do so when they first see an array, behind a guard of C++ that one thread waits for while it holds the interpreter's lock and
    another one, which has the guard, wants that lock: a server was seen to stand still for ever (pybind11's ``npy_api::get``).
    """
    library.Tensor(np.zeros(1, np.float32)).data.sum()


def multiplies_bfloat16() -> bool:
    """Whether this CPU has instructions for it: AMX (Intel, server processors since 2023), AVX512_BF16 (AMD since Zen 4)."""
    return "BF16" in openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class Compiled:
    """A model of OpenVINO on the CPU. Safe to call from several threads.

    Compiling takes 0.2 to 0.4 s, and threads come and go: as many are kept as were ever in use at once.
    """

    def __init__(self, model: Any, precision: str = "float32", threads: int = 1) -> None:
        """precision: float32, or bfloat16 for what is multiplied. threads: for each call."""
        self._model = model
        self._config = {
            "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[precision],
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            # pinned threads of several models would meet on the same core
            "ENABLE_CPU_PINNING": False,
        }
        self._idle = [self._request()]

    def _request(self) -> Any:
        return openvino().Core().compile_model(self._model, "CPU", self._config).create_infer_request()

    def __call__(self, inputs: Sequence[FloatArray]) -> list[FloatArray]:
        """The outputs in their order, and in their types."""
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._request()
        found = request.infer(list(inputs))
        values = [np.array(found[k]) for k in range(len(found))]
        self._idle.append(request)
        return values


def load_model(path: Path, outputs: tuple[str, ...]) -> Network:
    """The network in the file ``path`` (TensorFlow Lite, ONNX); whoever asks for the same file shares it. Raises WeightsError."""
    stat = path.stat()
    return _load(path, outputs, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=8)
def _load(path: Path, outputs: tuple[str, ...], _changed: int, _size: int) -> Network:
    return Network(path, outputs)


def _transpose_convolution(node: Any) -> Any:
    """Doubles the size with filters of 2x2 that do not overlap, and adds a bias: pictures (1, h, w, in), filters (out, 2, 2, in)."""
    from openvino import opset10 as ops

    picture, filters, bias = (node.get_input(k) for k in range(3))
    if tuple(filters.get_partial_shape().to_shape())[1:3] != (2, 2):
        raise ValueError(f"filters of {_TRANSPOSE_CONVOLUTION} are {filters.get_partial_shape()}; only those of 2x2 are known")
    picture, filters = (ops.transpose(x, ops.constant(np.array(order))) for x, order in ((picture, (0, 3, 1, 2)), (filters, (3, 0, 1, 2))))
    larger = ops.convolution_backprop_data(picture, filters, [2, 2], pads_begin=[0, 0], pads_end=[0, 0], dilations=[1, 1])
    return ops.add(ops.transpose(larger, ops.constant(np.array((0, 2, 3, 1)))), bias).outputs()


class Network:
    """A file with a network of one picture.

    outputs: the names of the tensors to return, in order; what only others need is not computed.
    """

    def __init__(self, path: Path, outputs: tuple[str, ...]) -> None:
        ov = openvino()
        try:
            core = ov.Core()
            core.add_extension(ov.frontend.ConversionExtension(_TRANSPOSE_CONVOLUTION, _transpose_convolution))
            found = core.read_model(str(path))
        except RuntimeError as error:
            # whole sentences come after the places in its own source
            reason = str(error).strip().splitlines()[-1]
            raise WeightsError(f"{path} cannot be read as a network: {reason}") from None
        by_name = {name: output for output in found.outputs for name in output.get_names()}
        missing = [name for name in outputs if name not in by_name]
        if missing:
            raise WeightsError(f"{path} has no output {', '.join(missing)}; it has {', '.join(by_name)}")
        self._compiled = Compiled(ov.Model([by_name[name] for name in outputs], found.get_parameters()))

    def __call__(self, image: FloatArray) -> tuple[FloatArray, ...]:
        """image: (height, width, 3), in the network's own range. Returns the outputs without their batch axis."""
        return tuple(values[0] for values in self._compiled([np.ascontiguousarray(image[None], dtype=np.float32)]))
