"""Files that are whole or absent: atomic writing, folders that are open, and where this program keeps its own.

A path is only a name: between looking at it and opening it somebody may put a link in its place. So folders are opened step by step
without following links, files are made in an open folder under a name that was free, and libraries that know nothing but paths are given
the name of what is already open. Where a system has no such names (macOS, Windows) what was opened is looked at afterwards.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import platformdirs

from vr180_ofx.errors import OutputError

#: Locks of POSIX; Windows has others, and none for folders.
_fcntl: Any = importlib.import_module("fcntl") if os.name == "posix" else None

APP = "vr180-ofx"
#: What names of unfinished files have in them, and no other program's.
_MARK = ".vr180-ofx.part"
_UNFINISHED = re.compile(r"\..*\.[0-9a-f]{8}" + re.escape(_MARK) + r"(\.[^.]*)?", re.DOTALL)
#: How files begin that bear these endings: (offset, bytes). Nothing else is removed as a leftover of ours.
_BEGINNINGS = {
    ".exr": (0, b"\x76\x2f\x31\x01"),
    ".png": (0, b"\x89PNG"),
    ".mp4": (4, b"ftyp"),
    ".mov": (4, b"ftyp"),
    ".webm": (0, b"\x1a\x45\xdf\xa3"),
    ".json": (0, b"{"),
}
#: Bytes of a name that are left to a file's own in the name of the unfinished one; file systems take 255 for all.
_STEM_BYTES = 180
#: What does not fit on a disk that was full a moment ago.
_MORE_BYTES = 1 << 20
_BY_DESCRIPTOR = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
_OPEN_FILES = Path("/proc/self/fd")


def cache_folder(name: str) -> Path:
    """Where rebuildable files of one kind live. ``VR180_OFX_CACHE`` overrides the root."""
    root = os.environ.get("VR180_OFX_CACHE") or platformdirs.user_cache_dir(APP, appauthor=False)
    return Path(root) / name


def weights_folder() -> Path:
    """Where model weights live. ``VR180_OFX_WEIGHTS`` overrides it."""
    override = os.environ.get("VR180_OFX_WEIGHTS")
    return Path(override) if override else cache_folder("weights")


class NoFileError(OutputError, OSError):
    """What should be written to is no file, or lies behind a link: also an error of the system, for those who can do without the file."""


# folders ---------------------------------------------------------------------------------------------------------


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
        return self._fd is None or _locked(self._fd, alone=alone)


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


def _locked(fd: int, *, alone: bool) -> bool:
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
        while _fcntl is not None and self._fd is None:
            fd = folder.open(name, os.O_RDWR | os.O_CREAT)
            now = folder.facts(name) if _locked(fd, alone=False) else None
            # whoever held it last may just be removing it
            if now is not None and os.path.samestat(now, os.fstat(fd)):
                self._fd = fd
            else:
                os.close(fd)

    def alone(self) -> bool:
        """Whether nobody else holds it. It is shared again after this."""
        if self._fd is None:
            return True
        alone = _locked(self._fd, alone=True)
        # asking for more lets go of what there was, granted or not
        return _locked(self._fd, alone=False) and alone

    def release(self) -> None:
        if self._fd is None:
            return
        if _locked(self._fd, alone=True):
            with contextlib.suppress(OSError):
                self._folder.remove(self._name)
        os.close(self._fd)
        self._fd = None


# files -----------------------------------------------------------------------------------------------------------


class AtomicFile:
    """A file that is being written and takes its name when it is whole: `commit` or `discard` ends it.

    path: what to write to. steady: ``target``'s folder is a path without links, nothing is written through one that comes there later, and
    ``path`` names the open file where the system has such names; it may have no ending then. Raises NoFileError when ``target`` is
    no file, OSError.

    Leftovers of killed processes are hidden files ``.NAME.*.vr180-ofx.part.*``, which nothing ever reads; see `remove_leftovers`.
    """

    def __init__(self, target: Path, *, steady: bool = False) -> None:
        self.target = target
        self._steady, self._ended = steady, False
        self._folder = Folder(target.parent if steady else Path(os.path.realpath(target.parent)), make=True)
        self._fd: int | None = None
        try:
            self._refuse_special()
            self._create()
        except BaseException:
            self._folder.close()
            raise
        self.path = target.parent / self._name
        if self._fd is not None and steady and _OPEN_FILES.exists():
            self.path = _OPEN_FILES / str(self._fd)

    def _refuse_special(self) -> None:
        facts = self._folder.facts(self.target.name, links=True)
        if facts is not None and not stat.S_ISREG(facts.st_mode):
            raise NoFileError(f"{self.target} is {_kind(facts.st_mode)}; name a file")

    def _create(self) -> None:
        stem = os.fsdecode(os.fsencode(self.target.stem)[:_STEM_BYTES])
        while True:
            self._name = f".{stem}.{secrets.token_hex(4)}{_MARK}{self.target.suffix}"
            try:
                # the kernel takes off what the user's umask forbids
                fd = self._folder.open(self._name, os.O_RDWR | os.O_CREAT | os.O_EXCL)
            except FileExistsError:
                continue
            self._facts = os.fstat(fd)
            if _fcntl is None:
                # Windows renames nothing that is open
                os.close(fd)
                return
            # whoever removes leftovers sees that this is none
            if _locked(fd, alone=True) and self._is_there():
                self._fd = fd
                return
            os.close(fd)

    def _is_there(self) -> bool:
        """Whether the name still belongs to the file that was made."""
        found = self._folder.facts(self._name)
        return found is not None and os.path.samestat(found, self._facts)

    def commit(self) -> None:
        """The file takes the name of ``target``. Raises OSError, NoFileError when somebody has put another file in its place."""
        try:
            if self._fd is not None and self._steady:
                # some disks say only now that they are full
                os.fsync(self._fd)
            if not self._is_there():
                raise NoFileError(f"{self.target} was replaced while it was being written; it was not kept")
            self._folder.replace(self._name, self.target.name)
        except BaseException:
            self.discard()
            raise
        self._close()

    def discard(self) -> None:
        """Nothing is left of it; of one that has ended, nothing changes."""
        if self._ended:
            return
        with contextlib.suppress(OSError):
            if self._is_there():
                self._folder.remove(self._name)
        self._close()

    def _close(self) -> None:
        self._ended = True
        if self._fd is not None:
            os.close(self._fd)
        self._folder.close()


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a pipe" if stat.S_ISFIFO(mode) else "a socket" if stat.S_ISSOCK(mode) else "a device"


@contextlib.contextmanager
def atomic_path(target: Path, *, steady: bool = False) -> Iterator[Path]:
    """A path to write to; the file takes the name of ``target`` when the block ends without an error. See `AtomicFile`."""
    file = AtomicFile(target, steady=steady)
    try:
        yield file.path
    except BaseException:
        file.discard()
        raise
    file.commit()


def write_atomic(target: Path, data: bytes, *, steady: bool = False) -> None:
    """Writes ``data`` to ``target`` so that a reader sees the old file or the new one, never half. steady: see `AtomicFile`."""
    with atomic_path(target, steady=steady) as part, open(part, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def refuse_cut_off(stream: BinaryIO) -> NoReturn:
    """Raises the OSError that whoever wrote this file did not tell of: it did not become whole, and writes more to it to learn why."""
    stream.seek(0, os.SEEK_END)
    stream.write(bytes(_MORE_BYTES))
    stream.flush()
    os.fsync(stream.fileno())
    raise OSError(errno.EIO, "the file came out damaged")


def remove_leftovers(folder: Path) -> int:
    """Deletes unfinished files of killed runs from ``folder``; returns how many there were.

    Ours are told by their name and by how they begin, and those that somebody still writes by their lock.
    """
    count = 0
    with Folder(Path(os.path.realpath(folder))) as held:
        for name in held.names():
            if _UNFINISHED.fullmatch(name):
                with contextlib.suppress(OSError):
                    count += _removed(held, name)
    return count


def _removed(folder: Folder, name: str) -> bool:
    fd = folder.open(name, os.O_RDONLY)
    try:
        facts = os.fstat(fd)
        if not stat.S_ISREG(facts.st_mode) or not _locked(fd, alone=True):
            return False
        offset, begins = _BEGINNINGS.get(Path(name).suffix, (0, b""))
        head = os.read(fd, offset + len(begins))
        now = folder.facts(name)
        if (head and head[offset:] != begins) or now is None or not os.path.samestat(now, facts):
            return False
        if _fcntl is not None:
            folder.remove(name)
            return True
    finally:
        os.close(fd)
    folder.remove(name)
    return True
