"""Finished frames, in memory and on disk, by what they depend on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

from vr180_ofx.engine.cache import BytesCache
from vr180_ofx.engine.codec import pack_frame, unpack_frame
from vr180_ofx.engine.frame import Frame
from vr180_ofx.engine.store import DiskStore
from vr180_ofx.telemetry import Stages

log = logging.getLogger(__name__)


class FrameCache:
    """Frames in memory, and, with a ``store``, on disk, which is read and written by threads of its own. Close it.

    limit_bytes: of memory.
    """

    def __init__(self, limit_bytes: int, store: DiskStore | None, stages: Stages) -> None:
        self._limit_bytes = limit_bytes
        self._disk = ThreadPoolExecutor(2, "disk")
        self._frames = BytesCache[str, Frame](limit_bytes)
        self._store = store
        self._stages = stages
        self._lock = threading.Lock()
        self._saving: set[Future[None]] = set()
        #: What is on its way to the disk, and may be gone from memory before it is there.
        self._underway: dict[str, Frame] = {}

    def __len__(self) -> int:
        return len(self._frames)

    def get(self, key: str) -> Frame | None:
        """From memory."""
        with self._lock:
            return self._frames.get(key) or self._underway.get(key)

    def put(self, key: str, frame: Frame) -> None:
        with self._lock:
            self._frames.put(key, frame, frame.nbytes)

    def on_disk(self, key: str) -> bool:
        return self._store is not None and self._store.has(key)

    def load(self, key: str, names: Mapping[int, str], facts: Mapping[str, Any]) -> Frame | None:
        """From disk, and into memory. names: of people. facts: the metadata that is the same for all frames now."""
        if self._store is None:
            return None
        with self._stages.measure("cache: read"):
            data = self._store.get(key)
            if data is None:
                return None
            try:
                frame = unpack_frame(data, names)
            except ValueError as error:
                log.warning("a cached frame is not usable (%s); it is made again", error)
                self._store.drop(key)
                return None
        frame = replace(frame, metadata={**frame.metadata, **facts})
        self.put(key, frame)
        return frame

    def save(self, key: str, frame: Frame) -> None:
        """To disk."""
        if self._store is not None:
            with self._stages.measure("cache: write"):
                self._store.put(key, pack_frame(frame))

    def save_beside(self, key: str, frame: Frame) -> None:
        """To disk, while the caller goes on; not at all once closed."""
        if self._store is None:
            return

        def save() -> None:
            try:
                self.save(key, frame)
            finally:
                with self._lock:
                    self._underway.pop(key, None)

        with self._lock:
            self._underway[key] = frame
            try:
                saving = self._disk.submit(save)
            except RuntimeError:
                del self._underway[key]
            else:
                self._saving = {f for f in self._saving if not f.done()} | {saving}

    def beside(self, task: Callable[[], None]) -> None:
        """Does something with the disk while the caller goes on. Raises RuntimeError once closed."""
        self._disk.submit(task)

    def drop(self, keys: Iterable[str]) -> int:
        """Removes these from disk. Returns how many were there."""
        if self._store is None:
            return 0
        held = [k for k in keys if self._store.has(k)]
        for key in held:
            self._store.drop(key)
        return len(held)

    def clear(self) -> None:
        with self._lock:
            self._frames.clear()
            self._underway.clear()

    def keep_share(self, share: float) -> None:
        """Holds at most this share of its limit from now on, 0..1."""
        with self._lock:
            self._frames.limit_to(int(self._limit_bytes * share))

    def close(self) -> None:
        """What is to be written is written: frames that were made for nobody else to make again. What waits to be read is not."""
        with self._lock:
            saving = set(self._saving)
        wait(saving)
        self._disk.shutdown(cancel_futures=True)

    def stats(self) -> dict[str, Any]:
        return {"frames_in_memory": len(self._frames), "frames_bytes": self._frames.nbytes}


def named(frame: Frame, names: Mapping[int, str]) -> Frame:
    """With the names that people have now: a name may change without a frame being made again."""
    if all(names.get(x.person) == x.name for v in frame.views.values() for x in v.layers):
        return frame
    views = {
        name: replace(v, layers=tuple(replace(x, name=names.get(x.person, x.name)) for x in v.layers)) for name, v in frame.views.items()
    }
    return replace(frame, views=views)
