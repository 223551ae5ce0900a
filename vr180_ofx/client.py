"""A client of the frame server: standard library alone, Python 3.9 and later, so that it works inside hosts. It may be copied as it is.

server = connect()                                   # the running server of this user
clip = server.open("/plates/shot.mp4")
clip.wait()                                          # until the people are found
frame = clip.frame(120, view="left")                 # frame.data: halves, rows from the top
for job in clip.render("/renders/shot", "0-99"):     # progress as it comes
    print(job["done"], job["total"])
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

API = 1
_TIMEOUT_S = 600.0


class ServerProblem(Exception):
    """The server's answer is an error. status: of HTTP. detail: for people."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class ServerUnavailable(Exception):
    """There is no server, or it went away. The message says what to do."""


class Picture(NamedTuple):
    """One layer of one frame.

    data: as the format says; f16 and f32 are rows from the top, little-endian. quality: final or draft. made_with: tracker, refiner,
    degradations and so on. etag: names the bytes; give it back to ask whether they changed.
    """

    width: int
    height: int
    data: bytes
    quality: str
    made_with: dict[str, Any]
    etag: str | None


def announce_path() -> Path:
    """Where a server of this user says how to reach it."""
    override = os.environ.get("VR180_OFX_CACHE")
    if override:
        root = Path(override)
    elif sys.platform == "win32":
        root = Path(os.environ.get("LOCALAPPDATA", str(Path.home() / "AppData" / "Local"))) / "vr180-ofx" / "Cache"
    elif sys.platform == "darwin":
        root = Path.home() / "Library" / "Caches" / "vr180-ofx"
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))) / "vr180-ofx"
    return root / "service" / "server.json"


def connect(address: str | None = None, token_file: str | None = None, timeout_s: float = _TIMEOUT_S) -> Server:
    """The server at ``address``, or the one that this user runs. Raises ServerUnavailable."""
    note: dict[str, Any] = {}
    try:
        note = json.loads(announce_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        if address is None or token_file is None:
            where = "" if address is None else f" that names the token of {address}"
            raise ServerUnavailable(f"no frame server is announced in {announce_path()}{where}; start one with: vr180-ofx serve") from None
    path = Path(token_file or note["token_file"])
    try:
        token = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ServerUnavailable(f"the token file {path} cannot be read: {error.strerror}") from None
    server = Server(address or note["address"], token, timeout_s)
    health = server.health()
    if health.get("name") != "vr180-ofx" or health.get("api") != API:
        raise ServerUnavailable(f"{server.address} is not a frame server that this client can talk to: {health}")
    return server


class Server:
    """A frame server. Safe to use from several threads: each has a connection of its own."""

    def __init__(self, address: str, token: str, timeout_s: float = _TIMEOUT_S) -> None:
        self.address = address.rstrip("/")
        parts = urlsplit(self.address)
        if parts.scheme != "http" or not parts.hostname:
            raise ServerUnavailable(f"the address {address!r} is not like http://127.0.0.1:8000")
        self._host, self._port = parts.hostname, parts.port or 80
        self._token = token
        self._timeout_s = timeout_s
        self._local = threading.local()

    def health(self) -> dict[str, Any]:
        """Whether it is there."""
        return self._json("GET", "/v1/health")

    def open(self, path: str, settings: Mapping[str, Any] | None = None) -> Clip:
        """Opens a clip of the server's disk. settings: sections as in a config file."""
        return Clip(self, self._json("POST", "/v1/clips", {"path": str(path), "settings": dict(settings or {})}))

    def clips(self) -> list[Clip]:
        """All that are open."""
        return [Clip(self, facts) for facts in self._json("GET", "/v1/clips")["clips"]]

    def jobs(self) -> list[dict[str, Any]]:
        """Analyses and renders."""
        jobs: list[dict[str, Any]] = self._json("GET", "/v1/jobs")["jobs"]
        return jobs

    def cancel(self, job: str) -> dict[str, Any]:
        """Stops a job between two frames."""
        return self._json("DELETE", f"/v1/jobs/{quote(job)}")

    def follow(self, job: str) -> Iterator[dict[str, Any]]:
        """The job's state whenever it changes, until it ends. Goes on when the connection breaks."""
        path = f"/v1/jobs/{quote(job)}/events"
        ended = False
        while not ended:
            connection = self._new_connection()
            try:
                connection.request("GET", path, headers=self._headers())
                response = connection.getresponse()
                if response.status != 200:
                    raise _problem(response.status, response.read())
                for raw in response:
                    line = raw.decode().rstrip("\n")
                    if line.startswith("event: "):
                        ended = line == "event: end"
                    elif line.startswith("data: "):
                        yield json.loads(line[6:])
            except (OSError, http.client.HTTPException):
                # the server went away, or only this connection did: asking says which
                time.sleep(0.2)
                self.health()
            finally:
                connection.close()

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _new_connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)

    def request(
        self, method: str, path: str, body: Any | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """(status, headers in lower case, body). Raises ServerProblem for errors, ServerUnavailable when nobody answers."""
        data = None if body is None else json.dumps(body).encode()
        sent = {**self._headers(), **(headers or {}), **({"Content-Type": "application/json"} if data is not None else {})}
        for attempt in (0, 1):
            fresh = getattr(self._local, "connection", None) is None
            if fresh:
                self._local.connection = self._new_connection()
            connection: http.client.HTTPConnection = self._local.connection
            try:
                connection.request(method, path, body=data, headers=sent)
                response = connection.getresponse()
                content = response.read()
            except (TimeoutError, socket.timeout):
                self.close()
                raise ServerUnavailable(f"{self.address} did not answer within {self._timeout_s:g} s") from None
            except (OSError, http.client.HTTPException) as error:
                self.close()
                # a kept connection that the server has closed meanwhile: once more, with a new one
                if fresh or attempt:
                    raise ServerUnavailable(f"{self.address} does not answer ({error}); is it running? vr180-ofx serve") from None
                continue
            if response.status >= 400:
                raise _problem(response.status, content)
            return response.status, {k.lower(): v for k, v in response.getheaders()}, content
        raise AssertionError("not reached")

    def close(self) -> None:
        """Closes this thread's connection. What waits for an answer on it is given up, and the server stops its work."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _json(self, method: str, path: str, body: Any | None = None) -> dict[str, Any]:
        _, _, content = self.request(method, path, body)
        answer: dict[str, Any] = json.loads(content)
        return answer


class Clip:
    """An open clip."""

    def __init__(self, server: Server, facts: dict[str, Any]) -> None:
        self.server = server
        self.facts = facts
        self.id = str(facts["clip"])
        self._path = f"/v1/clips/{quote(self.id)}"

    def __len__(self) -> int:
        return int(self.facts["frames"])

    def refresh(self) -> dict[str, Any]:
        """What is known of it now."""
        self.facts = self.server._json("GET", self._path)
        return self.facts

    def wait(self, timeout_s: float = _TIMEOUT_S) -> Clip:
        """Until its people are found. Raises ServerProblem when that failed."""
        end = time.monotonic() + timeout_s
        while self.refresh()["state"] == "analysing":
            if time.monotonic() > end:
                raise ServerUnavailable(f"{self.facts['path']} was not analysed within {timeout_s:g} s")
            time.sleep(0.2)
        if self.facts["state"] == "failed":
            raise ServerProblem(422, str(self.facts["error"]))
        return self

    def frame(
        self, n: int, view: str | None = None, layer: str = "A", quality: str = "final", format: str = "f16",
        etag: str | None = None,
    ) -> Picture | None:  # fmt: skip
        """One layer of frame ``n`` (0-based). With ``etag``: None when the bytes are still those."""
        asked = {"layer": layer, "quality": quality, "format": format, **({"view": view} if view else {})}
        headers = {"If-None-Match": etag} if etag else None
        status, facts, data = self.server.request("GET", f"{self._path}/frames/{n}?{urlencode(asked)}", headers=headers)
        if status == 304:
            return None
        return Picture(
            int(facts["x-width"]), int(facts["x-height"]), data, facts["x-quality"], json.loads(facts["x-made-with"]), facts.get("etag")
        )

    def people(self) -> dict[str, Any]:
        """The plan: who is where."""
        return self.server._json("GET", f"{self._path}/people")

    def replace_people(self, plan: Mapping[str, Any]) -> str:
        """Puts a corrected plan in place. Returns the frames that are made anew."""
        return self._changed("PUT", f"{self._path}/people", plan)

    def edit(self, *edits: Mapping[str, Any]) -> str:
        """Moves, adds, removes, merges, splits, renames, excludes. Returns the frames that are made anew, as ranges."""
        return self._changed("POST", f"{self._path}/people/edits", {"edits": list(edits)})

    def forget_corrections(self) -> str:
        """Back to what was found automatically."""
        return self._changed("DELETE", f"{self._path}/people", None)

    def _changed(self, method: str, path: str, body: Any | None) -> str:
        answer = self.server._json(method, path, body)
        self.facts = answer["clip"]
        return str(answer["frames"])

    def start_render(self, path: str, frames: str = "all", output: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Starts a render into a folder of the server's disk. Returns the job."""
        return self.server._json("POST", f"{self._path}/renders", {"frames": frames, "path": str(path), "output": dict(output or {})})

    def render(self, path: str, frames: str = "all", output: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """Renders, and says how far it is until it ends. Raises ServerProblem when it failed."""
        job = self.start_render(path, frames, output)
        for state in self.server.follow(job["job"]):
            job = state
            yield job
        if job["state"] == "failed":
            raise ServerProblem(500, str(job["error"]))

    def stats(self) -> dict[str, Any]:
        """Stage times, caches, memory."""
        return self.server._json("GET", f"{self._path}/stats")

    def close(self) -> None:
        """Closes the clip on the server. What is cached is kept."""
        self.server.request("DELETE", self._path)


def _problem(status: int, content: bytes) -> ServerProblem:
    try:
        return ServerProblem(status, str(json.loads(content)["detail"]))
    except (ValueError, KeyError, TypeError):
        return ServerProblem(status, content[:200].decode(errors="replace") or f"status {status}")
