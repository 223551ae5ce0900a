"""Folders that are open, and locks in them.

A path is only a name: between looking at it and opening it somebody may put a link in its place. So folders are opened step by step
without following links, and files are reached from there. Where a system has no such calls (Windows) what was opened is looked at
afterwards.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from pathlib import Path
from typing import Any

from vr180_ofx.errors import NoFileError

#: Locks of POSIX; Windows has others, and none for folders.
_fcntl: Any = importlib.import_module("fcntl") if os.name == "posix" else None
HAS_LOCKS: bool = os.name == "posix"
_BY_DESCRIPTOR = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)


class Folder:
    """A folder that is open: what its name leads to later does not matter. A context manager that closes it.

    path: without links. make: makes it, and those above it. Raises NoFileError when a part of ``path`` is a link or no folder, OSError.
    """

    def __init__(self, path: Path, *, make: bool = False) -> None:
        self.path = path
        self._fd: int | None = None
        if _BY_DESCRIPTOR:
            self._fd = _walked(path, make=make)
            return
        if make:
            path.mkdir(parents=True, exist_ok=True)
        if os.path.realpath(path) != str(path):
            raise NoFileError(f"{path} is a link, or lies behind one; it is not written to")

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _at(self, name: str) -> str:
        return name if self._fd is not None else str(self.path / name)

    def open(self, name: str, flags: int) -> int:
        """A descriptor of the file ``name``; a link is not followed, and a pipe does not wait. Raises OSError."""
        return os.open(self._at(name), flags | _NO_LINK, 0o666, dir_fd=self._fd)

    def facts(self, name: str, *, links: bool = False) -> os.stat_result | None:
        """What ``name`` is; None when there is no such thing. links: whether what a link leads to is meant."""
        try:
            return os.stat(self._at(name), dir_fd=self._fd, follow_symlinks=links)
        except FileNotFoundError:
            return None

    def replace(self, name: str, new: str) -> None:
        os.replace(self._at(name), self._at(new), src_dir_fd=self._fd, dst_dir_fd=self._fd)

    def remove(self, name: str) -> None:
        os.unlink(self._at(name), dir_fd=self._fd)

    def names(self) -> list[str]:
        return os.listdir(self.path if self._fd is None or os.listdir not in os.supports_fd else self._fd)

    def lock(self, *, alone: bool) -> bool:
        """Whether the folder is ours to use until it is closed, together with others or ``alone``. Never waits.

        Where there are no such locks (Windows, some network disks) everybody gets one.
        """
        return self._fd is None or locked(self._fd, alone=alone)


def _walked(path: Path, *, make: bool) -> int:
    """A descriptor of the folder ``path``, which is reached without any link."""
    # of folders on the way only their names matter: they need not be readable
    passing = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    names = path.parts[1:]
    held = os.open(path.anchor, passing if names else os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for k, name in enumerate(names):
        last = k == len(names) - 1
        try:
            try:
                found = _stepped(name, held, passing, last=last)
            except FileNotFoundError:
                if not make:
                    raise
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, dir_fd=held)
                found = _stepped(name, held, passing, last=last)
        except OSError as error:
            here = Path(path.anchor, *names[: k + 1])
            if here.is_symlink():
                raise NoFileError(f"{here} has become a link; nothing is written through it") from None
            raise OSError(error.errno, error.strerror, str(here)) from None
        finally:
            os.close(held)
        held = found
    return held


def _stepped(name: str, folder: int, passing: int, *, last: bool) -> int:
    if last:
        with contextlib.suppress(PermissionError):
            # one that can be listed and locked; one that can only be written to will do
            return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    return os.open(name, passing, dir_fd=folder)


def locked(fd: int, *, alone: bool) -> bool:
    """Whether what is open could be locked, without waiting; so it is where there are no locks."""
    if _fcntl is None:
        return True
    try:
        _fcntl.flock(fd, (_fcntl.LOCK_EX if alone else _fcntl.LOCK_SH) | _fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


class FileLock:
    """A lock in a folder, under the hidden ``name``: shared with others from the start. It ends with the process, and leaves no file.

    Raises OSError. Where there are no such locks, everybody gets one.
    """

    def __init__(self, folder: Folder, name: str) -> None:
        self._folder, self._name = folder, name
        self._fd: int | None = None
        while HAS_LOCKS and self._fd is None:
            fd = folder.open(name, os.O_RDWR | os.O_CREAT)
            now = folder.facts(name) if locked(fd, alone=False) else None
            # whoever held it last may just be removing it
            if now is not None and os.path.samestat(now, os.fstat(fd)):
                self._fd = fd
            else:
                os.close(fd)

    def alone(self) -> bool:
        """Whether nobody else holds it. It is shared again after this."""
        if self._fd is None:
            return True
        alone = locked(self._fd, alone=True)
        # asking for more lets go of what there was, granted or not
        return locked(self._fd, alone=False) and alone

    def release(self) -> None:
        if self._fd is None:
            return
        if locked(self._fd, alone=True):
            with contextlib.suppress(OSError):
                self._folder.remove(self._name)
        os.close(self._fd)
        self._fd = None
