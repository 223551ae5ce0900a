"""Where a server's token lies: a file that only its user can read, whole or absent, and another one for every server."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from vr180_ofx.client import is_token, token_name
from vr180_ofx.errors import SettingsError
from vr180_ofx.service.held import PLAIN, hold, release, remove_abandoned, written
from vr180_ofx.storage import cache_folder

#: An empty file may be one that another server is about to fill (former versions made it before they wrote it).
_PATIENCE_S = 0.5
#: Hidden files of starts that were killed; a start lasts a moment.
_LEFTOVER_S = 60.0


@contextlib.contextmanager
def token_for(named: str | None, port: int) -> Iterator[tuple[str, Path]]:
    """The token of the server at ``port``, and its file, for as long as the server runs.

    named: a file that the user chose (`service.token_file`): its token is kept from server to server, and made when there is none.
    Otherwise the server gets a token of its own, which ends with it. Raises SettingsError when the file cannot be used.
    """
    path = Path(named) if named else cache_folder("service") / token_name(port)
    held = -1
    try:
        if named:
            token = read_or_make_token(path)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            with locked(path.parent):
                _sweep(path.parent)
                token, path, held = _publish(path)
    except OSError as error:
        raise SettingsError(f"the token file {path} cannot be used: {error.strerror or error}") from None
    try:
        yield token, path
    finally:
        if held >= 0:
            release(path, held)


def read_or_make_token(path: Path) -> str:
    """The token in ``path``, which only the user can read; made when there is none, by one of several that start at once.

    Raises SettingsError when others can read or change it, or when it is none; OSError when it cannot be read or written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + _PATIENCE_S
    while True:
        with contextlib.suppress(FileNotFoundError):
            text = _read(path)
            if text:
                return text
            if time.monotonic() > end:
                return _refill(path)
            time.sleep(0.05)
            continue
        with contextlib.suppress(FileExistsError):
            return _create(path)


def write_private(path: Path, text: str) -> None:
    """Writes a file that is whole or absent, and that only the user can read."""
    part = written(path, text)
    try:
        os.replace(part, path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _read(path: Path) -> str:
    """The token; empty for an empty file, which a full disk leaves."""
    try:
        handle = os.open(path, os.O_RDONLY | PLAIN)
    except OSError:
        if path.is_symlink():
            raise SettingsError(f"the token file {path} is a link; name the file that it leads to") from None
        raise
    with os.fdopen(handle, "rb") as stream:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            raise SettingsError(f"the token file {path} is not a file; name another with --token-file")
        if os.name == "posix" and stat.S_IMODE(facts.st_mode) & 0o077:
            raise SettingsError(f"the token file {path} can be read by others; run: chmod 600 {path}")
        # whoever may write it knows it
        if os.name == "posix" and facts.st_uid not in (os.geteuid(), 0):
            raise SettingsError(f"the token file {path} belongs to another user; name another with --token-file")
        data = stream.read(4096)
    text = data.decode("ascii", "replace").strip()
    if data and not is_token(text):
        raise SettingsError(f"the token file {path} holds no token, which is one word of 16 to 500 characters; delete it to get a new one")
    return text


def _create(path: Path) -> str:
    """A new token under a name that is free. Raises FileExistsError when it is not, any more."""
    token = secrets.token_urlsafe(32)
    part = written(path, token + "\n")
    try:
        if os.name == "posix":
            os.link(part, path)
        else:
            os.rename(part, path)
    except FileExistsError:
        raise
    except OSError:
        # a file system without links: whole unless the machine dies in this moment, and then empty, which is mended
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(token + "\n")
    finally:
        part.unlink(missing_ok=True)
    return token


def _refill(path: Path) -> str:
    """A new token in place of nothing: one of several servers makes it, and the others read it."""
    with locked(path.parent):
        text = _read(path)
        if not text:
            text = secrets.token_urlsafe(32)
            write_private(path, text + "\n")
    return text


# whose file is in use: the server holds it ------------------------------------------------------------------------


def _publish(path: Path) -> tuple[str, Path, int]:
    """A new token, its file, and the handle that holds it. Where a server on another address has the same port: under another name."""
    if path.exists():
        path = path.with_name(f"{path.name}-{os.getpid()}")
    token = secrets.token_urlsafe(32)
    return token, path, hold(path, token + "\n")


def _sweep(folder: Path) -> None:
    """Removes the tokens of servers that were killed."""
    for path in folder.glob("token-*"):
        remove_abandoned(path)
    for part in folder.glob(".token-*.part"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > _LEFTOVER_S:
                part.unlink()


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One server at a time does this in ``folder``; where files cannot be locked, all do."""
    handle = os.open(folder / ".token.lock", os.O_RDWR | os.O_CREAT | PLAIN, 0o600)
    try:
        with contextlib.suppress(OSError):
            if os.name == "posix":
                import fcntl

                fcntl.flock(handle, fcntl.LOCK_EX)
            else:
                import msvcrt

                msvcrt.locking(handle, msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined]
        yield
    finally:
        os.close(handle)
