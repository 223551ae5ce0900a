"""Files as such, before anybody reads them: what may be opened, under which name, and how much memory its pictures may take."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from vr180_ofx.errors import MediaError, ResourceError, ServiceError
from vr180_ofx.regular import kind_of
from vr180_ofx.settings import Settings
from vr180_ofx.telemetry import free_bytes, resident_bytes

#: Of the memory that may be had, what one picture may take while it is decoded: the rest is for what is made of it. Chosen.
_PICTURE_SHARE = 0.5
#: What to do where something is no file, and why, by its kind.
_INSTEAD = {
    "folder": "; name a video file or an image sequence in it",
    "pipe": ", which can be read once and perhaps never ends; name a file",
}
#: Where a system says what is open.
_OPEN_FILES = Path("/proc/self/fd")
_folders: tuple[Path, ...] | None = None


def confine(folders: Sequence[Path] | None) -> None:
    """From now on this process reads clips only from these folders, which have no links in their paths; None: from everywhere.

    For the frame server, which opens what others name: between its look at a path and a library's opening it, a link may have come into
    the path's place.
    """
    global _folders
    _folders = None if folders is None else tuple(folders)


@contextlib.contextmanager
def readable(path: Path) -> Iterator[str]:
    """The name by which libraries open ``path`` for as long as the block lasts: in UTF-8, and in a process that is confined that of the
    very file that was looked at, without an ending.

    Raises ServiceError when it lies outside of where this process may read, MediaError when it is no file.
    """
    if _folders is None:
        with utf8_name(path) as name:
            yield name
        return
    # no byte is read yet, and no device or pipe notices
    try:
        fd = os.open(path, getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        raise MediaError(f"{path} cannot be opened: {error.strerror}") from None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise MediaError(f"{path} is no file")
        known = _OPEN_FILES.exists()
        real = Path(os.readlink(_OPEN_FILES / str(fd)) if known else os.path.realpath(path))
        if not any(folder in real.parents for folder in _folders):
            raise ServiceError(403, f"{path} leads to {real}, outside of what this server may read (service.allowed_roots)")
        if not known and not os.path.samestat(os.stat(real), os.fstat(fd)):
            raise MediaError(f"{path} changed while it was being opened")
        yield str(_OPEN_FILES / str(fd) if known else real)
    finally:
        os.close(fd)


def check_file(path: Path) -> os.stat_result:
    """What the system says of an ordinary file that holds something; nothing is opened. Raises MediaError for whatever else it is."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise MediaError(f"{path} does not exist") from None
    except PermissionError:
        raise MediaError(f"{path} cannot be read: permission denied") from None
    except (OSError, ValueError) as error:
        # a name that is too long or holds a zero, a loop of links
        raise MediaError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    kind = kind_of(found.st_mode)
    if kind is not None:
        raise MediaError(f"{path} is a {kind}{_INSTEAD.get(kind, '; name a file')}")
    if found.st_size == 0:
        raise MediaError(f"{path} is empty (0 bytes); the copy or the recording did not finish")
    return found


def file_identity(path: Path) -> tuple[int, int]:
    """(size, modification time in ns): changes when a file does."""
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns


@contextlib.contextmanager
def utf8_name(path: Path) -> Iterator[str]:
    """A name for libraries that take UTF-8 alone: the file's own, or a link of that name for as long as the block lasts."""
    text = str(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        with tempfile.TemporaryDirectory(prefix="vr180-ofx-") as folder:
            link = Path(folder) / f"image{path.suffix.encode('utf-8', 'replace').decode()}"
            link.symlink_to(path.absolute())
            yield str(link)
        return
    yield text


def picture_limit(settings: Settings | None = None) -> int:
    """Bytes that one picture may take while it is decoded: by ``processing.max_memory_gb``, and by what the machine has."""
    allowed = (settings or Settings()).processing.max_memory_gb * 2**30
    return int(min(allowed, resident_bytes() + free_bytes()) * _PICTURE_SHARE)


def check_picture(path: Path, width: int, height: int, need: int, limit: int) -> None:
    """Raises ResourceError, before anything is decoded, for a picture that takes more than ``limit`` bytes. need: what it takes."""
    if need > limit:
        raise ResourceError(
            f"{path} says that it is {width}x{height} pixels: decoding it takes {need / 2**30:.2f} GB, and of the memory that may be used "
            f"(processing.max_memory_gb, and what this machine has free) a picture may take {limit / 2**30:.2f}. "
            "Raise the limit or use a smaller picture; a file that should be smaller is damaged"
        )
