"""Frames that will be asked for: further in the direction of scrubbing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress

from vr180_ofx.engine.frame import Frame

#: Requests this far from the one before are still taken for scrubbing in one direction: hosts drop frames when they are dragged quickly.
_SCRUB = 8


def direction_of(n: int, last: int, direction: int) -> int:
    """Where somebody who asks for ``n`` after ``last`` is going: 1 or -1; as before when that was a leap."""
    if 0 < abs(n - last) <= _SCRUB:
        return 1 if n > last else -1
    return direction


class Prefetch:
    """count: frames ahead; 0 asks for none. length: of the clip. ask: requests a frame, raises RuntimeError once the server is closed."""

    def __init__(self, count: int, length: int, ask: Callable[[int], Future[Frame]]) -> None:
        self._count = count
        self._length = length
        self._ask = ask
        self._last, self._direction = 0, 1
        self._asked: dict[int, Future[Frame]] = {}
        self._lock = threading.Lock()

    @property
    def asked(self) -> dict[int, Future[Frame]]:
        """Frames that were asked for ahead, and are still thought to be needed."""
        with self._lock:
            return dict(self._asked)

    def look_ahead(self, n: int) -> None:
        """Somebody asked for frame ``n``: asks for those that will be next, and takes back what was asked for elsewhere."""
        if not self._count:
            return
        with self._lock:
            self._direction = direction_of(n, self._last, self._direction)
            self._last = n
            ahead = range(n + self._direction, n + self._direction * (self._count + 1), self._direction)
            coming = [k for k in ahead if 0 <= k < self._length]
            for old in [k for k in self._asked if k not in coming]:
                self._asked.pop(old).cancel()
            new = [k for k in coming if k not in self._asked]
        for k in new:
            with suppress(RuntimeError):
                future = self._ask(k)
                with self._lock:
                    self._asked[k] = future

    def forget(self) -> None:
        """Takes back what was asked for: the plan changed."""
        with self._lock:
            for future in self._asked.values():
                future.cancel()
            self._asked.clear()
