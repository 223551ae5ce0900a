"""Where a chunk can be picked up: what the tracker knew before a frame, in memory and on disk."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

from vr180_ofx.engine.cache import BytesCache
from vr180_ofx.engine.chunks import Chunk
from vr180_ofx.engine.keys import Chain
from vr180_ofx.engine.store import DiskStore
from vr180_ofx.telemetry import Stages
from vr180_ofx.trackers.contract import Memory


@dataclass(frozen=True, slots=True)
class CheckpointParameters:
    """every_frames: of a chunk; so far apart are those that outlive the newest, and that lie on disk: a second of film, so that scrubbing
    backwards costs a second's frames at most. held_chunks: whose newest memory is held whatever else is given up: in a cross-fade there
    are two. held_on_device: memories that may stay on a graphics card beside the newest; what is looked for is most often one of the last.
    """

    every_frames: int = 24
    held_chunks: int = 2
    held_on_device: int = 4


#: What is in use. It decides what is made again, and no pixel.
CHECKPOINTS = CheckpointParameters()


class Checkpoints:
    """Memories by what they depend on (see `engine.keys`), so that they outlive corrections of the plan and this process.

    limit_bytes: of memory. exact_after: of the network; what one that forgets knows is not worth a file.
    """

    def __init__(self, limit_bytes: int, store: DiskStore | None, exact_after: int | None, stages: Stages) -> None:
        self._limit_bytes = limit_bytes
        self._cache = BytesCache[str, Memory](limit_bytes)
        self._store = store if exact_after is None else None
        self._exact_after = exact_after
        self._stages = stages
        self._newest: dict[int, tuple[int, str, Memory]] = {}
        #: Keys of memories in the cache that a graphics card may hold, the oldest first.
        self._on_device: deque[str] = deque()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._cache)

    def find(self, chain: Chain, chunk: Chunk, n: int, cold: int) -> tuple[int, Memory] | None:
        """The nearest memory before frame ``n`` and after ``cold``: (the frame it comes before, the memory)."""
        for position in range(n, cold, -1):
            memory = self._get(chain.memory(chunk, position), chunk.number, position)
            if memory is not None:
                return position, memory
        return None

    def _get(self, key: str, chunk: int, position: int) -> Memory | None:
        with self._lock:
            newest = self._newest.get(chunk)
            memory = newest[2] if newest is not None and newest[:2] == (position, key) else self._cache.get(key)
        if memory is None and self._store is not None and self._store.has(key):
            with self._stages.measure("cache: read"):
                data = self._store.get(key)
            memory = None if data is None else Memory.from_bytes(data)
        return memory

    def keep(self, chain: Chain, chunk: Chunk, position: int, memory: Memory, *, under_need: bool = False) -> None:
        """Remembers the memory before frame ``position``: the newest ones, and one every so many frames, which goes to the disk.

        under_need: it was made while memory ran short, with other bits; only this run goes on from it.
        """
        key = chain.memory(chunk, position)
        stale = position - 3
        outlives = (position - chunk.start) % CHECKPOINTS.every_frames == 0
        lasting = memory.on_host() if outlives and not under_need else memory
        with self._lock:
            if self._exact_after is None:
                # whatever is given up: without it, the next frame would cost the whole chunk
                self._newest.pop(chunk.number, None)
                self._newest[chunk.number] = (position, key, memory)
                while len(self._newest) > CHECKPOINTS.held_chunks:
                    del self._newest[next(iter(self._newest))]
            if under_need:
                return
            self._put(key, lasting)
            if stale > chunk.start and (stale - chunk.start) % CHECKPOINTS.every_frames:
                self._cache.drop(chain.memory(chunk, stale))
        if self._store is not None and outlives:
            with self._stages.measure("cache: write"):
                self._store.put(key, lasting.to_bytes())

    def _put(self, key: str, memory: Memory) -> None:
        """What a graphics card holds comes down when others are newer: its memory is not for this cache."""
        self._cache.put(key, memory, memory.nbytes + 1024)
        if memory.on_device:
            self._on_device.append(key)
            if len(self._on_device) > CHECKPOINTS.held_on_device:
                oldest = self._on_device.popleft()
                there = self._cache.peek(oldest)
                if there is not None:
                    self._cache.replace(oldest, there.on_host())

    def save_newest(self) -> None:
        """When the server closes: the next one goes on from here."""
        if self._store is not None:
            for _, key, memory in self._newest.values():
                if not self._store.has(key):
                    self._store.put(key, memory.to_bytes())

    def forget_newest(self) -> None:
        """The plan changed: what comes next may begin elsewhere."""
        with self._lock:
            self._newest.clear()

    def clear(self) -> None:
        with self._lock:
            self._cache.clear()

    def keep_share(self, share: float) -> None:
        """Holds at most this share of its limit from now on, 0..1."""
        with self._lock:
            self._cache.limit_to(int(self._limit_bytes * share))

    def stats(self) -> dict[str, Any]:
        return {"checkpoints_in_memory": len(self._cache), "checkpoints_bytes": self._cache.nbytes}
