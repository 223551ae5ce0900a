"""Files as such, before anybody reads them: what may be opened, under which name, and how much memory its pictures may take."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from vr180_ofx.errors import MediaError, ResourceError
from vr180_ofx.settings import Settings
from vr180_ofx.telemetry import free_bytes, resident_bytes

#: Of the memory that may be had, what one picture may take while it is decoded: the rest is for what is made of it. Chosen.
_PICTURE_SHARE = 0.5
_KINDS = (
    (stat.S_ISDIR, "a folder; name a video file or an image sequence in it"),
    (stat.S_ISFIFO, "a pipe, which can be read once and perhaps never ends; name a file"),
    (stat.S_ISSOCK, "a socket; name a file"),
    (stat.S_ISCHR, "a device; name a file"),
    (stat.S_ISBLK, "a device; name a file"),
)


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
    for is_kind, words in _KINDS:
        if is_kind(found.st_mode):
            raise MediaError(f"{path} is {words}")
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
