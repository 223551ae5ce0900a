"""Whether anybody needs the server: it may end by itself when nobody does."""

from __future__ import annotations

import time

from starlette.types import ASGIApp, Receive, Scope, Send

from vr180_ofx.service.sessions import Sessions

#: Asked by whoever watches a server, and by clients that look whether it is there; that alone is no reason to stay.
_NOBODY = ("/", "/v1/health", "/v1/proof", "/v1/server")


class Attendance:
    """Counts what is a reason to stay: requests that are being answered, renders that come on, analyses that come on and are waited for.

    Whoever listens to a job's events does not count beside the job itself, and neither does a question for health. So no job that
    hangs, and none that nobody waits for, keeps a server for ever.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._last = time.monotonic()
        self._answering = 0

    def watch(self, app: ASGIApp) -> ASGIApp:
        """The application, with its requests counted. To be used on one event loop."""

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["path"] in _NOBODY:
                await app(scope, receive, send)
                return
            listens = scope["path"].endswith("/events")
            self._last = time.monotonic()
            self._answering += not listens
            try:
                await app(scope, receive, send)
            finally:
                self._answering -= not listens
                self._last = time.monotonic()

        return watched

    @property
    def idle_s(self) -> float:
        """For how many seconds there has been no reason to stay."""
        now = time.monotonic()
        if self._answering:
            self._last = now
        wanted = {s.id for s in self._sessions.all() if s.claims.wanted}
        moved = [j.moved for j in self._sessions.jobs.all() if j.kind == "render" or j.clip in wanted]
        return now - max([self._last, *moved])
