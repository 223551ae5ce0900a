"""What results depend on, as hashes: equal keys mean equal results, wherever and whenever they were made."""

from __future__ import annotations

import hashlib
import struct
import threading
from collections.abc import Callable

from vr180_ofx.engine.chunks import Chunk, ChunkPlan
from vr180_ofx.engine.scheduler import Quality
from vr180_ofx.version import MATTE_REVISION


class Chain:
    """Keys of a network's memory, frame by frame: each is a hash of the one before and of what the plan says of this frame.

    So a correction of the plan at frame 700 changes no key before it, and what was made stays good.

    facts: what the plan says of a frame. base: clip, network and all else that memory depends on and that does not change from frame to
    frame. ahead: how many frames further on what is remembered, and what frames look like, depends on.
    """

    def __init__(self, facts: Callable[[int], bytes], base: str, ahead: int = 0) -> None:
        self._facts = facts
        self._further = ahead
        self._base = hashlib.sha256(f"{MATTE_REVISION}|{base}".encode()).digest()
        self._chunks: dict[int, list[bytes]] = {}
        self._lock = threading.Lock()

    def memory(self, chunk: Chunk, n: int) -> str:
        """The memory before frame ``n`` of a chunk (``n`` from its start to one after its last)."""
        return self._digest(chunk.start, n).hex()[:40]

    def frame(self, start: int, n: int, *more: str) -> str:
        """Frame ``n`` reached from ``start``. more: what else it depends on (refiner, scale, quality)."""
        text = self._digest(start, n + 1) + "|".join(more).encode()
        return hashlib.sha256(text).hexdigest()[:40]

    def _digest(self, start: int, n: int) -> bytes:
        n += self._further
        with self._lock:
            chain = self._chunks.setdefault(start, [hashlib.sha256(self._base + struct.pack("<q", start)).digest()])
            while len(chain) <= n - start:
                chain.append(hashlib.sha256(chain[-1] + self._facts(start + len(chain) - 1)).digest())
            if len(self._chunks) > 4096:
                # frames of trackers that forget have a start each; any chain can be made again
                self._chunks = {start: chain}
            return chain[n - start]


def frame_key(n: int, quality: Quality, *, chunks: ChunkPlan, chain: Chain, exact_after: int | None, finish: str) -> str:
    """A hash of everything that decides what frame ``n`` looks like, 40 hexadecimal digits. A function of its arguments alone.

    chunks, chain: how the clip is divided, and what memory depends on. exact_after: see `trackers.contract.Tracker`. finish: what
    decides a frame beside the network's memory of it: refiner, resolution, what the eyes owe each other.

    A draft is made without memory, and a network that forgets needs a few frames of warm-up; others go through their chunk from its
    beginning, and where two chunks are cross-faded a frame depends on both.
    """
    if quality == "draft":
        return chain.frame(n, n, quality, finish)
    chunk = chunks.of(n)
    if exact_after is not None:
        return chain.frame(max(chunk.start, n - exact_after), n, quality, finish)
    fade = chunks.fade(n)
    across = () if fade is None else (chain.memory(fade[0], n + 1), f"{fade[1]:.9f}")
    return chain.frame(chunk.start, n, quality, finish, *across)
