"""Connections that end: heads and headers within bounds, patience with those who send half a request, and a place for who has the token.

Uvicorn bounds none of these with httptools. Limits are far above what browsers and the clients of this program send.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import sys
from http import HTTPStatus
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Of the request line and all headers together, in bytes; a path of 4,096 characters fits.
HEAD_LIMIT = 32 << 10
HEADER_LIMIT = 100
#: Requests that are sent before the answer to the first has come.
PIPELINE_LIMIT = 32
#: For a head to arrive, and between two requests of somebody who has not shown the token.
HEAD_S = 10.0
#: Between two pieces of a body.
BODY_S = 30.0
#: For a stranger to take their answer.
ANSWER_S = 30.0
#: For the rest of a request that was refused to arrive, so that the answer is read before the connection is cut.
DRAIN_S = 2.0
DRAIN_LIMIT = 8 << 20
#: Connections of those who have not shown the token; the oldest gives way to the next.
STRANGERS = 512
#: All connections.
EVERYBODY = 4096
_SWEEP_S = 0.5


def raise_descriptors() -> None:
    """Lets this process have a descriptor for each connection, and some for files, where the system sets less at first."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * EVERYBODY if hard == resource.RLIM_INFINITY else min(hard, 2 * EVERYBODY)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Crowd:
    """All connections of a server: who has shown the token, and who has waited too long."""

    def __init__(self, strangers: int = STRANGERS, everybody: int = EVERYBODY) -> None:
        self._limits = strangers, everybody
        # in the order in which they came
        self._strangers: dict[Connection, None] = {}
        self._known: set[Connection] = set()
        self._sweeping = False

    def protocol(self) -> type[asyncio.Protocol]:
        """What uvicorn makes connections of."""
        return cast("type[asyncio.Protocol]", functools.partial(Connection, crowd=self))

    def came(self, connection: Connection) -> None:
        strangers, everybody = self._limits
        self._strangers[connection] = None
        if len(self._strangers) > strangers:
            next(iter(self._strangers)).cut()
        elif len(self._strangers) + len(self._known) > everybody:
            connection.cut()
        if not self._sweeping:
            self._sweeping = True
            connection.loop.call_later(_SWEEP_S, self._sweep, connection.loop)

    def left(self, connection: Connection) -> None:
        self._strangers.pop(connection, None)
        self._known.discard(connection)

    def showed_token(self, connection: Connection) -> None:
        if connection in self._strangers:
            del self._strangers[connection]
            self._known.add(connection)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for crowd, known in ((self._strangers, False), (self._known, True)):
            for connection in [c for c in crowd if c.is_late(now, known=known)]:
                connection.cut()
        self._sweeping = bool(self._strangers or self._known)
        if self._sweeping:
            loop.call_later(_SWEEP_S, self._sweep, loop)


class Connection(HttpToolsProtocol):
    """Uvicorn's connection, which is cut when a request is too large, or takes too long to arrive."""

    def __init__(self, *arguments: Any, crowd: Crowd, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._crowd = crowd
        # what is being waited for: the first byte of a request, its head, its body, its answer, or that the rest of it has passed
        self._stage = "idle"
        self._since = 0.0
        #: Bytes since the stage began, as they come; of a head, also as the parser has taken them apart.
        self._came = self._parsed = self._lines = 0
        self._refused: HTTPStatus | None = None

    # what comes ----------------------------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._enter("idle")
        self._crowd.came(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.left(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._stage == "idle":
            self._enter("head")
        elif self._stage == "body":
            self._since = self.loop.time()
        self._came += len(data)
        if self._stage == "drain" and self._came > DRAIN_LIMIT:
            self.cut()
        if self._refused is not None or self.transport.is_closing():
            return
        super().data_received(data)
        # the parser keeps a line that does not end to itself
        if self._stage == "head" and self._came > HEAD_LIMIT and self._refused is None:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._enter("head")
        self._parsed = self._lines = 0
        self.scope["showed_token"] = functools.partial(self._crowd.showed_token, self)  # type: ignore[typeddict-unknown-key]

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._lines += 1
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def _count(self, size: int) -> None:
        self._parsed += size
        if self._parsed > HEAD_LIMIT or self._lines > HEADER_LIMIT:
            self._refused = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise httptools.HttpParserError("too large")

    def on_headers_complete(self) -> None:
        if len(self.pipeline) >= PIPELINE_LIMIT:
            self._refused = HTTPStatus.TOO_MANY_REQUESTS
            raise httptools.HttpParserError("too many")
        super().on_headers_complete()
        self._enter("body")

    def on_message_complete(self) -> None:
        self._enter("idle" if self._stage == "drain" else "answer")
        super().on_message_complete()

    def on_response_complete(self) -> None:
        # who was refused may still be sending
        self._enter("drain" if self._stage == "body" else "idle")
        super().on_response_complete()
        if self.pipeline:
            self.flow.pause_reading()

    # who is sent away ----------------------------------------------------------------------------------------------

    def send_400_response(self, msg: str) -> None:
        """Called by uvicorn for what is no HTTP, and for what `_count` refuses."""
        self._refuse(self._refused or HTTPStatus.BAD_REQUEST)

    def _refuse(self, status: HTTPStatus) -> None:
        self._refused = status
        if self.cycle is not None and not self.cycle.response_complete:
            # an answer is on its way, and another cannot be put into the middle of it
            self.cut()
            return
        details = {
            HTTPStatus.BAD_REQUEST: "this is no request of HTTP/1.1",
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: f"a request has at most {HEAD_LIMIT} bytes and {HEADER_LIMIT} lines of headers",
        }
        document = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": details.get(status, status.phrase)}
        body = json.dumps(document).encode()
        head = f"HTTP/1.1 {int(status)} {status.phrase}\r\nContent-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n"
        self.transport.write(f"{head}Connection: close\r\n\r\n".encode() + body)
        # closing at once, with unread bytes, would take the answer back
        with contextlib.suppress(OSError, NotImplementedError):
            self.transport.write_eof()
        self._enter("drain")

    def is_late(self, now: float, *, known: bool) -> bool:
        """Whether what is waited for has not come in time. known: whether they have shown the token."""
        if self._stage == "body" and self.flow.read_paused:
            # it is us who do not read
            self._since = now
        limits = {"head": HEAD_S, "body": BODY_S, "drain": DRAIN_S}
        if not known:
            limits |= {"idle": HEAD_S, "answer": ANSWER_S}
        return now - self._since > limits.get(self._stage, float("inf"))

    def cut(self) -> None:
        """Ends the connection at once."""
        self._crowd.left(self)
        self.transport.abort()

    def _enter(self, stage: str) -> None:
        self._stage, self._since, self._came = stage, self.loop.time(), 0
