"""What the work costs: time per stage, memory, and a log for people."""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil

#: More calls than this are counted and not remembered one by one.
_MOST_EVENTS = 1_000_000


class Stages:
    """Adds up how long each stage takes, over all threads.

    enabled: False counts nothing. trace: whether each call is remembered, too, for `trace`.
    """

    def __init__(self, *, enabled: bool = True, trace: bool = False) -> None:
        self._enabled = enabled
        self._lock = threading.Lock()
        self._begin = time.perf_counter()
        self._events: list[tuple[str, float, float, int, str]] | None = [] if trace else None
        self.seconds: dict[str, float] = {}
        self.calls: dict[str, int] = {}

    @contextlib.contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Counts the time of a ``with`` block for ``stage``."""
        if not self._enabled:
            yield
            return
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - start
            with self._lock:
                self.seconds[stage] = self.seconds.get(stage, 0.0) + spent
                self.calls[stage] = self.calls.get(stage, 0) + 1
                if self._events is not None and len(self._events) < _MOST_EVENTS:
                    thread = threading.current_thread()
                    self._events.append((stage, start - self._begin, spent, thread.ident or 0, thread.name))

    def summary(self) -> dict[str, dict[str, float]]:
        """stage -> seconds, calls and milliseconds per call, the dearest first."""
        with self._lock:
            return {
                name: {
                    "seconds": round(self.seconds[name], 3),
                    "calls": self.calls[name],
                    "ms_per_call": round(1000 * self.seconds[name] / self.calls[name], 2),
                }
                for name in sorted(self.seconds, key=lambda k: -self.seconds[k])
            }

    def trace(self, moments: Iterable[Mapping[str, Any]] = ()) -> dict[str, Any]:
        """All calls as a Chrome trace (the Trace Event Format's JSON object), which Perfetto and chrome://tracing show.

        moments: what `resources.Monitor` saw, as dicts: they become counters.
        """
        process = os.getpid()
        events: list[dict[str, Any]] = []
        with self._lock:
            seen = list(self._events or ())
        for ident, name in sorted({(e[3], e[4]) for e in seen}):
            events.append({"ph": "M", "name": "thread_name", "pid": process, "tid": ident, "args": {"name": name}})
        for stage, start, spent, ident, _ in seen:
            us = {"ts": round(start * 1e6, 1), "dur": round(spent * 1e6, 1)}
            events.append({"ph": "X", "name": stage, "cat": "stage", "pid": process, "tid": ident, **us})
        for moment in moments:
            at = {"ph": "C", "pid": process, "ts": round(moment["seconds"] * 1e6, 1)}
            events.append({**at, "name": "CPU percent", "args": {"process": moment["cpu"]}})
            events.append({**at, "name": "memory MB", "args": {"resident": round(moment["resident"] / 2**20, 1)}})
            for k, gpu in enumerate(moment["gpus"]):
                events.append({**at, "name": f"GPU {k}", "args": {"load": gpu["load"], "memory MB": round(gpu["memory_used"] / 2**20, 1)}})
        return {"traceEvents": events, "displayTimeUnit": "ms", "otherData": {"program": "vr180-ofx"}}


def resident_bytes() -> int:
    """The memory that this process holds, in bytes; 0 where the system does not say."""
    try:
        with open("/proc/self/statm") as stream:
            return int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        return 0


def free_bytes(groups: Path = Path("/sys/fs/cgroup")) -> int:
    """The memory that this process may still take: what the machine has, and what its container may (``groups`` says that)."""
    free = int(psutil.virtual_memory().available)
    for most, now, files in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
    ):
        try:
            limit, used = int((groups / most).read_text()), int((groups / now).read_text())
            stat = dict(line.split() for line in ((groups / most).parent / "memory.stat").read_text().splitlines())
        except (OSError, ValueError):
            continue  # no limit ("max"), no such version, or another system
        # files that were read are counted as used, and are let go when memory is wanted
        return min(free, max(0, limit - used + int(stat.get(files, 0))))
    return free


def tune_allocator() -> None:
    """Lets glibc keep the memory of pictures instead of returning it to the system after each one.

    Measured: a third of the analysis' time went into page faults. There is one arena for all threads, because what one thread
    frees another one needs: a render of a 6144x3072 clip held 1.25 GB instead of 1.6, at the same speed. Does nothing elsewhere.

    For programs that own their process, before the first thread starts: before numpy and OpenCV are imported.
    """
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(-8, 1)  # M_ARENA_MAX
        libc.mallopt(-3, 256 << 20)  # M_MMAP_THRESHOLD
        libc.mallopt(-1, 512 << 20)  # M_TRIM_THRESHOLD
