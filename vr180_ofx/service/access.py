"""Who may ask, from where, for which files, how much and how often."""

from __future__ import annotations

import contextlib
import hmac
import ipaddress
import os
import re
import secrets
import stat
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vr180_ofx.errors import ServiceError, SettingsError
from vr180_ofx.service.problems import problem
from vr180_ofx.storage import cache_folder

#: Requests hold little; plans of long clips are the largest of them.
BODY_LIMIT = 64 << 20
_OPEN = ("/v1/health",)
_BURST_S = 10.0


def token_path(named: str | None) -> Path:
    """Where the token is kept."""
    return Path(named) if named else cache_folder("service") / "token"


def read_or_make_token(path: Path) -> str:
    """The token in ``path``, which only the user can read; made when there is none.

    Raises SettingsError when others can read it, or when it is too short to be one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        facts = path.stat()
        if os.name == "posix" and stat.S_IMODE(facts.st_mode) & 0o077:
            raise SettingsError(f"the token file {path} can be read by others; run: chmod 600 {path}") from None
        token = path.read_text(encoding="utf-8").strip()
        if len(token) < 16:
            raise SettingsError(
                f"the token file {path} holds {len(token)} characters; a token has 16 or more. Delete it to get a new one"
            ) from None
        return token
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        token = secrets.token_urlsafe(32)
        stream.write(token + "\n")
    return token


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
        pattern = bool(re.search(r"%0?\d*d|%V|#", path.name))
        target = path.parent if pattern else path
        try:
            facts = target.stat()
        except (OSError, ValueError):
            raise ServiceError(422, f"path is {text!r}, which does not exist") from None
        if not (stat.S_ISREG(facts.st_mode) or stat.S_ISDIR(facts.st_mode)):
            raise ServiceError(403, f"path is {text!r}, which is neither a file nor a folder")
        if stat.S_ISDIR(facts.st_mode):
            self._check_files(target, text)
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


class Gate:
    """ASGI middleware: token, Host, Origin, size and rate, before anything else looks at a request.

    hosts: names by which this server may be called; others are somebody's web page that resolves its name to this machine.
    """

    def __init__(
        self, app: ASGIApp, *, token: str, hosts: Iterable[str], per_second: float,
        body_limit: int = BODY_LIMIT, touched: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self._app = app
        self._token = token.encode()
        self._hosts = {h.lower() for h in hosts} | {"localhost", "127.0.0.1", "::1"}
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._per_second = per_second
        self._body_limit = body_limit
        self._touched = touched

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
        self._touched()
        await self._limited(scope, receive, send)

    def _check(self, scope: Scope, headers: Headers) -> None:
        host = _host_of(headers.get("host", ""))
        if host not in self._hosts:
            raise ServiceError(421, f"the Host header says {host!r}; this server is called {', '.join(sorted(self._hosts))}")
        origin = headers.get("origin")
        if origin is not None and (origin == "null" or _host_of(urlsplit(origin).netloc) not in self._hosts):
            raise ServiceError(403, f"the Origin {origin!r} may not ask this server")
        self._count(str((scope.get("client") or ("?",))[0]))
        if scope["path"] in _OPEN:
            return
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self._token):
            raise ServiceError(
                401,
                "a bearer token is needed: Authorization: Bearer TOKEN, with the token of the server's token file",
                {"WWW-Authenticate": "Bearer"},
            )
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > self._body_limit:
            raise ServiceError(413, f"the request's body has {length} bytes; at most {self._body_limit} are taken")

    def _count(self, client: str) -> None:
        """A token bucket: bursts of ten seconds' worth."""
        now, size = time.monotonic(), self._per_second * _BURST_S
        level, then = self._buckets.pop(client, (size, now))
        level = min(size, level + (now - then) * self._per_second)
        self._buckets[client] = (max(0.0, level - 1), now)
        while len(self._buckets) > 10_000:
            self._buckets.popitem(last=False)
        if level < 1:
            raise ServiceError(429, f"more than {self._per_second:g} requests a second from {client}", {"Retry-After": "1"})

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


def _host_of(netloc: str) -> str:
    """Without port and brackets."""
    netloc = netloc.strip().lower()
    if netloc.startswith("["):
        return netloc[1:].partition("]")[0]
    return netloc.rpartition(":")[0] if re.search(r":\d*$", netloc) and netloc.count(":") == 1 else netloc


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach that address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
