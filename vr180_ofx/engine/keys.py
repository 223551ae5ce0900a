"""What results depend on, as hashes: equal keys mean equal results, wherever and whenever they were made."""

from __future__ import annotations

import hashlib
import struct
import threading

from vr180_ofx.engine.chunks import Chunk
from vr180_ofx.people.plan import Plan
from vr180_ofx.version import MATTE_REVISION


class Chain:
    """Keys of a tracker's memory, frame by frame: each is a hash of the one before and of what the plan says of this frame.

    So a correction of the plan at frame 700 changes no key before it, and what was made stays good.

    base: clip, tracker and all else that memory depends on and that does not change from frame to frame. ahead: how many frames further
    on what is remembered, and what frames look like, depends on.
    """

    def __init__(self, plan: Plan, base: str, ahead: int = 0) -> None:
        self._plan = plan
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
                chain.append(hashlib.sha256(chain[-1] + self._plan.facts(start + len(chain) - 1)).digest())
            if len(self._chunks) > 4096:
                # frames of trackers that forget have a start each; any chain can be made again
                self._chunks = {start: chain}
            return chain[n - start]
