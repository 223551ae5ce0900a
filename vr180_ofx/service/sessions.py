"""All clips that are open."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from vr180_ofx.engine.limits import Ladder
from vr180_ofx.engine.store import open_store
from vr180_ofx.errors import ServiceError
from vr180_ofx.media.contract import Clip
from vr180_ofx.media.open import open_clip
from vr180_ofx.media.pattern import pattern_folders
from vr180_ofx.service.access import Roots
from vr180_ofx.service.jobs import JobRunner
from vr180_ofx.service.requested import http_sections, merged
from vr180_ofx.service.session import Session, session_id
from vr180_ofx.settings import Settings

#: Path, settings, and when the folder changed.
Key = tuple[str, str, int]
#: What renders are given to stop between two frames when the server ends; what they wrote is whole.
_STOP_S = 8.0


class Sessions:
    """All open clips. Those that nobody asked for are closed when there are too many, and those that are analysed for nobody at once.

    job_ended: see `JobRunner`.
    """

    def __init__(self, settings: Settings, roots: Roots, job_ended: Callable[[], None] = lambda: None) -> None:
        self.settings = settings
        self.roots = roots
        self.jobs = JobRunner(settings.service.max_renders, job_ended)
        self.store = open_store(settings)
        self.ladder = Ladder(settings.processing.max_memory_gb * 2**30)
        self._open: OrderedDict[str, Session] = OrderedDict()
        self._by_key: dict[Key, str] = {}
        self._turns: dict[Key, threading.Lock] = {}
        self._lock = threading.Lock()

    def open(self, path: str, values: Mapping[str, Any], asker: str) -> Session:
        """The session of a clip with these settings; when it is new, its analysis begins. asker: who waits for that."""
        real = self.roots.readable(path)
        settings = self.with_values(values)
        # of an image sequence, the folders' times change when files come and go
        changed = 0 if real.is_file() else sum(folder.stat().st_mtime_ns for folder in pattern_folders(real) or [real])
        key = (str(real), settings.digest(*http_sections()), changed)
        with self._lock:
            turn = self._turns.setdefault(key, threading.Lock())
        # many clients may open one clip at once: the first one does it, the others find it open
        with turn:
            known = self._known(key, asker)
            if known is not None:
                known.look_again()
            return known or self._opened(key, open_clip(real, settings), settings, asker)

    def _opened(self, key: Key, clip: Clip, settings: Settings, asker: str) -> Session:
        """The session of a clip that was opened just now: a new one, or the one of an equal clip, which is kept instead."""
        number = session_id(clip, settings)
        made: Session | None = None
        try:
            while True:
                with self._lock:
                    same = self._live(number)
                    if same is None and made is not None:
                        self._make_room()
                        made.begin()
                        same = self._open[number] = made
                    if same is not None:
                        same.claims.ask(asker)
                        self._by_key[key] = number
                        # what was asked for once need not be remembered for ever
                        for old in [k for k, n in self._by_key.items() if n not in self._open]:
                            del self._by_key[old]
                            self._turns.pop(old, None)
                        return same
                # plans of long clips are read for seconds: nobody who asks for another clip waits for that
                made = Session(clip, settings, self.store, self.jobs, self.ladder)
        finally:
            if self._open.get(number) is not made or made is None:
                clip.close()

    def _live(self, number: str) -> Session | None:
        """An open clip whose analysis was not given up. Called with the lock held."""
        session = self._open.get(number)
        if session is not None and session.given_up:
            self._close_soon(session)
            return None
        return session

    def _known(self, key: Key, asker: str) -> Session | None:
        """The session that was opened with this key, if its files are still the same and its analysis was not given up."""
        with self._lock:
            session = self._live(self._by_key.get(key, ""))
            if session is None:
                return None
            session.claims.ask(asker)
        if session.clip.changed():
            return None
        session.used = time.monotonic()
        return session

    def with_values(self, values: Mapping[str, Any]) -> Settings:
        """The server's settings with what a request asks for: see `service.requested.merged`."""
        return merged(self.settings, values)

    def _make_room(self) -> None:
        while len(self._open) >= self.settings.service.max_clips:
            idle = [s for s in self._open.values() if not s.busy]
            if not idle:
                raise ServiceError(
                    503, f"{len(self._open)} clips are open and busy (service.max_clips); try again later", {"Retry-After": "30"}
                )
            self._close_soon(min(idle, key=lambda s: s.used))

    def _close_soon(self, session: Session) -> None:
        """Closes a clip beside whatever goes on. Called with the lock held."""
        del self._open[session.id]
        # a thread of its own: what is being made stops first
        threading.Thread(target=session.close, name="close", daemon=True).start()

    def give_up_unwanted(self) -> None:
        """Closes the clips that are analysed for nobody."""
        with self._lock:
            for session in [s for s in self._open.values() if s.unwanted]:
                self._close_soon(session)

    def get(self, number: str, asker: str | None = None) -> Session:
        """An open clip. asker: who waits for its analysis. Raises ServiceError when it is not open."""
        with self._lock:
            session = self._open.get(number)
            if session is not None and asker is not None:
                session.claims.ask(asker)
        if session is None:
            raise ServiceError(404, f"there is no clip {number!r}; open it with POST /v1/clips")
        session.used = time.monotonic()
        return session

    def all(self) -> list[Session]:
        with self._lock:
            return list(self._open.values())

    def remove(self, number: str) -> None:
        session = self.get(number)
        with self._lock:
            self._open.pop(number, None)
        session.close()

    def close(self) -> None:
        """Renders stop between frames, trackers' memories are kept on disk."""
        self.jobs.close(_STOP_S)
        with self._lock:
            sessions = list(self._open.values())
            self._open.clear()
        for session in sessions:
            session.close()
