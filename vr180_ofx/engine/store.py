"""A cache on disk that several processes share: entries are whole or absent, checked when read, the oldest go first."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from vr180_ofx.sealed import head_of, read_sealed
from vr180_ofx.settings import Settings
from vr180_ofx.storage import atomic_path, cache_folder

log = logging.getLogger(__name__)
#: Bytes that may be written before the folder's size is looked at again, as a share of the limit.
_SLACK = 0.02
#: Unfinished files of killed processes are removed after so long.
_LEFTOVER_AGE_S = 3600.0
#: What the system says of a link where a file is wanted (FreeBSD has a word of its own).
_A_LINK = (errno.ELOOP, errno.EMLINK)
#: An entry counts as used again when its last use is longer ago than this: reading must not write all the time.
_TOUCH_AGE_S = 60.0


class DiskStore:
    """Bytes by name. Safe to use from several threads and several processes at once.

    Entries are files that appear by rename, with a hash of what they hold and of their name (see `vr180_ofx.sealed`); what is anything else
    is removed and counts as absent.
    A full or read-only disk makes the store forget, never fail: `problem` says why.
    """

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self.folder = folder
        self.limit = limit_bytes
        self.problem: str | None = None
        self.hits = self.misses = self.damaged = self.evicted = 0
        self._lock = threading.Lock()
        # the first write looks at what is there
        self._unseen = limit_bytes

    def path(self, name: str) -> Path:
        """name: letters and digits, any length from 3."""
        return self.folder / name[:2] / f"{name}.entry"

    def has(self, name: str) -> bool:
        """Whether there is an entry; only `get` says whether it is whole."""
        return self.path(name).exists()

    def get(self, name: str) -> bytes | None:
        """What was put under this name, or None."""
        path = self.path(name)
        try:
            body = read_sealed(path, name, self.limit)
        except (FileNotFoundError, NotADirectoryError):
            self.misses += 1
            return None
        except OSError as error:
            if error.errno not in _A_LINK:
                self._say(f"{path} cannot be read: {error.strerror}")
                self.misses += 1
                return None
            body = None
        if body is None:
            log.warning("%s is damaged, or not the entry of this name; it is made again", path)
            self.damaged += 1
            self.misses += 1
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        self.hits += 1
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _TOUCH_AGE_S:
                os.utime(path)
        return bytes(body)

    def put(self, name: str, data: bytes) -> bool:
        """Keeps ``data``; False when it could not. What is larger than the whole store is not kept."""
        head = head_of(name, data)
        size = len(head) + len(data)
        if size > self.limit:
            return False
        try:
            with atomic_path(self.path(name)) as part, open(part, "wb") as stream:
                stream.write(head)
                stream.write(data)
        except OSError as error:
            self._say(f"the cache in {self.folder} cannot be written: {error.strerror or error}")
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                self.evict(self.limit // 2)
            return False
        self.problem = None
        with self._lock:
            self._unseen += size
            due = self._unseen > self.limit * _SLACK
        if due:
            self.evict()
        return True

    def drop(self, name: str) -> None:
        with contextlib.suppress(OSError):
            self.path(name).unlink()

    def evict(self, goal: int | None = None) -> int:
        """Removes the entries that were not used for longest until at most ``goal`` bytes (the limit) are left. Returns the bytes left.

        Two processes may do so at once: what one has removed, the other one finds gone.
        """
        goal = self.limit if goal is None else goal
        with self._lock:
            self._unseen = 0
            entries = sorted(self._entries())
            total = sum(size for _, size, _ in entries)
            for _, size, path in entries:
                if total <= goal:
                    break
                with contextlib.suppress(OSError):
                    path.unlink()
                    self.evicted += 1
                total -= size
            return total

    def clear(self) -> int:
        """Removes everything. Returns how many entries there were."""
        count = 0
        for _, _, path in list(self._entries()):
            with contextlib.suppress(OSError):
                path.unlink()
                count += 1
        return count

    @property
    def nbytes(self) -> int:
        return sum(size for _, size, _ in self._entries())

    def _entries(self) -> Iterator[tuple[float, int, Path]]:
        """(last use, bytes, path) of what is there; leftovers of killed processes are removed on the way."""
        now = time.time()
        for folder in self._subfolders():
            with contextlib.suppress(OSError), os.scandir(folder) as listing:
                for item in listing:
                    with contextlib.suppress(OSError):
                        facts = item.stat()
                        if item.name.endswith(".entry") and not item.name.startswith("."):
                            yield facts.st_mtime, facts.st_size, Path(item.path)
                        elif now - facts.st_mtime > _LEFTOVER_AGE_S:
                            os.unlink(item.path)

    def _subfolders(self) -> list[str]:
        try:
            with os.scandir(self.folder) as listing:
                return [item.path for item in listing if item.is_dir(follow_symlinks=False)]
        except OSError:
            return []

    def _say(self, problem: str) -> None:
        if self.problem is None:
            log.warning("%s; going on without it", problem)
        self.problem = problem


def open_store(settings: Settings) -> DiskStore:
    """The cache that ``service.cache_dir`` and ``service.cache_gb`` describe; all servers of a user share it."""
    folder = Path(settings.service.cache_dir) if settings.service.cache_dir else cache_folder("engine")
    return DiskStore(folder, int(settings.service.cache_gb * 2**30))
