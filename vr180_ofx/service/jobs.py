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
from typing import Any, Literal

from vr180_ofx.errors import ServiceError, statuses_of

log = logging.getLogger(__name__)
State = Literal["waiting", "running", "done", "failed", "cancelled"]
Kind = Literal["analyse", "render"]
#: Ended jobs that are remembered.
_KEPT = 200
#: Analyses that were cancelled and have not stopped yet, beside which the next one begins: a search of a large frame takes seconds. More of
#: them wait after all, so that a drive that hangs does not take a thread for each clip that somebody tries.
_STOPPING = 4
_HEARTBEAT_S = 15.0

Progress = Callable[[int, int], None]
Task = Callable[[Progress], dict[str, Any] | None]


def closing_error() -> ServiceError:
    """For whoever waits, or comes, when the server ends."""
    return ServiceError(503, "the server is being closed", {"Retry-After": "2"})


class _Cancelled(Exception):
    """Raised inside a job, by its progress, when somebody cancelled it."""


class Job:
    """One analysis or render. moved: when it last came on, in the seconds of `time.monotonic`."""

    def __init__(self, kind: Kind, clip: str, task: Task) -> None:
        self.id = secrets.token_hex(8)
        self.kind: Kind = kind
        self.clip = clip
        self.state: State = "waiting"
        self.done = self.total = 0
        self.error: str | None = None
        self.report: dict[str, Any] | None = None
        self._task: Task | None = task
        self._begin = self._end = self.moved = time.monotonic()
        self._cancel = threading.Event()
        self._lock = threading.Lock()
        self._version = 0

    @property
    def ended(self) -> bool:
        return self.state in ("done", "failed", "cancelled")

    @property
    def cancelled(self) -> bool:
        """Whether somebody cancelled it; it may still be about to stop."""
        return self._cancel.is_set()

    def facts(self) -> dict[str, Any]:
        seconds = (self._end if self.ended else time.monotonic()) - self._begin
        eta = seconds / self.done * (self.total - self.done) if self.state == "running" and self.done else None
        return {
            "job": self.id, "kind": self.kind, "clip": self.clip, "state": self.state, "done": self.done, "total": self.total,
            "seconds": round(seconds, 3), "eta_s": None if eta is None else round(eta, 1), "error": self.error, "report": self.report,
        }  # fmt: skip

    def cancel(self) -> None:
        """It ends at once where it waits for its turn, else between two frames. See `JobRunner.cancel`."""
        self._cancel.set()
        self._move("waiting", "cancelled")

    def run(self) -> None:
        if not self._move("waiting", "running"):
            return
        assert self._task is not None
        try:
            self.report = self._task(self._progress)
        except _Cancelled:
            self._move("running", "cancelled")
        except BaseException as error:
            if self._cancel.is_set():
                # the clip was closed under it
                self._move("running", "cancelled")
                return
            if statuses_of(error) is None:
                log.exception("a job failed with an error that should not happen")
                self.error = f"an error that should not happen: {type(error).__name__}: {error}"
            else:
                self.error = str(error)
            self._move("running", "failed")
        else:
            self._move("running", "done")

    def _progress(self, done: int, total: int) -> None:
        if self._cancel.is_set():
            raise _Cancelled
        with self._lock:
            self.done, self.total = done, total
            self.moved = time.monotonic()
            self._version += 1

    def _move(self, old: State, new: State) -> bool:
        """Whether it was in the state ``old``; from there it goes to ``new``."""
        with self._lock:
            if self.state != old:
                return False
            self.state = new
            self._end = self.moved = time.monotonic()
            if new == "running":
                self._begin = self._end
            else:
                # what it works on is not kept for as long as its facts are
                self._task = None
            self._version += 1
            return True

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
    for the end of a long render.

    max_renders: that may wait for their turn. ended: called, on any thread, when a job has ended.
    """

    def __init__(self, max_renders: int = 1000, ended: Callable[[], None] = lambda: None) -> None:
        self._max_renders = max_renders
        self._ended = ended
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._running: dict[Job, threading.Thread] = {}
        self._closed = False
        self._lock = threading.Lock()

    def start(self, job: Job) -> Job:
        """Gives a job its place in the row. Raises ServiceError when too many renders are there."""
        with self._lock:
            if self._closed:
                raise closing_error()
            if job.kind == "render":
                waiting = sum(j.kind == "render" and j.state == "waiting" for j in self._jobs.values())
                if waiting >= self._max_renders:
                    raise ServiceError(
                        503, f"{waiting} renders wait for their turn, and more are not taken (service.max_renders); "
                        "cancel some with DELETE /v1/jobs/JOB, or ask again when one has ended", {"Retry-After": "60"},
                    )  # fmt: skip
            self._jobs[job.id] = job
            ended = [k for k, j in self._jobs.items() if j.ended]
            for k in ended[: max(0, len(self._jobs) - _KEPT)]:
                del self._jobs[k]
            self._advance()
        return job

    def get(self, number: str) -> Job | None:
        return self._jobs.get(number)

    def all(self) -> list[Job]:
        with self._lock:
            return list(self._jobs.values())

    def cancel(self, job: Job) -> None:
        """Ends a job: at once where it waits for its turn, else between two frames. The next analysis does not wait for that."""
        job.cancel()
        with self._lock:
            self._advance()
        self._ended()

    def close(self, timeout_s: float) -> bool:
        """Cancels everything and waits: renders stop between two frames, and go on where they stopped. Whether all have stopped."""
        with self._lock:
            self._closed = True
            jobs, threads = list(self._jobs.values()), list(self._running.values())
        for job in jobs:
            job.cancel()
        end = time.monotonic() + timeout_s
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        self._ended()
        return not any(t.is_alive() for t in threads)

    def _advance(self) -> None:
        """Begins what may run now. Called with the lock held."""
        if self._closed:
            return
        for job in self._jobs.values():
            if job.state == "waiting" and job not in self._running and self._may_run(job.kind):
                # it does not keep the program from ending: what it writes is whole or not there at all
                thread = threading.Thread(target=self._run, args=(job,), name=job.kind, daemon=True)
                self._running[job] = thread
                thread.start()

    def _may_run(self, kind: Kind) -> bool:
        stopping = [j.cancelled for j in self._running if j.kind == kind]
        # two renders may write to one folder: there the next one begins when the one before has stopped
        return all(stopping) and len(stopping) <= (_STOPPING if kind == "analyse" else 0)

    def _run(self, job: Job) -> None:
        try:
            job.run()
        finally:
            with self._lock:
                del self._running[job]
                self._advance()
            self._ended()
