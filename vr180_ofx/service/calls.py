"""What all routes work on, how they call the engine, and how they notice that nobody waits any more."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import anyio.to_thread
from fastapi import Header, Path, Request

from vr180_ofx.errors import ServiceError, Vr180Error, statuses_of
from vr180_ofx.resources import Monitor
from vr180_ofx.service.access import Roots
from vr180_ofx.service.attendance import Attendance
from vr180_ofx.service.jobs import closing_error
from vr180_ofx.service.session import Session
from vr180_ofx.service.sessions import Sessions
from vr180_ofx.settings import Settings

ClipId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", description="From POST /v1/clips.")]
Asker = Annotated[
    str | None,
    Header(
        alias="X-Asker", pattern=r"^[A-Za-z0-9_-]{1,64}$",
        description="Who waits, by a name that only this call uses: an analysis is given up when all who asked for it are gone.",
    ),
]  # fmt: skip
T = TypeVar("T")


class HungUp(ServiceError):
    """The client closed its connection before the answer."""

    def __init__(self) -> None:
        super().__init__(499, "the client hung up")


class Bell:
    """Wakes all who wait on the event loop; rung from any thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: set[asyncio.Future[None]] = set()

    def hang(self) -> None:
        """To be called once, on the loop."""
        self._loop = asyncio.get_running_loop()

    def ring(self) -> None:
        if self._loop is not None:
            # a loop that is closed has nobody left
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting = set()

    async def heard(self) -> None:
        """Until it rings."""
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            await waiting
        finally:
            self._waiting.discard(waiting)


class Service:
    """What the routes work on. closing: whether the server is about to end. machine: what it is asked about the machine.

    bell: rings when a job has ended, and when the server is about to end.
    """

    def __init__(self, settings: Settings, roots: Roots) -> None:
        self.bell = Bell()
        self.sessions = Sessions(settings, roots, self.bell.ring)
        self.attendance = Attendance(self.sessions)
        self.closing = False
        self.machine = Monitor()
        self.began = time.monotonic()
        #: After how many idle seconds the process ends by itself; None: never.
        self.idle_exit_s: float | None = None
        self._leave: Callable[[], None] | None = None

    def may_stop(self, leave: Callable[[], None], idle_exit_s: float | None) -> None:
        """leave: has the process end, in its own time. To be said by whoever runs the process."""
        self._leave, self.idle_exit_s = leave, idle_exit_s

    def stop(self) -> None:
        """The server ends as by SIGTERM: requests that wait are answered, renders stop between two frames, memory is kept."""
        if self._leave is None:
            raise ServiceError(503, "nothing is known here of the server's process; end that instead")
        self.end_soon()
        self._leave()

    def end_soon(self) -> None:
        """From now on nobody is kept waiting. May be called from any thread, and from handlers of signals."""
        self.closing = True
        self.bell.ring()


async def engine(function: Callable[..., T], *arguments: Any) -> T:
    """Calls the engine on a thread. What it has to say to people becomes a problem document.

    When the server ends before it does, it is left alone: what it writes is whole or not there.
    """
    try:
        return await anyio.to_thread.run_sync(function, *arguments, abandon_on_cancel=True)
    except asyncio.CancelledError:
        # requests are cancelled by the end of the server alone, and still have time to say so
        raise closing_error() from None
    except Vr180Error:
        raise
    except Exception as error:
        raise translated(error) from error


async def attended(request: Request, service: Service, work: asyncio.Future[T]) -> T:
    """What ``work`` gives, waited for as long as the client does. Raises HungUp, and ServiceError when the server ends.

    ``work`` is cancelled then. When somebody else cancelled it, its CancelledError is an error 503: the clip was closed.
    """
    gone = asyncio.ensure_future(_disconnected(request))
    try:
        while not work.done():
            if service.closing:
                raise closing_error()
            rung = asyncio.ensure_future(service.bell.heard())
            try:
                await asyncio.wait((work, gone, rung), return_when=asyncio.FIRST_COMPLETED)
            finally:
                rung.cancel()
            if gone.done() and not work.done():
                raise HungUp
        if work.cancelled():
            raise ServiceError(503, "the frame was given up: the clip or the server is being closed", {"Retry-After": "2"})
        return work.result()
    finally:
        gone.cancel()
        work.cancel()


async def _disconnected(request: Request) -> None:
    """Until the client has closed its connection. The request's body was read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def give_up(service: Service, session: Session, asker: str) -> None:
    """An asker is gone: what was done for them alone is stopped."""
    session.claims.forget(asker)
    service.sessions.give_up_unwanted()


def address_of(request: Request) -> str:
    """What tells a connection from others: an asker who has no name."""
    return "{}:{}".format(*request.client) if request.client is not None else "?"


def translated(error: Exception) -> Exception:
    """What the operating system says, as an answer; a bug stays what it is."""
    statuses = statuses_of(error)
    if statuses is None:
        return error
    text = error.strerror if isinstance(error, OSError) else None
    return ServiceError(statuses.http, text or str(error) or type(error).__name__)
