"""Who waits for an analysis: while somebody does it goes on, and when nobody does it is given up."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

#: How long an asker who names themselves is thought to wait after their last request. Hosts ask about once a second.
CLAIM_S = 15.0


class Claims:
    """What is known of the askers of one analysis. Safe to use from several threads.

    Askers who name themselves can be told from others, and say with each request that they still wait. Whoever does not name themselves
    asks once and may come back whenever they like: for them the analysis goes on to its end. clock: seconds, never backwards.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}
        self._held = 0
        self._for_anybody = False
        self._lock = threading.Lock()

    def ask(self, asker: str) -> None:
        """A named asker waits, for `CLAIM_S` from now on."""
        now = self._clock()
        with self._lock:
            self._until = {k: v for k, v in self._until.items() if v > now}
            self._until[asker] = now + CLAIM_S

    def ask_for_anybody(self) -> None:
        """Somebody wants it who has no name, and will not be heard of when they go."""
        self._for_anybody = True

    def forget(self, asker: str) -> None:
        """They do not wait any more."""
        with self._lock:
            self._until.pop(asker, None)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """While a request waits for the end of the analysis."""
        with self._lock:
            self._held += 1
        try:
            yield
        finally:
            with self._lock:
                self._held -= 1

    @property
    def wanted(self) -> bool:
        """Whether anybody waits."""
        now = self._clock()
        with self._lock:
            return self._for_anybody or self._held > 0 or any(t > now for t in self._until.values())
