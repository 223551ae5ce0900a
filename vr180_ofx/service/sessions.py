"""Clips that are open: each with its plan and, once somebody asks for a frame, its frame server."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Literal

from vr180_ofx.engine.draft import DraftRenderer
from vr180_ofx.engine.frame import Frame
from vr180_ofx.engine.limits import Ladder
from vr180_ofx.engine.models import Models
from vr180_ofx.engine.plans import find_plan, forget_correction, keep_plan, kept_plan, lost_corrections, plan_path
from vr180_ofx.engine.scheduler import Priority, Quality
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.engine.store import DiskStore, open_store
from vr180_ofx.errors import FrameIndexError, ServiceError
from vr180_ofx.frame_ranges import ranges_text
from vr180_ofx.media.contract import Clip
from vr180_ofx.media.files import file_identity
from vr180_ofx.media.open import open_clip
from vr180_ofx.output.exr import ExrClip, exr_clip
from vr180_ofx.people.edit import apply_edits, changed_frames
from vr180_ofx.people.plan import Plan
from vr180_ofx.rendering.render import render
from vr180_ofx.service.access import Roots
from vr180_ofx.service.jobs import Job, JobRunner, Progress
from vr180_ofx.service.requested import http_sections, merged
from vr180_ofx.settings import Settings

log = logging.getLogger(__name__)
#: Path, settings, and when the folder changed.
Key = tuple[str, str, int]
State = Literal["analysing", "ready", "failed"]


class Session:
    """One open clip with its settings."""

    def __init__(self, clip: Clip, settings: Settings, store: DiskStore, jobs: JobRunner, ladder: Ladder) -> None:
        self.clip = clip
        self.settings = settings
        self.id = session_id(clip, settings)
        self.models = Models.of(settings)
        self.used = time.monotonic()
        self.error: str | None = None
        self.corrected = False
        self.job: Job | None = None
        self._store = store
        self._jobs = jobs
        self._ladder = ladder
        self._plan: Plan | None = None
        self._server: FrameServer | None = None
        self._sketcher: DraftRenderer | None = None
        self._lock = threading.RLock()
        self._closed = False
        #: What is to be said of the clip beside what its plan says.
        self._lost: str | None = None
        self._find_plan()

    def _find_plan(self) -> None:
        self._seen = self._correction() if self.models.follows_people else None
        corrected = kept_plan(self.clip, self.settings, self.models, corrected=True)
        plan = corrected or kept_plan(self.clip, self.settings, self.models)
        self._lost = None if corrected else lost_corrections(self.clip, self.settings, self.models)
        if plan is not None:
            self._plan, self.corrected = plan, corrected is not None
            return
        self.job = self._jobs.start(Job("analyse", self.id, self._analyse))

    def look_again(self) -> None:
        """Goes on with what another server has corrected, or taken back, since: machines may share their plans."""
        if self._plan is None or not self.models.follows_people or self._correction() == self._seen:
            return
        corrected = kept_plan(self.clip, self.settings, self.models, corrected=True)
        plan = corrected or kept_plan(self.clip, self.settings, self.models)
        self._seen = self._correction()
        if plan is not None:
            self._go_on_with(plan, corrected=corrected is not None)

    def _correction(self) -> tuple[int, int] | None:
        """What tells one kept correction from another; None where there is none."""
        try:
            return file_identity(plan_path(self.clip, self.settings, self.models, corrected=True))
        except OSError:
            return None

    def _analyse(self, progress: Progress) -> dict[str, Any] | None:
        try:
            plan = find_plan(self.clip, self.settings, models=self.models, progress=progress)
        except BaseException as error:
            self.error = str(error) or "the analysis was cancelled"
            raise
        with self._lock:
            self._plan = plan
        return {"people": [p.name for p in plan.people], "notes": plan.notes}

    @property
    def state(self) -> State:
        if self._plan is not None:
            return "ready"
        return "failed" if self.error is not None else "analysing"

    @property
    def plan(self) -> Plan:
        """Raises ServiceError while there is none."""
        if self._plan is not None:
            return self._plan
        if self.error is not None:
            raise ServiceError(422, f"the clip could not be analysed: {self.error}")
        job = self.job
        done = f" ({job.done} of {job.total} frames)" if job is not None and job.total else ""
        raise ServiceError(409, f"the clip is being analysed{done}; ask again when it is ready, or for quality=draft", {"Retry-After": "2"})

    def server(self) -> FrameServer:
        """The frame server, made when it is first needed: networks take a while to load."""
        with self._lock:
            if self._closed:
                raise ServiceError(404, f"the clip {self.id} was closed")
            if self._server is None:
                self._server = FrameServer(
                    self.clip, self.plan, self.settings, models=self.models, store=self._store,
                    prefetch=self.settings.service.prefetch, ladder=self._ladder,
                )  # fmt: skip
            return self._server

    def request(self, n: int, quality: Quality) -> Future[Frame]:
        """A frame. While the clip is being analysed there are drafts of who is to be seen in that frame alone."""
        self.used = time.monotonic()
        if not 0 <= n < len(self.clip):
            raise FrameIndexError(n, len(self.clip))
        if quality == "draft" and self._plan is None:
            return self._sketched(n)
        return self.server().request(n, quality, Priority.INTERACTIVE)

    def _sketched(self, n: int) -> Future[Frame]:
        with self._lock:
            if self._sketcher is None:
                self._sketcher = DraftRenderer(self.clip, self.settings, self.models)
            return self._sketcher.request(n)

    def etag(self, n: int, quality: Quality, *more: str) -> str | None:
        """What names the bytes of an answer, before they are made; None when they cannot be named yet."""
        if self._plan is None or not 0 <= n < len(self.clip):
            return None
        names = ",".join(f"{p.id}={p.name}" for p in self._plan.people)
        text = "|".join((self.server().frame_key(n, quality), names, *more))
        return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'

    def correct(self, edits: list[Mapping[str, Any]]) -> str:
        """Applies corrections. Returns the frames of which the plan says something else now."""
        return self.use_plan(apply_edits(self.plan, edits, self.clip, load_segmenter=self.models.load_segmenter))

    def use_plan(self, plan: Plan) -> str:
        """Goes on with a corrected plan, and keeps it for the next time."""
        changed = self._go_on_with(plan, corrected=True)
        keep_plan(self.clip, self.settings, plan, self.models, corrected=True)
        self._seen = self._correction()
        return changed

    def forget_corrections(self) -> str:
        """Back to what was found automatically."""
        automatic = kept_plan(self.clip, self.settings, self.models)
        if automatic is None:
            raise ServiceError(409, "the plan that was found automatically is not kept any more; delete the clip and open it again")
        changed = self._go_on_with(automatic, corrected=False)
        forget_correction(self.clip, self.settings, self.models)
        self._seen = self._correction()
        return changed

    def _go_on_with(self, plan: Plan, *, corrected: bool) -> str:
        with self._lock:
            changed = changed_frames(self.plan, plan)
            self._plan, self.corrected, self._lost = plan, corrected, None
            server = self._server
        if server is not None:
            server.replace_plan(plan)
        return ranges_text(changed)

    def render(self, folder: Path, settings: Settings) -> Job:
        """Starts a render. It shares the frame server, behind whoever waits for a picture.

        folder: without links; one that comes there until the job runs is not followed. settings: the session's own but for the output
        and the range of frames.
        """
        plan = self.plan

        def task(progress: Progress) -> dict[str, Any]:
            return render(self.clip, plan, settings, folder, progress=progress, server=self.server(), links=False).to_dict()

        return self._jobs.start(Job("render", self.id, task))

    def clear_cache(self) -> int:
        """Forgets finished frames, in memory and on disk; what the tracker knows is kept. Returns how many were on disk."""
        return self.server().clear_frames()

    def exr(self) -> ExrClip:
        """What EXR files of this clip have in common."""
        return exr_clip(self.clip, self._plan, self.settings.output.start_frame)

    def facts(self) -> dict[str, Any]:
        plan = self._plan
        people = plan.people if plan is not None else []
        return {
            "clip": self.id,
            "path": str(self.clip.path),
            "frames": len(self.clip),
            "first_number": self.clip.first_number,
            "fps": float(self.clip.fps),
            "views": list(self.clip.views),
            "eye_size": list(self.clip.eye_size),
            "layout": self.clip.geometry.layout.name,
            "origins": {v: list(self.clip.geometry.layout.origin(v)) for v in self.clip.views},
            "frame_size": [self.clip.geometry.layout.width, self.clip.geometry.layout.height],
            "projection": self.clip.geometry.projection_name,
            "state": self.state,
            "error": self.error,
            "corrected": self.corrected,
            "people": [
                {
                    "id": p.id, "name": p.name, "exclude": p.exclude,
                    "frames": {v: len(plan.track(p, v).bodies) for v in plan.views},
                }
                for p in people
                if plan is not None
            ],
            "notes": [*([self._lost] if self._lost else []), *(plan.notes if plan is not None else [])],
            "start_frame": self.settings.output.start_frame,
            "job": self.job.id if self.job is not None and not self.job.ended else None,
        }  # fmt: skip

    def stats(self) -> dict[str, Any] | None:
        return None if self._server is None else self._server.stats()

    @property
    def busy(self) -> bool:
        return any(j.clip == self.id and not j.ended for j in self._jobs.all())

    def close(self) -> None:
        with self._lock:
            self._closed = True
        for job in self._jobs.all():
            if job.clip == self.id:
                job.cancel()
        for part in (self._server, self._sketcher):
            if part is not None:
                part.close()
        self.clip.close()


class Sessions:
    """All open clips. Those that nobody asked for are closed when there are too many."""

    def __init__(self, settings: Settings, roots: Roots) -> None:
        self.settings = settings
        self.roots = roots
        self.jobs = JobRunner()
        self.store = open_store(settings)
        self.ladder = Ladder(settings.processing.max_memory_gb * 2**30)
        self._open: OrderedDict[str, Session] = OrderedDict()
        self._by_key: dict[Key, str] = {}
        self._turns: dict[Key, threading.Lock] = {}
        self._lock = threading.Lock()

    def open(self, path: str, values: Mapping[str, Any]) -> tuple[Session, bool]:
        """The session of a clip with these settings, and whether it is new."""
        real = self.roots.readable(path)
        settings = self.with_values(values)
        # of an image sequence, the folder's time changes when files come and go
        folder = real if real.is_dir() else real.parent
        changed = 0 if real.is_file() else folder.stat().st_mtime_ns
        key = (str(real), settings.digest(*http_sections()), changed)
        with self._lock:
            turn = self._turns.setdefault(key, threading.Lock())
        # many clients may open one clip at once: the first one does it, the others find it open
        with turn:
            held = self._known(key)
            if held is not None:
                held.look_again()
                return held, False
            clip = open_clip(real, settings)
            with self._lock:
                same = self._open.get(session_id(clip, settings))
                if same is None:
                    self._make_room()
                    same = Session(clip, settings, self.store, self.jobs, self.ladder)
                    self._open[same.id] = same
                    new = True
                else:
                    clip.close()
                    new = False
                self._by_key[key] = same.id
                # what was asked for once need not be remembered for ever
                for old in [k for k, number in self._by_key.items() if number not in self._open]:
                    del self._by_key[old]
                    self._turns.pop(old, None)
                return same, new

    def _known(self, key: Key) -> Session | None:
        """The session that was opened with this key, if its files are still the same."""
        with self._lock:
            session = self._open.get(self._by_key.get(key, ""))
        if session is None or session.clip.changed():
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
            oldest = min(idle, key=lambda s: s.used)
            del self._open[oldest.id]
            threading.Thread(target=oldest.close, name="close", daemon=True).start()

    def get(self, number: str) -> Session:
        with self._lock:
            session = self._open.get(number)
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
        self.jobs.close()
        with self._lock:
            sessions = list(self._open.values())
            self._open.clear()
        for session in sessions:
            session.close()


def session_id(clip: Clip, settings: Settings) -> str:
    """Equal clips with equal settings are one session."""
    return hashlib.sha256(f"{clip.fingerprint}|{clip.path}|{settings.digest(*http_sections())}".encode()).hexdigest()[:16]
