"""Networks without the cost of launches: what is asked for again at the same shapes is recorded once, and replayed.

A step of SAM 2 asks a graphics card for some five hundred kernels, and each costs the CPU 5 to 10 microseconds, whatever it does. CUDA
records them as a graph, which is asked for by one call. Such a graph reads and writes at fixed addresses: inputs are copied into buffers
of its own, and outputs lie in others, which the next call of the same shapes overwrites. All of this but the recording itself is the same
on every device, so `Rehearsal` stands in for it where there is no CUDA.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from vr180_ofx.weights import memory_short

log = logging.getLogger(__name__)
Function = Callable[..., tuple[Tensor, ...]]
T = TypeVar("T")
#: Windows that networks see at once on a graphics card: a batch has the least of these that holds it, and is filled up with its last
#: window. So a window's numbers depend on how many there are, which the plan says, and never on what else there is.
BUCKETS = (1, 2, 4, 8)
#: Calls of the same shapes before they are recorded. Recording takes as long as some ten calls, and libraries choose and prepare their
#: kernels in the first one.
_CALLS_BEFORE = 2
#: Recordings that are kept, those that were used last: people who come, go and are shown anew have memories of other lengths.
_KEPT = 32


@dataclass(frozen=True, slots=True)
class Recording:
    """A function at fixed shapes. inputs, outputs: its buffers. replay: computes the outputs from what lies in the inputs."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    replay: Callable[[], None]


class Recorder(Protocol):
    """What makes recordings on some kind of device."""

    def record(self, function: Function, inputs: tuple[Tensor, ...]) -> Recording:
        """inputs: the buffers that it will read, with numbers in them. Raises RuntimeError when it cannot be recorded."""
        ...

    def forget(self) -> None:
        """Called before recordings are given up: nothing on the device uses them any more when it returns."""
        ...


class Rehearsal:
    """Calls the function anew each time, from and to the same buffers: what a graph does, on any device."""

    def record(self, function: Function, inputs: tuple[Tensor, ...]) -> Recording:
        outputs = _buffers_for(function(*inputs))
        return Recording(inputs, outputs, lambda: _fill(outputs, function(*inputs)))

    def forget(self) -> None:
        """Nothing is under way."""


class CudaGraphs:
    """CUDA's own. What is needed in between is taken from one pool, which counts as PyTorch's memory (`hardware.max_vram_gb`)."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._pool = torch.cuda.graph_pool_handle()
        self._side = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def record(self, function: Function, inputs: tuple[Tensor, ...]) -> Recording:
        # outputs lie outside of the pool: recordings share that, and each may overwrite there what another one left
        outputs = _buffers_for(function(*inputs))
        here = torch.cuda.current_stream(self._device)
        self._side.wait_stream(here)
        with torch.cuda.stream(self._side):
            _fill(outputs, function(*inputs))
        here.wait_stream(self._side)
        graph = torch.cuda.CUDAGraph()
        # other threads go on decoding and finishing meanwhile: what they allocate is none of the recording's business
        with torch.cuda.graph(graph, pool=self._pool, stream=self._side, capture_error_mode="thread_local"):
            _fill(outputs, function(*inputs))
        return Recording(inputs, outputs, graph.replay)

    def forget(self) -> None:
        torch.cuda.synchronize(self._device)


def filled(items: list[T], buckets: Sequence[int] = BUCKETS) -> list[T]:
    """As many as a batch has: see `BUCKETS`. Those that do not fit into any stay as they are."""
    size = next((b for b in buckets if b >= len(items)), len(items))
    return items + items[-1:] * (size - len(items))


def recorder_for(device: torch.device, *, rehearsed: bool = False) -> Recorder | None:
    """None where nothing can be recorded: functions are called as they are. rehearsed: the CPU does as a graphics card, for tests."""
    if device.type == "cuda" and torch.version.hip is None:
        return CudaGraphs(device)
    return Rehearsal() if rehearsed else None


class Graphs:
    """Calls functions of tensors; those that come again at the same shapes by a recording.

    For one thread at a time. recorder: None calls them as they are. When memory runs short (`weights.memory_short`), recordings are given
    up at the next call, and what comes again is recorded anew if there is room for it.
    """

    def __init__(self, recorder: Recorder | None, *, calls_before: int = _CALLS_BEFORE, kept: int = _KEPT) -> None:
        self._recorder = recorder
        self._calls_before, self._most = calls_before, kept
        self._calls: dict[Hashable, int] = {}
        self._recordings: OrderedDict[Hashable, Recording] = OrderedDict()
        self.replays = 0
        self._told = memory_short.times_told()

    def __len__(self) -> int:
        return len(self._recordings)

    def __call__(self, name: str, function: Function, *inputs: Tensor) -> tuple[Tensor, ...]:
        """The function's tensors. They are lent: whoever keeps one copies it, because the next call may overwrite it.

        name: the function's; under one name it is the same function, which depends on nothing but its inputs. Within
        `torch.inference_mode`.
        """
        if self._recorder is None:
            return function(*inputs)
        if self._told != memory_short.times_told():
            self._told = memory_short.times_told()
            self.clear()
        key = (name, *((tuple(t.shape), t.dtype, t.stride()) for t in inputs))
        recording = self._recordings.get(key)
        if recording is None:
            self._calls[key] = self._calls.get(key, 0) + 1
            if self._calls[key] <= self._calls_before:
                return function(*inputs)
            recording = self._record(self._recorder, key, function, inputs)
            if recording is None:
                return function(*inputs)
        self._recordings.move_to_end(key)
        for buffer, given in zip(recording.inputs, inputs, strict=True):
            if buffer.data_ptr() != given.data_ptr():
                buffer.copy_(given)
        recording.replay()
        self.replays += 1
        return recording.outputs

    def kept(self, *lent: Tensor) -> tuple[Tensor, ...]:
        """What a call returned, for those who keep it."""
        return lent if self._recorder is None else tuple(t.clone() for t in lent)

    def clear(self) -> None:
        """Gives all recordings up, and their memory; what comes again is recorded anew."""
        if self._recordings and self._recorder is not None:
            self._recorder.forget()
        self._recordings.clear()
        self._calls.clear()

    def _record(self, recorder: Recorder, key: Hashable, function: Function, inputs: Sequence[Tensor]) -> Recording | None:
        # what another recording leaves where it always does need not be copied
        lent = {out.data_ptr() for r in self._recordings.values() for out in r.outputs}
        try:
            made = recorder.record(function, tuple(t if t.data_ptr() in lent else t.clone() for t in inputs))
        except RuntimeError as error:
            log.warning(
                "networks are called kernel by kernel, which takes longer: a graph of them cannot be recorded (%s)",
                str(error).strip().partition("\n")[0],
            )
            self._recorder = None
            self._recordings.clear()
            return None
        while len(self._recordings) >= self._most:
            recorder.forget()
            del self._calls[next(iter(self._recordings))]
            self._recordings.popitem(last=False)
        self._recordings[key] = made
        return made


def _buffers_for(made: Sequence[Tensor]) -> tuple[Tensor, ...]:
    return tuple(torch.empty_like(t, memory_format=torch.preserve_format) for t in made)


def _fill(buffers: Sequence[Tensor], made: Sequence[Tensor]) -> None:
    for buffer, values in zip(buffers, made, strict=True):
        buffer.copy_(values)
