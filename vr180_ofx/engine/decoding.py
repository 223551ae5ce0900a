"""Decoding ahead on a thread of its own, that may be given up when it does not answer."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout

from vr180_ofx.engine.lanes import lane
from vr180_ofx.errors import FrameError
from vr180_ofx.media.contract import Clip, SourceFrame
from vr180_ofx.telemetry import Stages

log = logging.getLogger(__name__)
_POLL_S = 0.25


class Decoder:
    """Frames of a clip, some of them before they are needed.

    timeout_s: a frame that takes longer (a network drive that is gone, a broken driver) is given up with a FrameError, and the
    next one is tried with a decoder of its own. hold: frames after the one that is asked for that are kept once they are decoded.
    """

    def __init__(self, clip: Clip, stages: Stages, timeout_s: float, hold: int = 0, *, device: str | None = None) -> None:
        """device: where frames are put, see `weights.device.Machine.pictures`."""
        self._clip = clip
        self._hold = hold
        self._device = device
        self._stages = stages
        self._timeout_s = timeout_s
        self._ahead: OrderedDict[int, Future[SourceFrame]] = OrderedDict()
        self._worker = _Worker(clip, stages, device)

    def get(self, n: int, ahead: Iterable[int] = (), stop: Callable[[], bool] = lambda: False) -> SourceFrame:
        """Frame ``n``. ahead: what will be asked for next, in that order. stop: gives up early when it says so.

        Raises FrameError, and TimeoutError when stopped.
        """
        future = self._ahead.pop(n, None) or self._worker.submit(n)
        coming = [k for k in ahead if 0 <= k < len(self._clip)]
        for old in [k for k in self._ahead if k not in coming and not n < k <= n + self._hold]:
            self._ahead.pop(old).cancel()
        for k in coming:
            if k not in self._ahead:
                self._ahead[k] = self._worker.submit(k)
        return self._result(n, future, stop)

    def peek(self, n: int, stop: Callable[[], bool] = lambda: False) -> SourceFrame:
        """As `get`; the frame is held, because it will be asked for."""
        if n not in self._ahead:
            self._ahead[n] = self._worker.submit(n)
        return self._result(n, self._ahead[n], stop)

    def _result(self, n: int, future: Future[SourceFrame], stop: Callable[[], bool]) -> SourceFrame:
        begin = time.monotonic()
        while True:
            try:
                return future.result(timeout=_POLL_S)
            except FutureTimeout:
                if future.done():
                    raise
                if stop():
                    raise TimeoutError("stopped while decoding") from None
                if time.monotonic() - max(begin, self._worker.since) > self._timeout_s:
                    self._give_up(n)

    def _give_up(self, n: int) -> None:
        self._worker.abandon()
        self._ahead.clear()
        self._worker = _Worker(self._clip, self._stages, self._device)
        raise FrameError(self._clip.path, n, f"decoding it did not end within {self._timeout_s:g} s (processing.decode_timeout_s)")

    def close(self) -> None:
        self._ahead.clear()
        self._worker.abandon()


class _Worker:
    """A thread that decodes. It is a daemon: one that hangs must not keep the process alive."""

    def __init__(self, clip: Clip, stages: Stages, device: str | None) -> None:
        self._clip = clip
        self._device = device
        self._stages = stages
        self._lane = lane(device)
        self._queue: queue.Queue[tuple[int, Future[SourceFrame]] | None] = queue.Queue()
        self._over = False
        #: When the frame that is being decoded was begun.
        self.since = time.monotonic()
        threading.Thread(target=self._run, name="decode", daemon=True).start()

    def submit(self, n: int) -> Future[SourceFrame]:
        future: Future[SourceFrame] = Future()
        self._queue.put((n, future))
        return future

    def abandon(self) -> None:
        self._over = True
        self._queue.put(None)

    def _run(self) -> None:
        reader: Clip | None = None
        try:
            while (item := self._queue.get()) is not None and not self._over:
                n, future = item
                if not future.set_running_or_notify_cancel():
                    continue
                self.since = time.monotonic()
                try:
                    # here, so that whoever asked is told when the file is gone
                    reader = reader or self._clip.reopen(device=self._device)
                    with self._stages.measure("decode"), self._lane.work():
                        frame = reader.frame(n)
                        # whoever gets it may use it at once, in any lane
                        self._lane.finish()
                except BaseException as error:  # noqa: BLE001 - the future carries it to whoever asked
                    future.set_exception(error)
                else:
                    future.set_result(frame)
        finally:
            if reader is not None:
                reader.close()
