"""Staying within the memory that is allowed: what is given up first, and saying so."""

from __future__ import annotations

import contextlib
import ctypes
import logging
from collections.abc import Callable
from dataclasses import dataclass

from vr180_ofx.errors import ResourceError
from vr180_ofx.telemetry import free_bytes, resident_bytes

log = logging.getLogger(__name__)
#: Above this share of the limit something is given up.
_FULL = 0.92
#: Of the memory that may be had, for finished frames and for checkpoints each.
_CACHE_SHARE = 0.125
#: With less than this left on the machine, too, whoever uses it: but never resolution, which is not given back when others are done.
_LEAST_FREE = 384 * 2**20


@dataclass(frozen=True, slots=True)
class Level:
    """How much is given up. cache: share of the caches that is kept. batch: windows worked on at once, 0 for all.

    shrink: the mattes are made at the resolution divided by it, and enlarged.
    """

    name: str
    cache: float = 1.0
    batch: int = 0
    shrink: int = 1


LEVELS = (
    Level("none"),
    Level("chunks: little of them is kept", 0.1),
    Level("chunks, batch of 1", 0.0, 1),
    Level("chunks, batch of 1, scale 0.5", 0.0, 1, 2),
    Level("chunks, batch of 1, scale 0.25", 0.0, 1, 4),
)


class Ladder:
    """Steps down when memory runs short: first what is kept of chunks, then how much is done at once, then resolution.

    limit_bytes: what the process may hold. used, free: say how much that is, and how much the machine has left.

    It never steps up again: a clip whose frames change between qualities is worse than one that is a little less sharp from some frame on.
    """

    def __init__(self, limit_bytes: float, used: Callable[[], int] = resident_bytes, free: Callable[[], int] = free_bytes) -> None:
        self.limit = limit_bytes
        self._used = used
        self._free = free
        self.number = 0

    @property
    def level(self) -> Level:
        return LEVELS[self.number]

    def check(self) -> None:
        """Looks at the memory, and takes a step when it runs short.

        Raises ResourceError when nothing is left to give up and the limit is passed.
        """
        used = self._used()
        if used <= _FULL * self.limit:
            if self.number + 1 < len(LEVELS) and LEVELS[self.number + 1].shrink == 1 and (free := self._free()) < _LEAST_FREE:
                self.down(f"the machine, or this container, has {free / 2**20:.0f} MB left")
            return
        if self.number + 1 < len(LEVELS):
            self.down(f"{used / 2**30:.2f} GB are in use of {self.limit / 2**30:.2f} (processing.max_memory_gb)")
        elif used > self.limit:
            raise ResourceError(
                f"{used / 2**30:.2f} GB are in use, and processing.max_memory_gb allows {self.limit / 2**30:.2f}, although everything that "
                "can be given up was: caches, batches and resolution. Allow more, or close other programs"
            )

    def down(self, why: str) -> None:
        """One step, for a reason. Raises ResourceError when there is none left."""
        if self.number + 1 >= len(LEVELS):
            raise ResourceError(f"out of memory: {why}. Caches, batches and resolution were given up already")
        self.number += 1
        log.warning("memory runs short: %s. Now: %s", why, self.level.name)


def cache_budget(limit_bytes: float) -> int:
    """Bytes for a cache, of what may be had: a small machine, or a busy one, keeps less. limit_bytes: what the process may hold."""
    return int(min(limit_bytes, resident_bytes() + free_bytes()) * _CACHE_SHARE)


def shortage(error: BaseException) -> str:
    """What an error says of memory that ran short; empty when it is another one."""
    if isinstance(error, MemoryError):
        return str(error) or "an allocation failed"
    # PyTorch's own: not a MemoryError
    return str(error).splitlines()[0] if type(error).__name__ == "OutOfMemoryError" else ""


def give_back() -> None:
    """Returns memory that nobody uses to the system (glibc keeps it otherwise)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
