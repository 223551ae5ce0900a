"""Files that live as long as a process: it holds them, and whoever finds one that nobody holds knows that its process was killed."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

#: What `O_NOFOLLOW` and its like are where there are none.
PLAIN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def written(path: Path, text: str) -> Path:
    """A hidden file beside ``path`` with all of ``text`` on the disk, that only the user can read."""
    handle, name = tempfile.mkstemp(prefix=".token-", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(handle)
    except OSError:
        os.unlink(name)
        raise
    return Path(name)


def hold(path: Path, text: str) -> int:
    """Writes a file that is whole or absent, and holds it. Returns the handle that `release` takes. Raises OSError."""
    part = written(path, text)
    try:
        if os.name != "posix":
            # Windows renames nothing that is open, and removes nothing that is: holding is opening
            os.replace(part, path)
            return os.open(path, os.O_RDONLY)
        held = os.open(part, os.O_RDONLY | PLAIN)
        lock(held)
        os.replace(part, path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    return held


def release(path: Path, held: int) -> None:
    """Removes a file that this process holds."""
    # where a file can be removed that is held, nobody else takes its name before
    with contextlib.suppress(OSError):
        if os.name != "posix":
            os.close(held)
        path.unlink()
    if os.name == "posix":
        os.close(held)


def remove_abandoned(path: Path) -> bool:
    """Removes a file that nobody holds. Whether it did; False, too, where it cannot be known."""
    try:
        if os.name != "posix":
            path.unlink()
            return True
        handle = os.open(path, os.O_RDONLY | PLAIN)
        try:
            if not lock(handle):
                return False
            path.unlink()
            return True
        finally:
            os.close(handle)
    except OSError:
        return False


def lock(handle: int) -> bool:
    """Whether the open file is ours alone from now on. Where files cannot be locked nobody has it alone."""
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
