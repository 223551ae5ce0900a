"""Queues of a graphics card for the engine's threads: decoding, networks and finishing work beside each other there as they do here.

Where pictures are NumPy's there is nothing to queue, and PyTorch is not loaded.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, Protocol

from vr180_ofx.imaging.either import is_tensor
from vr180_ofx.media.contract import SourceFrame


class AnyLane(Protocol):
    """See `imaging.on_torch.cuda.Lane`."""

    def work(self, *after: Any) -> contextlib.AbstractContextManager[None]: ...

    def mark(self) -> Any: ...

    def borrow(self, tensors: Any) -> None: ...

    def finish(self) -> None: ...


class _NoLane:
    """Where nothing is queued."""

    def work(self, *after: Any) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def mark(self) -> None:
        return None

    def borrow(self, tensors: Any) -> None: ...

    def finish(self) -> None: ...


NO_LANE: AnyLane = _NoLane()


def lane(device: str | None) -> AnyLane:
    """device: where pictures are, see `weights.device.Machine.pictures`."""
    if device is None:
        return NO_LANE
    from vr180_ofx.imaging.on_torch.cuda import Lane

    return Lane(device)


def borrowed(frame: SourceFrame, by: AnyLane) -> SourceFrame:
    """The frame, for a lane that looks at its pictures, which the decoder's made: their memory is not used again before it has."""
    if by is not NO_LANE:
        planes: dict[int, Any] = {}

        def seen(array: Any) -> Any:
            if is_tensor(array):
                planes[id(array)] = array
            return array

        for eye in frame.eyes.values():
            eye.moved(seen)
        by.borrow(planes.values())
    return frame


def following(pool: Executor, device: str | None) -> Executor:
    """Threads whose work goes into the queue of whoever gives it to them: PyTorch has a current one for each thread."""
    return pool if device is None or not device.startswith("cuda") else _Following(pool, device)


class _Following(Executor):
    """Ended by whoever made the pool."""

    def __init__(self, pool: Executor, device: str) -> None:
        self._pool = pool
        self._device = device

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **words: Any) -> Future[Any]:
        from vr180_ofx.imaging.on_torch.cuda import in_this_queue

        return self._pool.submit(in_this_queue(fn, self._device), *arguments, **words)
