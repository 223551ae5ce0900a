"""Files of clips, opened so that none of them can lie outside of where this process may read."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from vr180_ofx.errors import MediaError, ServiceError

_OPEN_FILES = "/proc/self/fd"
_folders: tuple[Path, ...] | None = None


def confine(folders: Sequence[Path] | None) -> None:
    """From now on this process reads clips only from these folders, without links, and from what lies in them; None: from everywhere.

    For the frame server, which opens what strangers name: between its look at a path and a library's opening it, a link may have come
    into the path's place.
    """
    global _folders
    _folders = None if folders is None else tuple(folders)


@contextlib.contextmanager
def readable(path: Path) -> Iterator[str]:
    """What to open ``path`` by. In a process that is confined: the name of the file that was looked at, which may have no ending.

    Raises ServiceError when it lies elsewhere, MediaError when it is no file, OSError.
    """
    if _folders is None:
        yield str(path)
        return
    # no bytes are read, and no device or pipe notices
    fd = os.open(path, getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise MediaError(f"{path} is no file")
        real = _place(fd, path)
        if not any(folder in real.parents for folder in _folders):
            raise ServiceError(403, f"{path} leads to {real}, outside of what this server may read (service.allowed_roots)")
        yield f"{_OPEN_FILES}/{fd}" if os.path.exists(_OPEN_FILES) else str(real)
    finally:
        os.close(fd)


def _place(fd: int, path: Path) -> Path:
    """Where what is open lies."""
    if os.path.exists(_OPEN_FILES):
        return Path(os.readlink(f"{_OPEN_FILES}/{fd}"))
    real = Path(os.path.realpath(path))
    if not os.path.samestat(os.stat(real), os.fstat(fd)):
        raise MediaError(f"{path} changed while it was being opened")
    return real
