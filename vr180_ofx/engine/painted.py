"""Painted mattes as prompts: what their files hold, so that what is remembered is known by what it was made of."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vr180_ofx.controls.paint import painted_at
from vr180_ofx.errors import InputMatteError, MediaError
from vr180_ofx.media.files import check_file
from vr180_ofx.media.painted import Painted

#: A file that changed so lately may change once more without its time showing it: clocks of file systems tick every few milliseconds, those
#: of some network shares every second or two.
_SETTLED_NS = 3_000_000_000
_PIECE = 1 << 20
#: Pictures that are held: those of a frame's people in both eyes; they are asked for again when the frame is made in another chunk.
_HELD = 8


@dataclass(frozen=True, slots=True)
class _Seen:
    """digest: of what a file held; empty where it could not be read. stamp: by which the system tells that it is another one. settled:
    whether it surely would.
    """

    digest: str
    stamp: tuple[int, ...]
    settled: bool


class PaintedPrompts:
    """The painted mattes of a plan, as they were at one moment. Safe to use from several threads.

    Whoever keeps something that was made with them names it by `digest`; `changed` says that the moment is over; and `read` gives a picture
    only while its file still holds what the digest says.
    """

    def __init__(self, files: Iterable[str]) -> None:
        self._seen = {file: _look(Path(file)) for file in sorted(files)}
        self._lock = threading.Lock()
        self._pictures: OrderedDict[tuple[str, int, tuple[int, int]], Painted] = OrderedDict()

    def digest(self, file: str) -> str:
        """A hash of what a file held, or of that it could not be read."""
        return self._seen[file].digest

    def changed(self) -> bool:
        """Whether a file holds something else now. Files that are the same by size, times and number are not read again."""
        for file, before in list(self._seen.items()):
            path = Path(file)
            if before.settled and _stamp(path) == before.stamp:
                continue
            now = _look(path)
            if now.digest != before.digest:
                return True
            self._seen[file] = now
        return False

    def read(self, file: str, n: int, name: str, eye: tuple[int, int]) -> Painted:
        """What is painted for frame ``n``, in pixels of the eye's picture. name: whose, for messages. eye: (width, height).

        Raises InputMatteError, also where the file is another one than at this moment.
        """
        key = file, n, eye
        with self._lock:
            if key in self._pictures:
                self._pictures.move_to_end(key)
                return self._pictures[key]
        found = painted_at(file, n, name, eye, eye)
        # read after it, so that it is of what was seen
        if _look(Path(file)).digest != self._seen[file].digest:
            raise InputMatteError(name, n, f"{file} changed while it was read; ask again when it is whole")
        with self._lock:
            self._pictures[key] = found
            while len(self._pictures) > _HELD:
                self._pictures.popitem(last=False)
        return found


def _look(path: Path) -> _Seen:
    stamp = _stamp(path)
    digest = hashlib.sha256()
    try:
        # a pipe would never end
        check_file(path)
        with path.open("rb") as stream:
            while piece := stream.read(_PIECE):
                digest.update(piece)
    except (MediaError, OSError):
        return _Seen("", stamp, True)
    whole = _stamp(path) == stamp
    return _Seen(digest.hexdigest()[:32], stamp, whole and time.time_ns() - max(stamp[1:3]) > _SETTLED_NS)


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino
