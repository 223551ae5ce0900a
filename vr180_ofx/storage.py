"""Files that are whole or absent: atomic writing, and where this program keeps its own."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import platformdirs

APP = "vr180-ofx"


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


@contextlib.contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """A path beside ``target`` to write to; it takes the name of ``target`` when the block ends without an error.

    Leftovers of killed processes are hidden files named ``.NAME.*.part``; nothing ever reads them.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.stem}.", suffix=f".part{target.suffix}", dir=target.parent)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        # mkstemp makes files private; the result gets what the user's umask allows
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(part, 0o666 & ~umask)
        os.replace(part, target)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def write_atomic(target: Path, data: bytes) -> None:
    """Writes ``data`` to ``target`` so that a reader sees the old file or the new one, never half."""
    with atomic_path(target) as part, open(part, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def remove_leftovers(folder: Path) -> int:
    """Deletes unfinished files of killed runs from ``folder``; returns how many there were."""
    count = 0
    for part in folder.glob(".*.part*"):
        with contextlib.suppress(OSError):
            part.unlink()
            count += 1
    return count
