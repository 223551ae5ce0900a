"""Memory that runs short, told once to whoever keeps what can be made again, on whichever thread that is."""

from __future__ import annotations

import threading

_lock = threading.Lock()
_told = 0


def tell() -> None:
    """Whoever keeps what can be made again gives it up at their next step."""
    global _told
    with _lock:
        _told += 1


def times_told() -> int:
    """Whoever saw a smaller number gives up what they keep."""
    return _told
