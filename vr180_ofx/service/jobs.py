"""Work that takes longer than a request: analyses and renders, with progress that can be followed and stopped."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

from vr180_ofx.errors import statuses_of

log = logging.getLogger(__name__)
State = Literal["waiting", "running", "done", "failed", "cancelled"]
#: Ended jobs that are remembered.
_KEPT = 200
_HEARTBEAT_S = 15.0

Progress = Callable[[int, int], None]
Task = Callable[[Progress], dict[str, Any] | None]


class _Cancelled(Exception):
    """Raised inside a job, by its progress, when somebody cancelled it."""


class Job:
    """One analysis or render."""

    def __init__(self, kind: Literal["analyse", "render"], clip: str, task: Task) -> None:
        self.id = secrets.token_hex(8)
        self.kind = kind
        self.clip = clip
        self.state: State = "waiting"
        self.done = self.total = 0
        self.error: str | None = None
        self.report: dict[str, Any] | None = None
        self._task = task
        self._begin = self._end = time.monotonic()
        self._cancel = threading.Event()
        self._lock = threading.Lock()
        self._version = 0

    @property
    def ended(self) -> bool:
        return self.state in ("done", "failed", "cancelled")

    def facts(self) -> dict[str, Any]:
        seconds = (self._end if self.ended else time.monotonic()) - self._begin
        eta = seconds / self.done * (self.total - self.done) if self.state == "running" and self.done else None
        return {
            "job": self.id, "kind": self.kind, "clip": self.clip, "state": self.state, "done": self.done, "total": self.total,
            "seconds": round(seconds, 3), "eta_s": None if eta is None else round(eta, 1), "error": self.error, "report": self.report,
        }  # fmt: skip

    def cancel(self) -> None:
        self._cancel.set()
        if self.state == "waiting":
            self._set("cancelled")

    def run(self) -> None:
        if self.ended:
            return
        self._begin = time.monotonic()
        self._set("running")
        try:
            self.report = self._task(self._progress)
        except _Cancelled:
            self._set("cancelled")
        except Exception as error:
            if self._cancel.is_set():
                # the clip was closed under it
                self._set("cancelled")
                return
            if statuses_of(error) is None:
                log.exception("a job failed with an error that should not happen")
                self.error = f"an error that should not happen: {type(error).__name__}: {error}"
            else:
                self.error = str(error)
            self._set("failed")
        else:
            self._set("done")

    def _progress(self, done: int, total: int) -> None:
        if self._cancel.is_set():
            raise _Cancelled
        with self._lock:
            self.done, self.total = done, total
            self._version += 1

    def _set(self, state: State) -> None:
        with self._lock:
            self.state = state
            self._end = time.monotonic()
            self._version += 1

    async def events(self, closing: Callable[[], bool]) -> AsyncIterator[str]:
        """Server-sent events: one when something changed, at most ten a second, and a comment when nothing does."""
        seen, quiet = -1, 0.0
        while True:
            version = self._version
            if version == seen:
                if closing():
                    return
                await asyncio.sleep(0.1)
                quiet += 0.1
                if quiet >= _HEARTBEAT_S:
                    quiet = 0.0
                    yield ": still there\n\n"
                continue
            seen, quiet = version, 0.0
            ended = self.ended
            yield f"event: {'end' if ended else 'progress'}\nid: {seen}\ndata: {json.dumps(self.facts())}\n\n"
            if ended:
                return
            await asyncio.sleep(0.1)


class JobRunner:
    """Runs one analysis and one render at a time: they share the machine with whoever waits for a picture, and a new clip must not wait
    for the end of a long render."""

    def __init__(self) -> None:
        self._pools = {kind: ThreadPoolExecutor(1, kind) for kind in ("analyse", "render")}
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._lock = threading.Lock()

    def start(self, job: Job) -> Job:
        with self._lock:
            self._jobs[job.id] = job
            ended = [k for k, j in self._jobs.items() if j.ended]
            for k in ended[: max(0, len(self._jobs) - _KEPT)]:
                del self._jobs[k]
        self._pools[job.kind].submit(job.run)
        return job

    def get(self, number: str) -> Job | None:
        return self._jobs.get(number)

    def all(self) -> list[Job]:
        with self._lock:
            return list(self._jobs.values())

    def close(self) -> None:
        """Cancels everything and waits: renders stop between two frames, and go on where they stopped."""
        for job in self.all():
            job.cancel()
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)
