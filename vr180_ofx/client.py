"""A client of the frame server: standard library alone, Python 3.9 and later, so that it works inside hosts. It may be copied as it is.

server = connect()                                   # the running server of this user; find_or_start() starts one
clip = server.open("/plates/shot.mp4")
clip.wait()                                          # until the people are found
frame = clip.frame(120, view="left")                 # frame.data: halves, rows from the top
for job in clip.render("/renders/shot", "0-99"):     # progress as it comes
    print(job["done"], job["total"])

For hosts, which must not wait: `Link` finds the server again when it went away, `Scrubber` delivers the frame that was wished for last,
`Task` renders in the background, `Node` turns the values of knobs into requests.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import hmac
import http.client
import importlib.resources
import json
import os
import re
import secrets
import shlex
import shutil
import socket
import stat
import string
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

API = 1
#: Where this file or the link to it lies, with what an installation put beside it.
_HERE = Path(__file__).absolute().parent
_TIMEOUT_S = 600.0
#: Who has not proved in this time that it is the server is given up: a server proves it in a millisecond, and a busy one in seconds.
_PROOF_S = 15.0
#: What a proof is made for, so that it is good for nothing else.
_PROOF = "vr180-ofx server proof 1"
#: Names of hosts (RFC 1123, and underscores, which there are) and addresses of IPv6.
_HOST = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63}){0,8}\.?|[0-9a-f]*:[0-9a-f:.]+(%[a-z0-9._-]+)?")
#: What a token is made of.
_TOKEN = re.compile(r"[!-~]{16,500}")
#: A server that a host started ends when nobody asked it for so long: what it made is on disk, and the next one is there in seconds.
_IDLE_EXIT_MINUTES = 30
#: A look at an analysis lasts so long, and so does cancelling it.
_WAIT_S = 0.2
#: Servers take somebody who waits for an analysis for gone after 15 s of silence.
_RENEW_S = 5.0
#: A final frame that is there sooner needs no draft before it.
_DRAFT_AFTER_S = 0.06
#: What hosts set for their own Python and libraries, and what a program started by them must not inherit.
_OF_THE_HOST = (
    "PYTHONHOME", "PYTHONPATH", "PYTHONNOUSERSITE", "PYTHONEXECUTABLE", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH",
    "DYLD_INSERT_LIBRARIES", "QT_PLUGIN_PATH", "OCIO", "VIRTUAL_ENV",
)  # fmt: skip


class ServerProblem(Exception):
    """The server's answer is an error. status: of HTTP. detail: for people."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class ServerUnavailable(Exception):
    """There is no server, or it went away. The message says what to do."""


class Cancelled(Exception):
    """The request was given up by whoever made it."""


class Cancel:
    """Gives up requests from another thread: their connection is closed, and the server stops working for them."""

    def __init__(self) -> None:
        self.cancelled = False
        self._lock = threading.Lock()
        self._connection: _Connection | None = None

    def cancel(self) -> None:
        with self._lock:
            self.cancelled = True
            wire = None if self._connection is None else self._connection.sock
            if wire is not None:
                with contextlib.suppress(OSError):
                    wire.shutdown(socket.SHUT_RDWR)

    def watch(self, connection: _Connection | None) -> None:
        """The connection that `cancel` is to close; None when there is none any more. Raises Cancelled when it is too late."""
        with self._lock:
            self._connection = connection
            if self.cancelled and connection is not None:
                raise Cancelled("the request was given up")


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


def token_name(port: int) -> str:
    """What the file with the token of a server at ``port`` is called when nobody named another."""
    return f"token-{port}"


def is_token(text: str) -> bool:
    """Whether it can be one: anything else (a picture, two lines) must not get into headers, nor into messages about them."""
    return bool(_TOKEN.fullmatch(text))


def proof(token: str, nonce: str, host: str, port: int) -> str:
    """What shows that a server knows the token, without telling it: HMAC-SHA-256 (RFC 2104) with the token as its key.

    nonce: 64 hexadecimal digits that the client made up for this connection. host, port: as the client called the server, so that the
    answer of one server cannot be passed on as that of another. Returns 64 hexadecimal digits.
    """
    said = f"{_PROOF}\n{nonce}\n{host.lower()}\n{port}\n"
    return hmac.new(token.encode(), said.encode(), hashlib.sha256).hexdigest()


def connect(address: str | None = None, token_file: str | None = None, timeout_s: float = _TIMEOUT_S) -> Server:
    """The server at ``address``, or the one that this user runs. Raises ServerUnavailable.

    Whoever answers proves that it knows the token before it is sent: the port may have been taken by somebody else.
    """
    if address is not None:
        split_address(address)
    note = {} if address and token_file else _announced(address)
    token = _read_token(Path(token_file) if token_file else _token_of(address, note))
    server = Server(address or note["address"], token, timeout_s)
    health = server.health()
    if health.get("name") != "vr180-ofx" or health.get("api") != API:
        raise ServerUnavailable(f"{server.address} is not a frame server that this client can talk to: {health}")
    return server


def _announced(address: str | None) -> dict[str, str]:
    """What the server of this user says of itself: address and token_file. address: what is looked for, for the message."""
    path = announce_path()
    try:
        with open(path, encoding="utf-8") as stream:
            facts = os.fstat(stream.fileno())
            note = json.load(stream)
    except (OSError, ValueError, RecursionError):
        where = "" if address is None else f" that names the token of {address}"
        raise ServerUnavailable(f"no frame server is announced in {path}{where}; start one with: vr180-ofx serve") from None
    # the superuser may do everything anyway
    if os.name == "posix" and facts.st_uid not in (os.geteuid(), 0):
        raise ServerUnavailable(
            f"{path} belongs to another user, so it says nothing of your server; set VR180_OFX_CACHE to a folder of your own"
        )
    if not isinstance(note, dict) or not all(isinstance(note.get(k), str) for k in ("address", "token_file")):
        raise ServerUnavailable(f"{path} does not say where a server is; delete it, and start one with: vr180-ofx serve")
    return note


def _token_of(address: str | None, note: Mapping[str, str]) -> Path:
    """The file with the token of ``address``: the announced server's, or that of another one of this user."""
    if address is not None and address.rstrip("/") != note["address"]:
        other = announce_path().parent / token_name(split_address(address)[1])
        if other.exists():
            return other
    return Path(note["token_file"])


def _read_token(path: Path) -> str:
    try:
        # a pipe in its place must not keep the host waiting
        handle = os.open(path, getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb") as stream:
            plain = stat.S_ISREG(os.fstat(handle).st_mode)
            text = stream.read(4096).decode("ascii", "replace").strip() if plain else ""
    except (OSError, ValueError) as error:
        raise ServerUnavailable(f"the token file {path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not is_token(text):
        raise ServerUnavailable(f"the token file {path} holds no token, which is one word of 16 to 500 characters")
    return text


def is_host(text: str) -> bool:
    """Whether it is a name of a host, or an address without port and brackets, in lower case."""
    return bool(_HOST.fullmatch(text))


def split_address(address: str) -> tuple[str, int]:
    """(host, port) of an address such as http://127.0.0.1:8000. Raises ServerUnavailable with a message for people."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", 80 if parts.port is None else parts.port
        # what is no name of a host ends here, and not in the middle of a request
        known = parts.scheme == "http" and "@" not in parts.netloc and is_host(host)
    except ValueError:
        known, host, port = False, "", 0
    if not known or port == 0 or not (parts.path in ("", "/") and not parts.query and not parts.fragment):
        raise ServerUnavailable(f"the address {address!r} is not like http://127.0.0.1:8000, with a port from 1 to 65535")
    # the one name that means two addresses, of which somebody else may have the other
    return "127.0.0.1" if host == "localhost" else host, port


class _Connection(http.client.HTTPConnection):
    """A connection over which nothing secret goes before the server has proved itself, and which is never opened anew behind our back."""

    auto_open = 0

    def __init__(self, address: str, token: str, timeout_s: float) -> None:
        self._address, self._token = address, token
        super().__init__(*split_address(address), timeout=timeout_s)

    def open(self, cancel: Cancel) -> None:
        """Connects, and has the server prove itself. Raises ServerUnavailable when it does not, OSError, HTTPException, Cancelled."""
        self.connect()
        cancel.watch(self)
        try:
            self._check_proof()
        except BaseException:
            self.close()
            raise

    def ask(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> http.client.HTTPResponse:
        """Sends a request with the token over the open connection."""
        self.request(method, path, body=body, headers={"Authorization": f"Bearer {self._token}", **(headers or {})})
        return self.getresponse()

    def _check_proof(self) -> None:
        nonce = secrets.token_hex(32)
        wire = self.sock
        # one that sends a byte now and then would hold a timeout of each read up for ever
        watchdog = threading.Timer(_PROOF_S, _shut, [wire])
        watchdog.daemon = True
        watchdog.start()
        try:
            self.request("GET", f"/v1/proof?nonce={nonce}")
            response = self.getresponse()
            content = response.read(1 << 16)
        finally:
            watchdog.cancel()
        given = ""
        if response.status == 200 and response.isclosed():
            with contextlib.suppress(ValueError, TypeError, KeyError, RecursionError):
                given = str(json.loads(content)["proof"])
        if hmac.compare_digest(given.encode(), proof(self._token, nonce, self.host, self.port).encode()):
            return
        if response.status == 421:
            why = f"says: {_problem(421, content).detail[:300]!r}"
        elif given:
            why = "does not know the token: the token file is another server's, or another program has taken the server's port"
        else:
            why = (
                "does not prove that it is the server: it is an older version, or another program has taken the port. "
                "An older one is to be ended and started anew"
            )
        raise ServerUnavailable(f"what answers at {self._address} {why}. The token was not sent")


def _shut(wire: socket.socket) -> None:
    with contextlib.suppress(OSError):
        wire.shutdown(socket.SHUT_RDWR)


class Server:
    """A frame server. Safe to use from several threads: each has a connection of its own."""

    def __init__(self, address: str, token: str, timeout_s: float = _TIMEOUT_S) -> None:
        split_address(address)
        self.address = address.rstrip("/")
        if not is_token(token):
            raise ServerUnavailable("the token is not one word of 16 to 500 characters")
        self._token = token
        self._timeout_s = timeout_s
        self._local = threading.local()

    def health(self) -> dict[str, Any]:
        """Whether it is there."""
        return self._json("GET", "/v1/health")

    def server_facts(self) -> dict[str, Any]:
        """Version, pid, uptime, clips, jobs, memory, and for how long nobody has asked: this question is no reason for it to stay."""
        return self._json("GET", "/v1/server")

    def stop(self, pid: int) -> None:
        """Ends the server as SIGTERM does. pid: of its process, from `server_facts`: another one that took its place is left alone."""
        self.request("POST", "/v1/server/stop", {"pid": pid})

    def open(self, path: str, settings: Mapping[str, Any] | None = None, asker: str | None = None) -> Clip:
        """Opens a clip of the server's disk. settings: sections as in a config file.

        asker: a name for who waits for its analysis, which goes on only while they `Clip.refresh`; without one it goes on to its end.
        """
        asked = {"path": str(path), "settings": dict(settings or {})}
        return Clip(self, self._json("POST", "/v1/clips", asked, _named(asker)), asker)

    def clips(self) -> list[Clip]:
        """All that are open."""
        return [Clip(self, facts) for facts in self._json("GET", "/v1/clips")["clips"]]

    def jobs(self) -> list[dict[str, Any]]:
        """Analyses and renders."""
        jobs: list[dict[str, Any]] = self._json("GET", "/v1/jobs")["jobs"]
        return jobs

    def job(self, job: str) -> dict[str, Any]:
        """How far a job is."""
        return self._json("GET", f"/v1/jobs/{quote(job)}")

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
                connection.open(Cancel())
                response = connection.ask("GET", path)
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

    def _new_connection(self) -> _Connection:
        return _Connection(self.address, self._token, self._timeout_s)

    def request(
        self, method: str, path: str, body: Any | None = None, headers: Mapping[str, str] | None = None, cancel: Cancel | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """(status, headers in lower case, body). Raises ServerProblem for errors, ServerUnavailable when nobody answers.

        cancel: gives the request up from another thread; it raises Cancelled then.
        """
        cancel = cancel or Cancel()
        data = None if body is None else json.dumps(body).encode()
        sent = {**(headers or {}), **({"Content-Type": "application/json"} if data is not None else {})}
        for attempt in (0, 1):
            fresh = getattr(self._local, "connection", None) is None
            if fresh:
                self._local.connection = self._new_connection()
            connection: _Connection = self._local.connection
            try:
                if connection.sock is None:
                    connection.open(cancel)
                else:
                    cancel.watch(connection)
                response = connection.ask(method, path, data, sent)
                content = response.read()
                cancel.watch(None)
            except Cancelled:
                self.close()
                raise
            except (TimeoutError, socket.timeout):
                self.close()
                raise ServerUnavailable(f"{self.address} did not answer within {self._timeout_s:g} s") from None
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if cancel.cancelled:
                    raise Cancelled("the request was given up") from None
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

    def _json(self, method: str, path: str, body: Any | None = None, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        _, _, content = self.request(method, path, body, headers)
        answer: dict[str, Any] = json.loads(content)
        return answer


class Clip:
    """An open clip. asker: see `Server.open`."""

    def __init__(self, server: Server, facts: dict[str, Any], asker: str | None = None) -> None:
        self.server = server
        self.facts = facts
        self._asker = asker
        self.id = str(facts["clip"])
        self._path = f"/v1/clips/{quote(self.id)}"

    def __len__(self) -> int:
        return int(self.facts["frames"])

    def refresh(self, wait_s: float = 0) -> dict[str, Any]:
        """What is known of it now; while it is being analysed, when that has ended, or after ``wait_s`` seconds, at most 60."""
        self.facts = self.server._json("GET", f"{self._path}?wait_s={wait_s:g}" if wait_s else self._path, headers=_named(self._asker))
        return self.facts

    def give_up(self) -> None:
        """Whoever opened it under a name does not wait for its analysis any more: it is stopped unless somebody else does."""
        self.server.request("DELETE", f"{self._path}/claim", headers=_named(self._asker))

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
        self, n: int, view: str | None = None, layer: str = "A", *, quality: str = "final", format: str = "f16",
        etag: str | None = None, cancel: Cancel | None = None, edges: Mapping[str, Any] | None = None,
    ) -> Picture | None:  # fmt: skip
        """One layer of frame ``n`` (0-based). With ``etag``: None when the bytes are still those.

        view: left, right, main, both or whole. edges: edge controls of this frame, keys of the section edges (see `Node.edges`); no
        network runs for them.
        """
        asked = {"layer": layer, "quality": quality, "format": format, **({"view": view} if view else {})}
        if edges:
            asked["edges"] = json.dumps(dict(edges), sort_keys=True)
        headers = {"If-None-Match": etag} if etag else None
        path = f"{self._path}/frames/{n}?{urlencode(asked)}"
        status, facts, data = self.server.request("GET", path, headers=headers, cancel=cancel)
        if status == 304:
            return None
        return Picture(
            int(facts["x-width"]), int(facts["x-height"]), data, facts["x-quality"], json.loads(facts["x-made-with"]), facts.get("etag")
        )

    def people(self) -> dict[str, Any]:
        """The plan: who is where."""
        return self.server._json("GET", f"{self._path}/people")

    def box(self, person: int, view: str, n: int) -> list[float] | None:
        """[left, top, right, bottom] of a person in frame ``n`` (0-based), or in the nearest one of which the plan says something."""
        for one in self.people()["people"]:
            rows = one["views"].get(view, {}) if one["id"] == person else {}
            if rows:
                return [float(v) for v in rows[min(rows, key=lambda k: abs(int(k) - n))]["box"]]
        return None

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

    def start_render(
        self, path: str, frames: str = "all", output: Mapping[str, Any] | None = None, edges: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:  # fmt: skip
        """Starts a render into a folder of the server's disk. edges: see `Node.edges_over`. Returns the job."""
        asked = {"frames": frames, "path": str(path), "output": dict(output or {}), **({"edges": dict(edges)} if edges else {})}
        return self.server._json("POST", f"{self._path}/renders", asked)

    def render(
        self, path: str, frames: str = "all", output: Mapping[str, Any] | None = None, edges: Mapping[str, Any] | None = None
    ) -> Iterator[dict[str, Any]]:  # fmt: skip
        """Renders, and says how far it is until it ends. Raises ServerProblem when it failed."""
        job = self.start_render(path, frames, output, edges)
        for state in self.server.follow(job["job"]):
            job = state
            yield job
        if job["state"] == "failed":
            raise ServerProblem(500, str(job["error"]))

    def stats(self) -> dict[str, Any]:
        """Stage times, caches, memory."""
        return self.server._json("GET", f"{self._path}/stats")

    def clear_cache(self) -> int:
        """Forgets the clip's finished frames, in memory and on disk. Returns how many there were on disk."""
        return int(self.server._json("DELETE", f"{self._path}/cache")["frames"])

    def close(self) -> None:
        """Closes the clip on the server. What is cached is kept."""
        self.server.request("DELETE", self._path)


def _named(asker: str | None) -> dict[str, str]:
    return {} if asker is None else {"X-Asker": asker}


def _problem(status: int, content: bytes) -> ServerProblem:
    try:
        return ServerProblem(status, str(json.loads(content)["detail"]))
    except (ValueError, KeyError, TypeError):
        return ServerProblem(status, content[:200].decode(errors="replace") or f"status {status}")


# starting a server --------------------------------------------------------------------------------------------------


def bridge_facts() -> dict[str, Any]:
    """What the installation of a bridge left beside this file: command, roots, version; empty where there is none."""
    try:
        facts: dict[str, Any] = json.loads((_HERE / "bridge.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return facts


def server_command() -> list[str]:
    """How the program is started: VR180_OFX_COMMAND, what the installation noted, this package, or the PATH. Raises ServerUnavailable."""
    override = os.environ.get("VR180_OFX_COMMAND")
    if override:
        try:
            return shlex.split(override)
        except ValueError as error:
            raise ServerUnavailable(f"VR180_OFX_COMMAND is {override!r}, which is no command line ({error})") from None
    noted = bridge_facts().get("command")
    if noted and Path(noted[0]).exists():
        return [str(word) for word in noted]
    if __name__ == "vr180_ofx.client":
        # not a copy inside a host, but the package itself: its own Python can run it
        return [sys.executable, "-m", "vr180_ofx"]
    found = shutil.which("vr180-ofx")
    if found:
        return [found]
    was = f" (it was {noted[0]}, which is gone)" if noted else ""
    raise ServerUnavailable(
        f"the program vr180-ofx is not found{was}; run `vr180-ofx install` for this host again, or set VR180_OFX_COMMAND to its path"
    )


def _all_roots() -> list[str]:
    if sys.platform == "win32":
        return [f"{letter}:\\" for letter in string.ascii_uppercase if Path(f"{letter}:\\").exists()]
    return ["/"]


def find_or_start(
    address: str | None = None, token_file: str | None = None, *, start: bool = True, timeout_s: float = 90.0,
    said: Callable[[str], None] = lambda text: None,
) -> Server:  # fmt: skip
    """The server at ``address``, or the one of this user, which is started when there is none. Raises ServerUnavailable.

    The server outlives the host, so that other hosts find it; it ends by itself when nobody asked it for half an hour.
    """
    try:
        server = connect(address, token_file)
    except ServerUnavailable:
        if address or not start:
            raise
    else:
        return _checked(server)
    command = server_command()
    folder = announce_path().parent
    said("starting the frame server")
    log = folder / "server.log"
    end = time.monotonic() + timeout_s
    while True:
        claim = _claim(folder / "starting.lock")
        if claim is not None:
            break
        # another host is starting it; should that fail, this one tries
        found = _found()
        if found is not None:
            return found
        if time.monotonic() > end:
            raise ServerUnavailable(f"the frame server did not start within {timeout_s:g} s; its log is {log}")
        time.sleep(0.1)
    try:
        # started by somebody between the first look and the claim
        found = _found()
        if found is not None:
            return found
        roots = [word for root in bridge_facts().get("roots") or _all_roots() for word in ("--root", str(root))]
        process = _spawn([*command, "serve", "--idle-exit", str(_IDLE_EXIT_MINUTES), *roots], log)
        return _checked(_wait_for_server(process, log, timeout_s))
    finally:
        os.close(claim)


#: How the system says that another process has a lock.
_HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


def _claim(lock: Path) -> int | None:
    """A handle when this process is the one to start the server, which it is until it closes it; None while another one is.

    The system's own lock: it goes with whoever held it, killed or not, whatever the clocks say. The file stays. Where a file system knows
    no locks, two servers may start, and the later one is found.
    """
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(lock, os.O_CREAT | os.O_RDWR | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except OSError as error:
        where = f"the folder {lock.parent}, where the server would be announced, cannot be written ({error.strerror})"
        raise ServerUnavailable(f"{where}; set VR180_OFX_CACHE to another") from None
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _HELD:
            os.close(handle)
            return None
    return handle


def _spawn(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    env = {k: v for k, v in os.environ.items() if k not in _OF_THE_HOST}
    detached: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        detached = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}
    try:
        with open(log, "ab") as out:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env, cwd=str(Path.home()), **detached)
    except OSError as error:
        raise ServerUnavailable(f"{command[0]} cannot be started: {error.strerror or error}") from None


def _wait_for_server(process: subprocess.Popen[bytes], log: Path, timeout_s: float) -> Server:
    end = time.monotonic() + timeout_s
    while True:
        try:
            return connect()
        except ServerUnavailable as error:
            if process.poll() is not None:
                raise ServerUnavailable(f"the frame server ended at once: {_last_line(log)}") from None
            if time.monotonic() > end:
                raise ServerUnavailable(f"the frame server did not start within {timeout_s:g} s ({error}); its log is {log}") from None
        time.sleep(0.1)


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else f"it said nothing; see {log}"


def _found() -> Server | None:
    """The server of this user, or none. Raises ServerUnavailable for one of another release: a second one would take its place."""
    try:
        server = connect()
    except ServerUnavailable:
        return None
    return _checked(server)


def _checked(server: Server) -> Server:
    """Refuses a server of another release series than the bridge was installed from."""
    wanted, there = str(bridge_facts().get("version", "")), str(server.health().get("version", ""))
    if wanted and there and wanted.split(".")[:2] != there.split(".")[:2]:
        raise ServerUnavailable(
            f"the frame server at {server.address} is version {there}, this bridge is for {wanted}; "
            "end that server, or install the bridge again"
        )
    return server


# for hosts ----------------------------------------------------------------------------------------------------------


class Link:
    """A clip with its settings, on whatever server there is: found or started, and found again when it went away.

    Making one asks nobody for anything. said: gets lines about what is going on, from any thread. key: equal for equal wishes.
    The clip is analysed while somebody uses the link; `give_up` says that nobody does, and otherwise the server finds out.
    """

    def __init__(
        self, path: str, settings: Mapping[str, Any] | None = None, *, address: str | None = None, token_file: str | None = None,
        start: bool = True, said: Callable[[str], None] = lambda text: None,
    ) -> None:  # fmt: skip
        self.path = str(path)
        self.settings = dict(settings or {})
        self._where = (address or None, token_file or None, start)
        self.key = (self.path, json.dumps(self.settings, sort_keys=True, default=str), *self._where)
        self._said = said
        self._lock = threading.Lock()
        self._clip: Clip | None = None
        self._asker = secrets.token_hex(8)
        self._asked = 0.0
        self._waiting = 0

    def clip(self) -> Clip:
        """The open clip. Raises ServerUnavailable, ServerProblem."""
        with self._lock:
            if self._clip is None:
                address, token_file, start = self._where
                server = find_or_start(address, token_file, start=start, said=self._said)
                self._clip = server.open(self.path, self.settings, self._asker)
                self._asked = time.monotonic()
            return self._clip

    def forget(self, clip: Clip | None = None) -> None:
        """The next call looks for the server again. clip: only if it is still this one that is meant."""
        with self._lock:
            if clip is None or clip is self._clip:
                self._clip = None

    def call(self, function: Callable[[Clip], Any]) -> Any:
        """``function(clip)``, and once more when the server had gone away or had closed the clip."""
        clip = self.clip()
        try:
            if clip.facts["state"] == "analysing" and time.monotonic() - self._asked > _RENEW_S:
                # whoever looks at drafts wants the analysis too
                self._asked = time.monotonic()
                clip.refresh()
            return function(clip)
        except ServerUnavailable:
            self._said("the frame server went away; looking for it again")
        except ServerProblem as problem:
            if problem.status != 404 or self._is_open(clip):
                raise
        self.forget(clip)
        return function(self.clip())

    @staticmethod
    def _is_open(clip: Clip) -> bool:
        try:
            clip.refresh()
        except ServerProblem as problem:
            return problem.status != 404
        return True

    def wait(self, cancel: Cancel | None = None, progress: Callable[[int, int], None] = lambda done, total: None) -> Clip:
        """The clip, once its people are found. Raises Cancelled, which leaves the analysis to whoever uses the link next: see `give_up`."""
        with self._lock:
            self._waiting += 1
        try:
            while True:
                begin = time.monotonic()
                facts = self.call(lambda clip: clip.refresh(_WAIT_S))
                if facts["state"] == "failed":
                    raise ServerProblem(422, str(facts["error"]))
                if facts["state"] == "ready":
                    return self.clip()
                if facts.get("progress"):
                    progress(*facts["progress"])
                if cancel is not None and cancel.cancelled:
                    raise Cancelled("waiting for the analysis was given up")
                # a server that does not know how to wait
                time.sleep(max(0.0, _WAIT_S - (time.monotonic() - begin)))
        finally:
            with self._lock:
                self._waiting -= 1

    def give_up(self) -> None:
        """Nobody wants the clip any more, unless another thread waits for it: an analysis that is going on is stopped. Asks once."""
        with self._lock:
            clip = self._clip if not self._waiting else None
        if clip is not None and clip.facts["state"] == "analysing":
            # a server that is gone has nothing to stop
            with contextlib.suppress(ServerProblem, ServerUnavailable):
                clip.give_up()

    def frame(self, n: int, cancel: Cancel | None = None, **asked: Any) -> Picture:
        """One layer of a final frame; waits for the analysis."""
        self.wait(cancel)
        picture: Picture = self.call(lambda clip: clip.frame(n, cancel=cancel, **asked))
        return picture


class Wish(NamedTuple):
    """What a viewer shows. n: 0-based. views: one picture each."""

    n: int
    views: tuple[str, ...]
    layer: str = "A"
    format: str = "f16"
    #: What `Node.edges` gives for this frame, as pairs: two equal wishes are equal.
    edges: tuple[tuple[str, Any], ...] = ()


class Scrubber:
    """What an interactive host needs: the newest wish only. A draft at once, the final when it is ready.

    `want` returns at once; a wish that is overtaken by another is given up, here and on the server. deliver(wish, view -> picture) and
    failed(wish, text) are called from threads of this object; hosts hand them over to their own main thread.
    quality: draft, final, or draft_then_final.
    """

    def __init__(
        self, link: Link, deliver: Callable[[Wish, dict[str, Picture]], None], failed: Callable[[Wish, str], None],
        quality: str = "draft_then_final",
    ) -> None:  # fmt: skip
        self._link = link
        self._deliver = deliver
        self._failed = failed
        self._changed = threading.Condition()
        self._wish: Wish | None = None
        self._number = 0
        #: Number of the wish whose final was delivered: its draft comes too late.
        self._finished = 0
        self._closed = False
        self._cancels: dict[str, Cancel] = {}
        kinds = {"draft_then_final": ("draft", "final"), "draft": ("draft",), "final": ("final",)}[quality]
        self._patience_s = _DRAFT_AFTER_S if len(kinds) == 2 else 0.0
        self._threads = [threading.Thread(target=self._run, args=(kind,), name=f"vr180-{kind}", daemon=True) for kind in kinds]
        for thread in self._threads:
            thread.start()

    def want(self, wish: Wish | None) -> None:
        """This one from now on; None: nothing."""
        with self._changed:
            self._wish = wish
            self._number += 1
            for cancel in self._cancels.values():
                cancel.cancel()
            self._changed.notify_all()

    def close(self) -> None:
        """Ends the threads without waiting for the server."""
        self._closed = True
        self.want(None)
        threading.Thread(target=self._leave, name="vr180-leave", daemon=True).start()

    def _leave(self) -> None:
        for thread in self._threads:
            thread.join()
        self._link.give_up()

    def _next(self, kind: str, seen: int) -> tuple[int, Wish, Cancel] | None:
        """The newest wish that this thread has not served; None at the end."""
        with self._changed:
            while not self._closed and (self._number == seen or self._wish is None):
                self._changed.wait()
            if self._closed or self._wish is None:
                return None
            self._cancels[kind] = cancel = Cancel()
            return self._number, self._wish, cancel

    def _run(self, kind: str) -> None:
        seen = 0
        while (work := self._next(kind, seen)) is not None:
            seen, wish, cancel = work
            if kind == "draft" and self._overtaken(seen):
                continue
            try:
                pictures = self._fetch(kind, wish, cancel)
            except Cancelled:
                continue
            except (ServerProblem, ServerUnavailable) as error:
                self._report(seen, wish, str(error))
            except Exception as error:  # noqa: BLE001 - a thread that dies would leave the host waiting for ever
                self._report(seen, wish, f"an error that should not happen: {type(error).__name__}: {error}")
            else:
                self._hand_over(kind, seen, wish, pictures)

    def _overtaken(self, number: int) -> bool:
        """Waits a moment: whether by then the final is there, or something else is wished for."""
        with self._changed:
            self._changed.wait_for(lambda: self._number != number or self._finished == number, self._patience_s)
            return self._number != number or self._finished == number

    def _fetch(self, kind: str, wish: Wish, cancel: Cancel) -> dict[str, Picture]:
        if kind == "final":
            self._link.wait(cancel)
        out = {}
        for view in wish.views:
            out[view] = self._link.call(partial(_one_view, wish=wish, view=view, quality=kind, cancel=cancel))
        return out

    def _hand_over(self, kind: str, number: int, wish: Wish, pictures: dict[str, Picture]) -> None:
        with self._changed:
            if number != self._number or (kind == "draft" and self._finished == number):
                return
            if kind == "final":
                self._finished = number
                if "draft" in self._cancels:
                    self._cancels["draft"].cancel()
                self._changed.notify_all()
        self._deliver(wish, pictures)

    def _report(self, number: int, wish: Wish, text: str) -> None:
        if number == self._number:
            self._failed(wish, text)


def _one_view(clip: Clip, wish: Wish, view: str, quality: str, cancel: Cancel) -> Picture:
    picture = clip.frame(wish.n, view, layer=wish.layer, quality=quality, format=wish.format, cancel=cancel, edges=dict(wish.edges))
    assert picture is not None  # nobody said what is known
    return picture


class Task:
    """Work in the background of a host: analysing or rendering, with progress, an end, and a way to stop it.

    work(task): does it, calls ``task.progress`` and looks at ``task.cancel``. state: running, done, failed or cancelled. text: for people.
    """

    def __init__(self, work: Callable[[Task], Any], changed: Callable[[Task], None] = lambda task: None) -> None:
        self.state = "running"
        self.text = ""
        self.done = self.total = 0
        self.result: Any = None
        self.cancel = Cancel()
        self._changed = changed
        self._work = work
        self._thread = threading.Thread(target=self._run, name="vr180-task", daemon=True)
        self._thread.start()

    def progress(self, done: int, total: int, text: str = "") -> None:
        self.done, self.total, self.text = done, total, text
        self._changed(self)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Whether it has ended."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        state = "failed"
        try:
            self.result = self._work(self)
            state = "done"
        except Cancelled:
            self.text, state = "cancelled", "cancelled"
        except (ServerProblem, ServerUnavailable) as error:
            self.text = str(error)
        except Exception as error:  # noqa: BLE001 - it is said in the host, not lost in a thread
            self.text = f"an error that should not happen: {type(error).__name__}: {error}"
        # last: whoever waits for the state reads the text
        self.state = state
        self._changed(self)


def render_task(
    link: Link,
    folder: str,
    frames: str = "all",
    output: Mapping[str, Any] | None = None,
    changed: Callable[[Task], None] = lambda task: None,
    *,
    edges: Mapping[str, Any] | Callable[[int], Mapping[str, Any]] | None = None,
) -> Task:
    """Renders in the background. edges: see `Node.edges_over`; a function gets the number of frames.

    A server that goes away ends it with a message; the same render goes on where it stopped."""

    def work(task: Task) -> dict[str, Any]:
        clip = _waited(link, task)
        job = link.call(lambda clip: clip.start_render(folder, frames, output, edges(len(clip)) if callable(edges) else edges))
        clip = link.clip()
        try:
            for state in clip.server.follow(job["job"]):
                job = state
                task.progress(job["done"], job["total"], "rendering")
                if task.cancel.cancelled and job["state"] in ("waiting", "running"):
                    clip.server.cancel(job["job"])
        except (ServerUnavailable, ServerProblem) as error:
            link.forget(clip)
            if isinstance(error, ServerProblem) and error.status != 404:
                raise
            raise ServerUnavailable(
                f"the frame server went away after {task.done} of {task.total} frames; what was written is whole. Render again to go on"
            ) from None
        if job["state"] == "failed":
            raise ServerProblem(500, str(job["error"]))
        if job["state"] == "cancelled":
            raise Cancelled
        report: dict[str, Any] = job["report"] or {}
        return report

    return Task(work, changed)


def analyse_task(
    link: Link, changed: Callable[[Task], None] = lambda task: None, first: Callable[[Clip], Any] | None = None
) -> Task:  # fmt: skip
    """Finds the people in the background. first: what the server is asked before. result: the clip's facts."""

    def work(task: Task) -> dict[str, Any]:
        if first is not None:
            link.call(first)
        return _waited(link, task).refresh()

    return Task(work, changed)


def _waited(link: Link, task: Task) -> Clip:
    """The analysed clip; whoever stops the task does not want it any more."""
    try:
        return link.wait(task.cancel, lambda done, total: task.progress(done, total, "analysing"))
    except Cancelled:
        link.give_up()
        raise


def clip_stem(path: str) -> str:
    """What rendered files are called: the clip's name without its ending and without the pattern of a sequence's numbers."""
    stem = Path(path).stem
    for mark in ("%", "#", "["):
        stem = stem.split(mark)[0]
    return stem.rstrip("._- ") or "clip"


def _as_typed(number: float) -> float:
    """The shortest number that single precision holds as this one: hosts with single precision give 0.7 back as 0.699999988.

    What only double precision can hold is returned as it is.
    """
    single = struct.Struct("<f")
    try:
        if single.unpack(single.pack(number))[0] != number:
            return number
    except OverflowError:
        return number
    # nine digits tell all numbers of single precision apart (IEEE 754)
    shorter = (float(f"{number:.{digits}g}") for digits in range(1, 10))
    return next(short for short in shorter if single.unpack(single.pack(short))[0] == number)


class Node:
    """The node's definition, and what values of its parameters mean.

    path: of node.json; default: the package's own, or the one beside a copy of this file.
    """

    def __init__(self, path: str | None = None) -> None:
        if path is None and __name__ == "vr180_ofx.client":
            text = (importlib.resources.files("vr180_ofx.nodes") / "node.json").read_text(encoding="utf-8")
        else:
            file = Path(path) if path else _HERE / "node.json"
            if not file.exists():
                raise FileNotFoundError(f"{file} does not exist; install the bridge again")
            text = file.read_text(encoding="utf-8")
        self.data: dict[str, Any] = json.loads(text)
        self.parameters: dict[str, dict[str, Any]] = {p["name"]: p for p in self.data["parameters"]}

    def settings(self, values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Sections for `Server.open`: what differs from the defaults. Output keys are left to `output`, and edges to `edges`: with other
        edges it is the same clip.
        """
        return {k: v for k, v in self._sections(values).items() if k not in ("output", "edges")}

    def edges(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Keys of the section edges for `Clip.frame`: what differs from the defaults. values: at the frame that is asked for."""
        return self._sections(values).get("edges", {})

    def edges_over(self, at: Callable[[int], Mapping[str, Any]], count: int) -> dict[str, Any]:
        """The same over time, for `Clip.start_render`: a value, or [[n, value], ...] where it changes.

        at: the values at frame ``n`` of the clip, which has ``count`` frames. The server draws straight lines between what is told, so
        all that lies on none is told: whatever curves the host has, its frames have the host's values.
        """
        rows = [self.edges(at(n)) for n in range(count)]
        out: dict[str, Any] = {}
        for p in self.parameters.values():
            section, _, key = str(p["setting"] or "").partition(".")
            if section != "edges" or not any(key in row for row in rows):
                continue
            line = [row.get(key, p["default"]) for row in rows]
            told = [n for n in range(count) if n in (0, count - 1) or line[n] != line[n - 1] or line[n] != line[n + 1]]
            out[key] = line[0] if len({*line}) == 1 else [[n, line[n]] for n in told]
        return out

    def output(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Keys of the section output for `Clip.start_render`."""
        return self._sections(values).get("output", {})

    def _sections(self, values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        out: dict[str, dict[str, Any]] = {}
        for name, p in self.parameters.items():
            value = values.get(name, p["default"])
            if p["kind"] == "float":
                value = _as_typed(float(value))
            if p["setting"] is None or value == p["default"]:
                continue
            section, _, key = p["setting"].partition(".")
            if p["kind"] == "choice" and name == "scale":
                value = float(value)
            out.setdefault(section, {})[key] = value
        return out

    def link(self, values: Mapping[str, Any], output: Mapping[str, Any] | None = None) -> Link:
        """The clip that the values name. output: what the host wants of EXR files that are served. Raises ValueError when none is named."""
        if not values["clip"]:
            raise ValueError("Clip is empty; name the video file or one image of the sequence")
        settings = {**self.settings(values), **({"output": dict(output)} if output else {})}
        return Link(
            values["clip"], settings, address=values["address"], token_file=values["token_file"], start=bool(values["start_server"])
        )

    @staticmethod
    def index(frame: int, values: Mapping[str, Any], count: int) -> int | None:
        """The clip's frame (0-based) that the host's ``frame`` shows; None outside the clip."""
        n = int(frame) - int(values.get("first_frame", 1))
        return n if 0 <= n < count else None

    @staticmethod
    def ranges(text: str, first_frame: int) -> str:
        """Ranges in the host's numbers as the server counts them, from 0. Raises ValueError with a message for people."""
        if text.strip() in ("", "all"):
            return "all"
        out = []
        for part in text.split(","):
            first, dash, last = part.strip().partition("-")
            try:
                a, b = int(first) - first_frame, int(last if dash else first) - first_frame
            except ValueError:
                raise ValueError(f"frames is {text!r}; allowed are all, or ranges such as 1-48,100") from None
            if a < 0 or b < a:
                raise ValueError(f"frames is {text!r}; the clip begins at frame {first_frame}, and a range goes upwards")
            out.append(str(a) if a == b else f"{a}-{b}")
        return ",".join(out)
