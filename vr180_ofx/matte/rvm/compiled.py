"""RVM on CPUs, compiled by OpenVINO: two thirds of the time that PyTorch takes, or less.

The graph is made from the network once, and kept among the files that can be made again; whoever finds it there needs no PyTorch, which
takes three seconds to be loaded.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.either import beside, host
from vr180_ofx.matte.rvm.contract import State
from vr180_ofx.storage import cache_folder, remove_leftovers, write_atomic
from vr180_ofx.weights.inference import Compiled, openvino
from vr180_ofx.weights.store import file_sha256

log = logging.getLogger(__name__)
#: Of what is kept; another one, and it is made again.
_REVISION = 1
#: So many networks are kept: those that were used last. Each is as large as its weights.
_KEPT = 4
_HASH = 32
Values = npt.NDArray[np.float32]


class CompiledRvm:
    """See `contract.RecurrentNetwork`; for single frames that the network sees as they are. precision: float32 or bfloat16."""

    def __init__(self, weights: Path, precision: str = "float32", threads: int = 1) -> None:
        """threads: for each call. Raises WeightsError."""
        self.sha256 = file_sha256(weights)
        self.precision = precision
        # its constants are not copied
        graph, self._constants, self._weight, self._bias = _read(weights, self.sha256)
        self._channels = [int(p.get_partial_shape()[1].get_length()) for p in graph.get_parameters()[1:]]
        self._run = Compiled(graph, precision, threads)

    def identity(self) -> str:
        """Equal strings mean equal results."""
        return f"rvm:{self.sha256[:16]}:{self.precision}:compiled"

    def pool(self, pictures: int) -> Executor | None:
        """Where so many pictures are worked on at once."""
        return ThreadPoolExecutor(pictures, "rvm")

    def step(self, pictures: FloatArray, states: Sequence[State | None]) -> tuple[FloatArray, list[State]]:
        """One frame of several pictures of one size.

        pictures: (n, h, w, 3) sRGB 0..1. Returns alphas (n, h, w), 0..1 float32, of the pictures' kind, and what is to be remembered of
        each, always the host's.
        """
        planes = np.ascontiguousarray(host(pictures).transpose(0, 3, 1, 2), np.float32)
        n, _, height, width = planes.shape
        # halves, rounded up
        sizes = [(channels, -(-height >> k), -(-width >> k)) for k, channels in enumerate(self._channels, start=1)]
        memory = [np.stack([np.zeros(size, np.float16) if s is None else host(s[k]) for s in states]) for k, size in enumerate(sizes)]
        hidden, *after = self._run([planes, *memory])
        # the last layer in full precision: bfloat16 has steps of 1/256 where alpha is near 1
        alpha = np.full((n, height, width), self._bias, np.float32)
        for k, weight in enumerate(self._weight):
            alpha += weight * hidden[:, k]
        return beside(np.clip(alpha, 0, 1), pictures), [tuple(values[i] for values in after) for i in range(n)]


def _read(weights: Path, sha256: str) -> tuple[Any, Any, Values, np.float32]:
    """(graph, constants, weight, bias): pictures and memory in, hidden features and memory out; and the layer from those to alpha."""
    ov = openvino()
    named = hashlib.sha256(f"{_REVISION}|{sha256}|{ov.__version__}".encode()).hexdigest()
    path = cache_folder("networks") / f"rvm-{named[:32]}"
    data = _kept(path)
    if data is None:
        data = _made(weights)
        # a cache that cannot be written costs time, nothing else
        with contextlib.suppress(OSError):
            write_atomic(path, hashlib.sha256(data).digest() + data)
            _tidy(path.parent)
    length, channels = (int(v) for v in np.frombuffer(data, "<u8", 2))
    layer = np.frombuffer(data, "<f4", channels + 1, 16)
    begin = 16 + layer.nbytes
    # a copy lies where vectors may
    constants = np.frombuffer(data, np.uint8, -1, begin + length).copy()
    return ov.Core().read_model(data[begin : begin + length], ov.Tensor(constants)), constants, layer[:-1].copy(), np.float32(layer[-1])


def _kept(path: Path) -> bytes | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(data[_HASH:]).digest() == data[:_HASH]:
        with contextlib.suppress(OSError):
            os.utime(path)  # used just now: see `_tidy`
        return data[_HASH:]
    log.warning("%s is damaged; it is made again", path)
    return None


def _tidy(folder: Path) -> None:
    """Deletes what was not used for longest, of other weights and other versions of the library, and what killed processes left behind."""
    remove_leftovers(folder)
    entries = {}
    for path in folder.glob("rvm-*"):
        with contextlib.suppress(OSError):
            entries[path] = path.stat().st_mtime_ns
    for path in sorted(entries, key=lambda p: -entries[p])[_KEPT:]:
        with contextlib.suppress(OSError):
            path.unlink()


def _made(weights: Path) -> bytes:
    """What is kept: the lengths, the last layer, the graph as XML, and its constants."""
    from vr180_ofx.matte.rvm.model import load_network
    from vr180_ofx.matte.rvm.trace import traced

    network = load_network(weights, for_use=True)
    # of foreground and alpha the last channel
    layer = np.append(*(values[-1].detach().numpy().ravel() for values in network.project_mat.conv.parameters())).astype("<f4")
    xml, constants = traced(network)
    return np.array([len(xml), layer.size - 1], "<u8").tobytes() + layer.tobytes() + xml + constants
