"""Files that are whole or absent: atomic writing, and where this program keeps its own.

A path is only a name: between looking at it and opening it somebody may put a link in its place. So folders are opened step by step
without following links, files are made in an open folder under a name that was free, and libraries that know nothing but paths are given
the name of what is already open. Where a system has no such names (macOS, Windows) what was opened is looked at afterwards.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn

import platformdirs

from vr180_ofx.errors import NoFileError
from vr180_ofx.folders import HAS_LOCKS, Folder, locked
from vr180_ofx.regular import kind_of

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
_OPEN_FILES = Path("/proc/self/fd")


def cache_folder(name: str) -> Path:
    """Where rebuildable files of one kind live. ``VR180_OFX_CACHE`` overrides the root."""
    root = os.environ.get("VR180_OFX_CACHE") or platformdirs.user_cache_dir(APP, appauthor=False)
    return Path(root) / name


def weights_folder() -> Path:
    """Where model weights live. ``VR180_OFX_WEIGHTS`` overrides it."""
    override = os.environ.get("VR180_OFX_WEIGHTS")
    return Path(override) if override else cache_folder("weights")


def plans_folder() -> Path:
    """Where plans are kept. ``VR180_OFX_PLANS`` overrides it: machines that name one folder share their analyses and corrections."""
    override = os.environ.get("VR180_OFX_PLANS")
    return Path(override) if override else cache_folder("plans")


def backup_of(path: Path) -> Path:
    """Where a document is kept that was in a file before it was written anew: one, of the last time."""
    return path.with_name(path.name + ".bak")


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
        try:
            self._refuse_special()
            self._fd = self._create()
        except BaseException:
            self._folder.close()
            raise
        self.path = target.parent / self._name
        if self._fd is not None and steady and _OPEN_FILES.exists():
            self.path = _OPEN_FILES / str(self._fd)

    def _refuse_special(self) -> None:
        facts = self._folder.facts(self.target.name, links=True)
        if facts is not None and not stat.S_ISREG(facts.st_mode):
            raise NoFileError(f"{self.target} is a {kind_of(facts.st_mode) or 'device'}; name a file")

    def _create(self) -> int | None:
        """Makes the file under a name that was free; it stays open, and locked, where what is open can be renamed."""
        stem = os.fsdecode(os.fsencode(self.target.stem)[:_STEM_BYTES])
        while True:
            self._name = f".{stem}.{secrets.token_hex(4)}{_MARK}{self.target.suffix}"
            try:
                # the kernel takes off what the user's umask forbids
                fd = self._folder.open(self._name, os.O_RDWR | os.O_CREAT | os.O_EXCL)
            except FileExistsError:
                continue
            self._facts = os.fstat(fd)
            if not HAS_LOCKS:
                # Windows renames nothing that is open
                os.close(fd)
                return None
            # whoever removes leftovers sees that this is none
            if locked(fd, alone=True) and self._is_there():
                return fd
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
        if not stat.S_ISREG(facts.st_mode) or not locked(fd, alone=True):
            return False
        offset, begins = _BEGINNINGS.get(Path(name).suffix, (0, b""))
        head = os.read(fd, offset + len(begins))
        now = folder.facts(name)
        if (head and head[offset:] != begins) or now is None or not os.path.samestat(now, facts):
            return False
        if HAS_LOCKS:
            folder.remove(name)
            return True
    finally:
        os.close(fd)
    folder.remove(name)
    return True
