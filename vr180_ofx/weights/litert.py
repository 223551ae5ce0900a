"""Running LiteRT (TensorFlow Lite) models on the CPU: XNNPACK, one interpreter for each call at a time."""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]


def load_model(path: Path, outputs: tuple[str, ...]) -> LiteRtModel:
    """The model in the file ``path``; whoever asks for the same file shares it."""
    stat = path.stat()
    return _load(path, outputs, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=8)
def _load(path: Path, outputs: tuple[str, ...], _changed: int, _size: int) -> LiteRtModel:
    return LiteRtModel(path, outputs)


class LiteRtModel:
    """A model file with one image input. Safe to call from several threads.

    Getting an interpreter ready takes 0.15 s for the segmenter, and threads come and go: as many are kept as were ever in
    use at once.

    outputs: the names of the tensors to return, in order.
    """

    def __init__(self, path: Path, outputs: tuple[str, ...]) -> None:
        self.path = path
        self.outputs = outputs
        self._data = path.read_bytes()
        self._idle = [self._interpreter()]

    def _interpreter(self) -> tuple[Any, int, tuple[int, ...]]:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        from ai_edge_litert.interpreter import Interpreter

        with _quiet_stderr():
            interpreter = Interpreter(model_content=self._data, num_threads=1)
            interpreter.allocate_tensors()
        by_name = {d["name"]: int(d["index"]) for d in interpreter.get_output_details()}
        missing = [name for name in self.outputs if name not in by_name]
        if missing:
            raise ValueError(f"{self.path} has no output {', '.join(missing)}; it has {', '.join(by_name)}")
        return interpreter, int(interpreter.get_input_details()[0]["index"]), tuple(by_name[name] for name in self.outputs)

    def __call__(self, image: FloatArray) -> tuple[FloatArray, ...]:
        """image: (height, width, 3), in the model's own range. Returns the outputs without their batch axis."""
        try:
            held = self._idle.pop()
        except IndexError:
            held = self._interpreter()
        interpreter, input_index, output_indices = held
        interpreter.set_tensor(input_index, np.ascontiguousarray(image[None], dtype=np.float32))
        interpreter.invoke()
        values = tuple(np.array(interpreter.get_tensor(i)[0]) for i in output_indices)
        self._idle.append(held)
        return values


_stderr_lock = threading.Lock()


class _quiet_stderr:
    """The delegate prints a line on the process's own stderr at every start; people need not see it."""

    def __enter__(self) -> None:
        _stderr_lock.acquire()
        self._saved = None
        try:
            self._saved = os.dup(2)
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 2)
            os.close(null)
        except OSError:
            pass

    def __exit__(self, *exc: object) -> None:
        if self._saved is not None:
            os.dup2(self._saved, 2)
            os.close(self._saved)
        _stderr_lock.release()
