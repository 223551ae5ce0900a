"""Decoded pictures, kept in memory and, where a folder is named, on a disk: decoding takes longest of all that a CPU does in training.

What lies on a disk is sealed (`vr180_ofx.sealed`): an entry that is damaged counts as absent. Names hold the file's size and time: a file
that was replaced is read again.
"""

from __future__ import annotations

import hashlib
import struct
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import zstandard

from vr180_ofx.arrays import Array
from vr180_ofx.media.files import check_file
from vr180_ofx.sealed import read_sealed, sealed
from vr180_ofx.storage import write_atomic

_LIMIT = 1 << 30
_KINDS: dict[str, np.dtype[Any]] = {"u1": np.dtype("u1"), "u2": np.dtype("<u2"), "f4": np.dtype("<f4")}


class Pictures:
    """memory, disk: bytes at most. folder: None keeps nothing on a disk. For any number of threads."""

    def __init__(self, memory: int = 512 << 20, folder: Path | None = None, disk: int = 20 << 30) -> None:
        self._memory, self._folder, self._disk = memory, folder, disk
        self._held: OrderedDict[str, Array] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._on_disk = sum(f.stat().st_size for f in folder.rglob("*.picture")) if folder is not None and folder.is_dir() else 0
        #: How often a picture was asked for, found in memory, found on the disk.
        self.asked = self.in_memory = self.from_disk = 0

    def get(self, path: Path, what: str, load: Callable[[], Array]) -> Array:
        """The picture ``what`` of a file; ``load`` makes it where it is not here. It is not to be changed. Raises what ``load`` raises."""
        facts = check_file(path)
        key = f"{path}|{facts.st_size}|{facts.st_mtime_ns}|{what}"
        with self._lock:
            self.asked += 1
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
                self.in_memory += 1
                return found
        made = self._read(key)
        if made is None:
            made = load()
            self._write(key, made)
        made.setflags(write=False)
        self._hold(key, made)
        return made

    def _hold(self, key: str, picture: Array) -> None:
        if picture.nbytes > self._memory:
            return
        with self._lock:
            before = self._held.pop(key, None)
            self._bytes += picture.nbytes - (before.nbytes if before is not None else 0)
            self._held[key] = picture
            while self._bytes > self._memory:
                self._bytes -= self._held.popitem(last=False)[1].nbytes

    def _place(self, key: str) -> Path | None:
        if self._folder is None:
            return None
        name = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
        return self._folder / name[:2] / f"{name}.picture"

    def _read(self, key: str) -> Array | None:
        place = self._place(key)
        if place is None:
            return None
        try:
            entry = read_sealed(place, place.stem, _LIMIT)
        except OSError:
            return None
        if entry is None:
            return None
        kind, dimensions = struct.unpack("<2sB", entry[:3])
        end = 3 + 4 * dimensions
        shape = struct.unpack(f"<{dimensions}I", entry[3:end])
        data = zstandard.decompress(bytes(entry[end:]))
        with self._lock:
            self.from_disk += 1
        return np.frombuffer(data, _KINDS[kind.decode()]).reshape(shape)

    def _write(self, key: str, picture: Array) -> None:
        place = self._place(key)
        if place is None or self._on_disk > self._disk:
            return
        kind = next((k for k, d in _KINDS.items() if d == picture.dtype), None)
        if kind is None:
            return
        head = struct.pack(f"<2sB{picture.ndim}I", kind.encode(), picture.ndim, *picture.shape)
        data = sealed(place.stem, head + zstandard.compress(np.ascontiguousarray(picture).tobytes(), 1))
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(place, data)
        except OSError:
            # a cache that cannot be written to is none; what it is for goes on
            return
        with self._lock:
            self._on_disk += len(data)


_shared = Pictures()


def shared() -> Pictures:
    """The one of this process."""
    return _shared


def configure(memory: int, folder: Path | None, disk: int) -> None:
    """How much the one of this process keeps, and where. What it held is let go."""
    global _shared
    _shared = Pictures(memory, folder, disk)
