"""Chunks: stretches of a shot that can be worked on in any order, on any machine."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Chunk:
    """Frames first..last (both included), warmed up from ``start`` <= first, all in one shot."""

    number: int
    first: int
    last: int
    start: int

    def __contains__(self, n: object) -> bool:
        return isinstance(n, int) and self.first <= n <= self.last


class ChunkPlan:
    """How a clip is divided. Depends on the shots and the settings alone.

    chunk_size: frames that a chunk steps through, its warm-up among them; 0 is the whole shot. overlap: frames of warm-up, at
    most half of that. So any frame, in a cross-fade too, costs at most a chunk and a warm-up.
    """

    def __init__(self, shots: Sequence[tuple[int, int]], chunk_size: int, overlap: int) -> None:
        self.chunks: list[Chunk] = []
        self.overlap = min(overlap, chunk_size // 2) if chunk_size else overlap
        for first, last in shots:
            size = chunk_size or last - first + 1
            begin = start = first
            while begin <= last:
                end = min(start + size - 1, last)
                self.chunks.append(Chunk(len(self.chunks), begin, end, start))
                begin = end + 1
                start = begin - self.overlap
        self._firsts = [c.first for c in self.chunks]

    def of(self, n: int) -> Chunk:
        """The chunk that owns frame ``n``."""
        return self.chunks[bisect_right(self._firsts, n) - 1]

    def fade(self, n: int) -> tuple[Chunk, float] | None:
        """The next chunk and its share of frame ``n``, where it is cross-faded in; None elsewhere.

        A chunk's warm-up frames belong to the one before. The second half of the warm-up is faded, because in the first
        half the new chunk still knows too little.
        """
        chunk = self.of(n)
        if chunk.number + 1 >= len(self.chunks):
            return None
        following = self.chunks[chunk.number + 1]
        begin = following.start + (following.first - following.start) // 2
        if not begin <= n < following.first:
            return None
        return following, (n - begin + 1) / (following.first - begin + 1)
