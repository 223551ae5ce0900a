"""Which servers of this user run: each keeps a record while it does, and is only believed when it proves itself (decision 0069)."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from vr180_ofx.client import Server, ServerProblem, ServerUnavailable, announce_path, connect, split_address
from vr180_ofx.documents import from_json
from vr180_ofx.errors import DocumentError
from vr180_ofx.service.held import hold, release, remove_abandoned
from vr180_ofx.service.tokens import locked, write_private

log = logging.getLogger(__name__)
#: Who has not answered in this time is said to be silent: a busy server answers in milliseconds, since nothing heavy runs on its loop.
_ANSWER_S = 5.0
#: A record has some hundred bytes.
_RECORD_BYTES = 1 << 16
#: Servers that are asked at the same time.
_AT_ONCE = 8


@dataclass(frozen=True)
class Record:
    """What a server says of itself in a file. started: seconds since 1970. machine: its name, since homes are shared by machines."""

    address: str
    token_file: str
    pid: int
    version: str
    api: int = 1
    started: float = 0.0
    machine: str = ""

    @classmethod
    def read(cls, path: Path) -> Record | None:
        """None for what is no record of this user's."""
        try:
            with open(path, "rb") as stream:
                owner = os.fstat(stream.fileno()).st_uid
                values = from_json(stream.read(_RECORD_BYTES))
            if os.name == "posix" and owner not in (os.geteuid(), 0):
                return None
            record = cls(**{k: values[k] for k in cls.__dataclass_fields__ if k in values})
            kinds: dict[str, type | tuple[type, ...]] = {
                "address": str, "token_file": str, "pid": int, "version": str, "started": (int, float), "machine": str,
            }  # fmt: skip
            if not all(isinstance(getattr(record, k), kind) for k, kind in kinds.items()):
                return None
            split_address(record.address)
        except (OSError, DocumentError, TypeError, ServerUnavailable):
            return None
        return record

    @property
    def note(self) -> str:
        """As the file of a server holds it."""
        return json.dumps(asdict(self)) + "\n"


@dataclass(frozen=True)
class Known:
    """A server of which there is a record, and what came of asking it.

    state: running; silent (its process lives and does not answer); old (of a version that knows no such question); elsewhere (of another
    machine); gone. facts: of `GET /v1/server`, where it runs. why: the words of whoever asked in vain.
    """

    record: Record
    path: Path
    state: str
    facts: dict[str, Any] | None = None
    why: str = ""


@contextlib.contextmanager
def recorded(note: Path | None, record: Record) -> Iterator[None]:
    """Keeps the record of a server while it runs. note: where it announces itself; by default where clients of this user look.

    A server that ends hands the place over to another one of the user's that runs.
    """
    folder = announce_path().parent
    own = folder / f"server-{split_address(record.address)[1]}-{record.pid}.json"
    place = note or announce_path()
    held = -1
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder):
            for path in _files(folder):
                # of those that were killed here
                if (there := Record.read(path)) is not None and there.machine == record.machine:
                    remove_abandoned(path)
            held = hold(own, record.note)
    except OSError as error:
        log.warning("%s cannot be written (%s): `vr180-ofx status` will not know this server", own, error.strerror)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        write_private(place, record.note)
    except OSError as error:
        log.warning("%s cannot be written (%s): clients have to be told the address and the token file", place, error.strerror)
    try:
        yield
    finally:
        with contextlib.suppress(OSError), locked(folder):
            _leave(place, own, record)
        if held >= 0:
            release(own, held)


def _leave(place: Path, own: Path, record: Record) -> None:
    """Takes the announcement back, or hands it over. Called with the folder locked."""
    there = Record.read(place)
    # another server may have taken the place meanwhile
    if there is None or there.pid != record.pid:
        return
    heirs = [r for path in _files(place.parent) if path != own and (r := Record.read(path)) is not None and _lives(r)]
    if place == announce_path() and heirs:
        write_private(place, max(heirs, key=lambda r: r.started).note)
    else:
        place.unlink()


def _lives(record: Record) -> bool:
    """Whether there is such a process here: an heir is proved by whoever wants it."""
    return record.machine == socket.gethostname() and psutil.pid_exists(record.pid)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("server-*.json"))


def known_servers() -> list[Known]:
    """All servers of this user of which there are records, the oldest first; records of those that are gone are removed."""
    found: dict[str, tuple[Record, Path]] = {}
    # the announcement last: servers of former versions have no other record
    for path in [*_files(announce_path().parent), announce_path()]:
        record = Record.read(path)
        if record is not None:
            found.setdefault(record.address, (record, path))
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        servers = list(threads.map(lambda one: look(*one), found.values()))
    return sorted(servers, key=lambda known: known.record.started)


def look(record: Record, path: Path) -> Known:
    """Asks the server of a record. Its record is removed when nobody proves to be it and no process holds the record."""
    if record.machine and record.machine != socket.gethostname():
        return Known(record, path, "elsewhere", why=f"runs on {record.machine}, or was killed there")
    try:
        server = connect(record.address, record.token_file, _ANSWER_S)
        try:
            facts = server.server_facts()
        finally:
            server.close()
    except ServerProblem as problem:
        return Known(record, path, "old" if problem.status == 404 else "silent", why=problem.detail)
    except ServerUnavailable as error:
        return _in_vain(record, path, str(error))
    return Known(record, path, "running", facts)


def _in_vain(record: Record, path: Path, why: str) -> Known:
    with contextlib.suppress(OSError), locked(path.parent):
        now = Record.read(path)
        if path == announce_path():
            # nobody holds this one: it is removed while it says what was asked, and no process of that number is here
            if now == record and not psutil.pid_exists(record.pid):
                path.unlink()
        elif now == record and remove_abandoned(path) and Record.read(announce_path()) == record:
            announce_path().unlink()
    return Known(record, path, "silent" if path.exists() and Record.read(path) == record else "gone", why=why)


def wait_for_end(known: Known, timeout_s: float) -> bool:
    """Whether a server that was told to end has ended: its record is gone, and so is its process."""
    end = time.monotonic() + timeout_s
    pid = (known.facts or {}).get("pid", known.record.pid)
    while True:
        held = known.path != announce_path() and Record.read(known.path) == known.record
        if not held and not _runs(pid):
            return True
        if time.monotonic() > end:
            return False
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def stop(servers: Sequence[Known], timeout_s: float) -> dict[str, str]:
    """Tells servers to end, all at once, and waits. Returns address -> what came of it, in words; empty words: it has ended."""

    def one(known: Known) -> tuple[str, str]:
        address = known.record.address
        try:
            server: Server = connect(address, known.record.token_file, _ANSWER_S)
            try:
                server.stop(int((known.facts or {})["pid"]))
            finally:
                server.close()
        except (ServerProblem, ServerUnavailable) as error:
            return address, str(error)
        ended = wait_for_end(known, timeout_s)
        return address, "" if ended else f"it is still ending after {timeout_s:g} s; a render's frame and memory are written to their end"

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return dict(threads.map(one, servers))
