"""Who is served next: requests by priority, equal ones together, cancelled ones not at all."""

from __future__ import annotations

import enum
import heapq
import threading
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from typing import Literal

from vr180_ofx.engine.frame import Frame
from vr180_ofx.errors import ServerBusyError
from vr180_ofx.trackers.contract import Memory

Quality = Literal["final", "draft"]


class Priority(enum.IntEnum):
    """Somebody waits in front of a picture; somebody will probably ask soon; a render that takes its time."""

    INTERACTIVE = 0
    PREFETCH = 1
    BATCH = 2


@dataclass(eq=False, slots=True)
class Work:
    """One frame to be made, for everybody who asked for it.

    progress: where an interrupted attempt stopped: chunk number -> (next frame, tracker's memory). short: why an attempt ran short of
    memory.
    """

    n: int
    quality: Quality
    priority: Priority
    order: int
    futures: list[Future[Frame]] = field(default_factory=list)
    progress: dict[int, tuple[int, Memory]] = field(default_factory=dict)
    version: int = 0
    short: str = ""

    @property
    def wanted(self) -> bool:
        return any(not f.cancelled() for f in self.futures)


class Scheduler:
    """A bounded queue. Futures stay pending until their frame is there, so `Future.cancel` works while it is being made."""

    def __init__(self, limit: int = 4096) -> None:
        self._limit = limit
        self._heap: list[tuple[int, int, Work]] = []
        self._works: dict[tuple[int, str], Work] = {}
        #: Being made: stepping, finishing.
        self._running: set[Work] = set()
        self._order = 0
        self._closed = False
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._works)

    def waiting(self) -> dict[str, int]:
        """How many frames somebody still wants, by priority; those that are being made among them."""
        with self._changed:
            wanted = [w.priority for w in self._works.values() if w.wanted]
        return {p.name.lower(): wanted.count(p) for p in Priority}

    def submit(self, n: int, quality: Quality, priority: Priority) -> Future[Frame]:
        """Asks for a frame. Raises ServerBusyError when too many wait, RuntimeError when closed."""
        future: Future[Frame] = Future()
        with self._changed:
            if self._closed:
                raise RuntimeError("the frame server is closed")
            work = self._works.get((n, quality))
            if work is not None and work.wanted:
                work.futures.append(future)
                if priority < work.priority:
                    work.priority = priority
                    self._push(work)
                return future
            if len(self._works) >= self._limit:
                self._forget_unwanted()
                if len(self._works) >= self._limit:
                    raise ServerBusyError(f"{len(self._works)} frames are waiting to be made, and more are not taken; ask again later")
            self._order += 1
            work = Work(n, quality, priority, self._order, [future])
            self._works[n, quality] = work
            self._push(work)
            return future

    def next(self) -> Work | None:
        """Waits for the most urgent work; None when closed."""
        with self._changed:
            while True:
                if self._closed:
                    return None
                work = self._pop()
                if work is not None:
                    self._running.add(work)
                    return work
                self._changed.wait()

    def urgent(self, work: Work) -> bool:
        """Whether something more urgent than ``work`` waits."""
        with self._changed:
            return any(p < work.priority and w is not work and self._current(p, w) for p, _, w in self._heap[:64])

    def waiting_for(self, n: int) -> bool:
        """Whether somebody asked for this frame (and it may pay to decode it)."""
        work = self._works.get((n, "final"))
        return work is not None and work.wanted

    def requeue(self, work: Work) -> None:
        """Puts a work back that made room for a more urgent one."""
        with self._changed:
            self._running.discard(work)
            if not self._closed:
                self._push(work)
                return
        for future in work.futures:
            future.cancel()

    def finish(self, work: Work, frame: Frame) -> None:
        for future in self._take(work):
            _settle(future, frame, None)

    def fail(self, work: Work, error: BaseException) -> None:
        for future in self._take(work):
            _settle(future, None, error)

    def drop(self, work: Work) -> None:
        """Nobody wants it any more."""
        for future in self._take(work):
            future.cancel()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            works = [w for w in self._works.values() if w not in self._running]
            self._works = {}
            self._heap = []
        for work in works:
            for future in work.futures:
                future.cancel()

    def _take(self, work: Work) -> list[Future[Frame]]:
        with self._changed:
            if self._works.get((work.n, work.quality)) is work:
                del self._works[work.n, work.quality]
            self._running.discard(work)
            return list(work.futures)

    def _push(self, work: Work) -> None:
        heapq.heappush(self._heap, (int(work.priority), work.order, work))
        self._changed.notify()

    def _pop(self) -> Work | None:
        while self._heap:
            priority, _, work = heapq.heappop(self._heap)
            if not self._current(priority, work):
                continue
            if work.wanted:
                return work
            del self._works[work.n, work.quality]
        return None

    def _current(self, priority: int, work: Work) -> bool:
        """Works whose priority rose are in the heap twice, and those that are being made may be too."""
        return work not in self._running and self._works.get((work.n, work.quality)) is work and priority == work.priority

    def _forget_unwanted(self) -> None:
        for key in [k for k, w in self._works.items() if not w.wanted and w not in self._running]:
            del self._works[key]


def _settle(future: Future[Frame], frame: Frame | None, error: BaseException | None) -> None:
    try:
        if not future.set_running_or_notify_cancel():
            return
        if error is not None:
            future.set_exception(error)
        else:
            assert frame is not None
            future.set_result(frame)
    except InvalidStateError:
        return  # cancelled between the two
