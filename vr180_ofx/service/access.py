"""Who may ask, from where, for which files, how much and how often."""

from __future__ import annotations

import contextlib
import hmac
import ipaddress
import os
import re
import stat
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vr180_ofx.errors import ServiceError, SettingsError
from vr180_ofx.media.pattern import pattern_folders
from vr180_ofx.service.problems import problem

#: Requests hold little; plans of long clips are the largest of them.
BODY_LIMIT = 64 << 20
#: What needs no token: whether the server is there, and whether it is the right one.
_OPEN = ("/v1/health", "/v1/proof")
_BURST_S = 10.0
_AUTHORITY = re.compile(r"(\[(?P<v6>[0-9a-f:.]+(%[a-z0-9._-]+)?)\]|(?P<name>[a-z0-9._-]+))(:(?P<port>[0-9]{0,5}))?")


class Roots:
    """The folders that clips may be read from and renders written to."""

    def __init__(self, roots: Sequence[str | Path]) -> None:
        self.folders = tuple(Path(os.path.realpath(r)) for r in roots)
        missing = [str(r) for r in self.folders if not r.is_dir()]
        if missing:
            raise SettingsError(f"service.allowed_roots names {', '.join(missing)}, which is not a folder")

    def readable(self, text: str) -> Path:
        """A clip's path: a file, a folder, or a pattern of files in a folder. Raises ServiceError when it is not allowed."""
        path = self._inside(text)
        # where views have folders of their own, none of them need be called as the pattern is
        for target in pattern_folders(path) or [path]:
            real = self._inside(str(target))
            try:
                facts = real.stat()
            except (OSError, ValueError):
                raise ServiceError(422, f"path is {text!r}, which does not exist") from None
            if not (stat.S_ISREG(facts.st_mode) or stat.S_ISDIR(facts.st_mode)):
                raise ServiceError(403, f"path is {text!r}, which is neither a file nor a folder")
            if stat.S_ISDIR(facts.st_mode):
                self._check_files(real, text)
        return path

    def writable(self, text: str) -> Path:
        """An output folder's path, which need not exist."""
        return self._inside(text)

    def _inside(self, text: str) -> Path:
        if "\0" in text or not text.strip():
            raise ServiceError(422, "path is empty or holds a zero byte")
        # shares and devices of Windows, in any spelling: opening one already sends the user's credentials out
        if re.match(r"^[\\/]{2}", text) or re.match(r"^[A-Za-z]:[^\\/]", text) or (os.name != "nt" and "\\" in text):
            raise ServiceError(403, f"path is {text!r}; network shares, devices and backslashes are not allowed")
        path = Path(text)
        if not path.is_absolute():
            raise ServiceError(422, f"path is {text!r}; it must be absolute")
        try:
            # of a pattern or a folder yet to be made, what exists of it
            real = Path(os.path.realpath(path))
        except (OSError, ValueError):
            raise ServiceError(422, f"path is {text!r}, which cannot be resolved") from None
        if not any(real == root or root in real.parents for root in self.folders):
            allowed = ", ".join(str(r) for r in self.folders)
            raise ServiceError(403, f"path is {text!r}, outside of what is allowed: {allowed} (service.allowed_roots)")
        return real

    def _check_files(self, folder: Path, text: str) -> None:
        """A link in a folder of images must not lead out."""
        with os.scandir(folder) as listing:
            for item in listing:
                if item.is_symlink():
                    self._inside(item.path)
                elif not item.is_file(follow_symlinks=False) and not item.is_dir(follow_symlinks=False):
                    raise ServiceError(403, f"path is {text!r}, which holds {item.name}, neither a file nor a folder")


class Buckets:
    """A token bucket (as in traffic shaping) for every address: bursts of ten seconds' worth."""

    def __init__(self, per_second: float) -> None:
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._per_second = per_second

    def count(self, client: str) -> None:
        """Raises ServiceError when the address has asked for too much."""
        now, size = time.monotonic(), self._per_second * _BURST_S
        level, then = self._levels.pop(client, (size, now))
        level = min(size, level + (now - then) * self._per_second)
        self._levels[client] = (max(0.0, level - 1), now)
        while len(self._levels) > 10_000:
            self._levels.popitem(last=False)
        if level < 1:
            raise ServiceError(429, f"more than {self._per_second:g} requests a second from {client}", {"Retry-After": "1"})


def _nobody() -> None:
    """Who is told where no connection wants to know."""


class Gate:
    """ASGI middleware: Host, Origin, token, rate and size, before anything else looks at a request.

    hosts: names by which this server may be called; others are somebody's web page that resolves its name to this machine.
    is_open: whether a request (method, path, headers) needs no token, beside the questions for health and proof; it is counted.
    """

    def __init__(
        self, app: ASGIApp, *, token: str, hosts: Iterable[str], per_second: float,
        body_limit: int = BODY_LIMIT, is_open: Callable[[str, str, Headers], bool] = lambda method, path, headers: False,
    ) -> None:  # fmt: skip
        self._app = app
        self._is_open = is_open
        self._token = token.encode()
        self._hosts = {h.lower() for h in hosts} | {"localhost", "127.0.0.1", "::1"}
        self._holders, self._strangers = Buckets(per_second), Buckets(per_second)
        self._body_limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        try:
            self._check(scope, Headers(scope=scope))
        except ServiceError as error:
            await problem(error.http_status, error.detail, error.headers)(scope, receive, send)
            return
        await self._limited(scope, receive, send)

    def _check(self, scope: Scope, headers: Headers) -> None:
        named = headers.getlist("host")
        host = host_and_port(named[0])[0] if len(named) == 1 else ""
        if host not in self._hosts:
            called = ", ".join(sorted(self._hosts))
            raise ServiceError(421, f"the Host header says {', '.join(named)!r}; this server is called {called}")
        origin = headers.get("origin")
        if origin is not None and host_and_port(re.sub(r"^https?://", "", origin))[0] not in self._hosts:
            raise ServiceError(403, f"the Origin {origin!r} may not ask this server")
        client = str((scope.get("client") or ("?",))[0])
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), self._token):
            self._holders.count(client)
            scope.get("showed_token", _nobody)()
        elif scope["path"] not in _OPEN:
            # apart from those who have the token, and who may have the same address
            self._strangers.count(client)
            if self._is_open(scope["method"], scope["path"], headers):
                return
            raise ServiceError(
                401,
                "a bearer token is needed: Authorization: Bearer TOKEN, with the token of the server's token file",
                {"WWW-Authenticate": "Bearer"},
            )
        length = headers.get("content-length", "0")
        if not re.fullmatch("[0-9]{1,15}", length) or int(length) > self._body_limit:
            raise ServiceError(413, f"the request's body has {length[:20]} bytes; at most {self._body_limit} are taken")

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Bodies without a length are counted as they come."""
        seen = 0
        started = False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                if seen > self._body_limit:
                    raise _TooLargeError
            return message

        async def noted(message: Message) -> None:
            nonlocal started
            if seen > self._body_limit:
                return  # what the application makes of half a body is of no interest
            started = True
            await send(message)

        with contextlib.suppress(_TooLargeError):
            await self._app(scope, counted, noted)
        if seen > self._body_limit and not started:
            await problem(413, f"the request's body has more than {self._body_limit} bytes")(scope, receive, send)


class _TooLargeError(Exception):
    pass


def host_and_port(authority: str) -> tuple[str, int]:
    """Of a Host header: in lower case, without brackets; port 80 when it names none. ("", 0) for what is none."""
    found = _AUTHORITY.fullmatch(authority.strip().lower())
    if not found:
        return "", 0
    return found["v6"] or found["name"], int(found["port"] or 80)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach that address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_address(host: str) -> bool:
    """Whether it is a number and not a name."""
    with contextlib.suppress(ValueError):
        return bool(ipaddress.ip_address(host))
    return False
