"""A cache that is bounded by bytes, not by entries: frames differ in size by a factor of a thousand."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class BytesCache(Generic[K, V]):
    """Least recently used entries go first when the bytes run out. Not locked: the owner holds a lock."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self.nbytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def peek(self, key: K) -> V | None:
        """As `get`, and it counts as no use."""
        entry = self._entries.get(key)
        return None if entry is None else entry[0]

    def replace(self, key: K, value: V) -> None:
        """Another form of what is there, as large; nothing where nothing is."""
        if key in self._entries:
            self._entries[key] = (value, self._entries[key][1])

    def put(self, key: K, value: V, nbytes: int) -> None:
        self.drop(key)
        self._entries[key] = (value, nbytes)
        self.nbytes += nbytes
        self.limit_to(self._limit)

    def limit_to(self, limit: int) -> None:
        """Holds at most so many bytes from now on."""
        self._limit = limit
        while self.nbytes > self._limit and self._entries:
            _, (_, size) = self._entries.popitem(last=False)
            self.nbytes -= size

    def drop(self, key: K) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.nbytes -= entry[1]

    def clear(self) -> None:
        self._entries.clear()
        self.nbytes = 0


class SharedCache(Generic[K, V]):
    """A `BytesCache` for several threads at once."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._cache = BytesCache[K, V](limit)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._cache)

    @property
    def nbytes(self) -> int:
        """Of memory that is held."""
        return self._cache.nbytes

    def get(self, key: K) -> V | None:
        with self._lock:
            return self._cache.get(key)

    def put(self, key: K, value: V, nbytes: int) -> None:
        with self._lock:
            self._cache.put(key, value, nbytes)

    def keep_share(self, share: float) -> None:
        """Holds at most this share of its limit from now on, 0..1."""
        with self._lock:
            self._cache.limit_to(int(self._limit * share))

    def clear(self) -> None:
        with self._lock:
            self._cache.clear()
