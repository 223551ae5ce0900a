"""What is CUDA's own, and what stands in its place on other devices: streams, and marks between them.

PyTorch calls AMD's devices cuda, too; on MPS and the CPU there is one queue, and nothing here does anything.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

#: A place in a stream; None where there are no streams.
Mark = torch.cuda.Event | None


def queue_of(device: torch.device) -> int:
    """Which queue work is asked for in now. What is kept for later belongs to one: others do not wait until it is there."""
    return int(torch.cuda.current_stream(device).cuda_stream) if device.type == "cuda" else 0


def is_recording(device: torch.device) -> bool:
    """Whether what is asked for is recorded as a graph, which finds what it uses at the same addresses for ever."""
    return device.type == "cuda" and torch.cuda.is_current_stream_capturing()


def in_this_queue(function: Callable[..., Any], device: str) -> Callable[..., Any]:
    """The function for another thread: what it asks for comes into the queue that is this thread's now. device: a CUDA device."""
    stream = torch.cuda.current_stream(device)

    @functools.wraps(function)
    def run(*arguments: Any, **words: Any) -> Any:
        with torch.cuda.stream(stream):
            return function(*arguments, **words)

    return run


class Lane:
    """A queue of work beside those of other threads; one for each of decoding, networks and finishing.

    Work in one lane is done in order. What another lane made is waited for by its mark, on the device: the thread goes on.
    """

    def __init__(self, device: str) -> None:
        """device: with its number, such as cuda:0, cpu."""
        self._stream = torch.cuda.Stream(device) if device.startswith("cuda") else None  # type: ignore[no-untyped-call]

    @contextlib.contextmanager
    def work(self, *after: Mark) -> Iterator[None]:
        """What is asked of PyTorch inside comes into this lane, once those places of other lanes are reached."""
        if self._stream is None:
            yield
            return
        with torch.cuda.stream(self._stream):
            for mark in after:
                if mark is not None:
                    self._stream.wait_event(mark)
            yield

    def mark(self) -> Mark:
        """The place after everything that is in the lane now."""
        return None if self._stream is None else self._stream.record_event()

    def borrow(self, tensors: Iterable[Tensor]) -> None:
        """Tensors that another lane made, and this one uses: their memory is not given to others before what is in this lane is done."""
        if self._stream is not None:
            for tensor in tensors:
                tensor.record_stream(self._stream)

    def finish(self) -> None:
        """Waits until everything in the lane is done."""
        if self._stream is not None:
            self._stream.synchronize()
