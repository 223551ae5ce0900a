"""One clip that is open: its plan and, once somebody asks for a frame, its frame server."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Literal

from vr180_ofx.controls.paint import painted_for
from vr180_ofx.engine.controlled import AskedEdges
from vr180_ofx.engine.draft import DraftRenderer
from vr180_ofx.engine.frame import Frame
from vr180_ofx.engine.limits import Ladder
from vr180_ofx.engine.models import Models
from vr180_ofx.engine.plans import find_plan, forget_correction, keep_plan, kept_plan, lost_corrections, plan_path
from vr180_ofx.engine.scheduler import Priority, Quality
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.engine.store import DiskStore
from vr180_ofx.errors import FrameIndexError, ServiceError
from vr180_ofx.frame_ranges import Numbering, ranges_text
from vr180_ofx.media.contract import Clip
from vr180_ofx.media.files import file_identity
from vr180_ofx.media.numbering import numbering
from vr180_ofx.output.exr import ExrClip, exr_clip
from vr180_ofx.people.curves import Curves
from vr180_ofx.people.edit import apply_edits, changed_frames
from vr180_ofx.people.plan import Plan
from vr180_ofx.rendering.render import render
from vr180_ofx.service.claims import Claims
from vr180_ofx.service.jobs import Job, JobRunner, Progress
from vr180_ofx.service.requested import http_sections
from vr180_ofx.settings import Settings

#: Raises ServiceError for the path of a file that must not be read.
MayRead = Callable[[str], object]
State = Literal["analysing", "ready", "failed"]


class Session:
    """One open clip with its settings. claims: who waits for its analysis.

    Making one looks for a plan that is known, which takes a while for long clips; `begin` starts the analysis where there is none.
    """

    def __init__(self, clip: Clip, settings: Settings, store: DiskStore, jobs: JobRunner, ladder: Ladder) -> None:
        self.clip = clip
        self.settings = settings
        self.id = session_id(clip, settings)
        self.models = Models.of(settings)
        self.used = time.monotonic()
        self.error: str | None = None
        self.job: Job | None = None
        self.claims = Claims()
        self._store = store
        self._jobs = jobs
        self._ladder = ladder
        self._server: FrameServer | None = None
        self._sketcher: DraftRenderer | None = None
        self._lock = threading.RLock()
        #: Held while the plan is corrected: one correction begins with what the one before it made.
        self._correcting = threading.Lock()
        self._closed = False
        self._plan, self.corrected = self._kept()
        #: What is to be said of the clip beside what its plan says.
        self._lost = None if self.corrected else lost_corrections(clip, settings, self.models)

    def look_again(self) -> None:
        """Goes on with what another server has corrected, or taken back, since: machines may share their plans."""
        if self._plan is None or self._correction() == self._seen:
            return
        with self._correcting:
            plan, corrected = self._kept()
            if plan is not None:
                self._go_on_with(plan, corrected=corrected)

    def _kept(self) -> tuple[Plan | None, bool]:
        """The plan to go on with, and whether somebody corrected it; None where the clip is yet to be analysed."""
        self._seen = self._correction()
        corrected = kept_plan(self.clip, self.settings, self.models, corrected=True)
        return corrected or kept_plan(self.clip, self.settings, self.models), corrected is not None

    def _correction(self) -> tuple[int, int] | None:
        """What tells one kept correction from another; None where there is none, or nobody is followed."""
        try:
            path = plan_path(self.clip, self.settings, self.models, corrected=True) if self.models.follows_people else None
            return None if path is None else file_identity(path)
        except OSError:
            return None

    def begin(self) -> None:
        """Starts the analysis unless the plan is known."""
        if self._plan is None:
            self.job = self._jobs.start(Job("analyse", self.id, self._analyse))

    def _analyse(self, progress: Progress) -> dict[str, Any] | None:
        try:
            plan = find_plan(self.clip, self.settings, models=self.models, progress=progress)
        except BaseException as error:
            self.error = str(error) or None
            raise
        with self._lock:
            self._plan = plan
        return {"people": [p.name for p in plan.people], "notes": self._plan_notes(plan)}

    @property
    def state(self) -> State:
        if self._plan is not None:
            return "ready"
        return "analysing" if self.problem is None else "failed"

    @property
    def problem(self) -> str | None:
        """Why there is no plan and none is being made."""
        return self.error or ("the analysis was cancelled" if self.given_up else None)

    @property
    def given_up(self) -> bool:
        """Whether there is no plan because its analysis was cancelled: whoever opens the clip then begins anew."""
        return self._plan is None and self.job is not None and self.job.cancelled

    @property
    def unwanted(self) -> bool:
        """Whether it is being analysed for nobody."""
        return self._plan is None and self.error is None and self.job is not None and not self.claims.wanted

    @property
    def plan(self) -> Plan:
        """Raises ServiceError while there is none."""
        if self._plan is not None:
            return self._plan
        if self.problem is not None:
            raise ServiceError(422, f"the clip could not be analysed: {self.problem}")
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

    def request(self, n: int, quality: Quality, edges: AskedEdges | None = None) -> Future[Frame]:
        """A frame. edges: see `FrameServer.request`. While the clip is being analysed there are drafts, from that frame alone."""
        self.used = time.monotonic()
        if not 0 <= n < len(self.clip):
            raise FrameIndexError(n, len(self.clip))
        if quality == "draft" and self._plan is None:
            return self._sketched(n, edges)
        return self.server().request(n, quality, Priority.INTERACTIVE, edges=edges)

    def _sketched(self, n: int, edges: AskedEdges | None) -> Future[Frame]:
        with self._lock:
            if self._sketcher is None:
                self._sketcher = DraftRenderer(self.clip, self.settings, self.models)
            return self._sketcher.request(n, edges)

    def etag(self, n: int, quality: Quality, *more: str, edges: AskedEdges | None = None) -> str | None:
        """What names the bytes of an answer, before they are made; None when they cannot be named yet."""
        if self._plan is None or not 0 <= n < len(self.clip):
            return None
        names = ",".join(f"{p.id}={p.name}" for p in self._plan.people)
        text = "|".join((self.server().frame_key(n, quality, edges), names, *more))
        return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'

    def hung_up(self) -> None:
        """Somebody who waited for a frame is gone: what would have come after it is not made ahead."""
        server = self._server
        if server is not None:
            server.forget_ahead()

    def correct(self, edits: list[Mapping[str, Any]], may_read: MayRead, if_match: str | None = None) -> str:
        """Applies corrections. Returns the frames of which the plan says something else now. may_read: asked about files that the plan did
        not name before. if_match: see `check_match`.
        """
        with self._correcting:
            self.check_match(if_match)
            plan = apply_edits(self.plan, edits, self.clip, load_segmenter=self.models.load_segmenter)
            self._check_files(plan, may_read)
            return self._use_plan(plan)

    def replace_plan(self, document: Any, may_read: MayRead, if_match: str | None = None) -> str:
        """Goes on with the plan that a document describes. Returns what `correct` does, and takes the same."""
        with self._correcting:
            self.check_match(if_match)
            plan = Plan.from_data(document, self.clip, "the plan")
            self._check_files(plan, may_read)
            return self._use_plan(plan)

    def _check_files(self, plan: Plan, may_read: MayRead) -> None:
        for path in sorted(plan.files - self.plan.files):
            may_read(path)
        for file in sorted(plan.painted - self.plan.painted):
            painted_for(file, self.clip.eye_size)

    def check_match(self, if_match: str | None) -> None:
        """Raises ServiceError when somebody else was faster: the plan is none of those that If-Match names.

        It takes seconds for the plan of a long clip, and none at all where nobody asks.
        """
        plan = self.plan
        if if_match is None or if_match.strip() == "*":
            return
        now = f'"{plan.digest()}"'
        if now not in if_match:
            raise ServiceError(412, f"the plan has changed since: If-Match says {if_match}, it is {now}")

    def document(self) -> tuple[str, str]:
        """(the plan as JSON, what names its bytes)."""
        plan = self.plan
        return plan.to_json(), f'"{plan.digest()}"'

    def forget_corrections(self) -> str:
        """Back to what was found automatically."""
        with self._correcting:
            automatic = kept_plan(self.clip, self.settings, self.models)
            if automatic is None:
                raise ServiceError(409, "the plan that was found automatically is not kept any more; delete the clip and open it again")
            changed = self._go_on_with(automatic, corrected=False)
            forget_correction(self.clip, self.settings, self.models)
            self._seen = self._correction()
            return changed

    def _use_plan(self, plan: Plan) -> str:
        """Goes on with a corrected plan, and keeps it for the next time."""
        if not self.models.follows_people:
            # what cannot be done is said before anything is changed
            plan.of_everybody()
        changed = self._go_on_with(plan, corrected=True)
        keep_plan(self.clip, self.settings, plan, self.models, corrected=True)
        self._seen = self._correction()
        return changed

    def _go_on_with(self, plan: Plan, *, corrected: bool) -> str:
        changed = changed_frames(self.plan, plan)
        with self._lock:
            self._plan, self.corrected, self._lost = plan, corrected, None
            server = self._server
        if server is not None:
            server.replace_plan(plan)
        return ranges_text(changed)

    def render(self, folder: Path, settings: Settings, edges: Curves) -> Job:
        """Starts a render. It shares the frame server, behind whoever waits for a picture.

        folder: without links; one that comes there until the job runs is not followed. settings: the session's own but for the output
        and the range of frames. edges: see `rendering.render.render`.
        """
        plan = self.plan

        def task(progress: Progress) -> dict[str, Any]:
            return render(self.clip, plan, settings, folder, progress=progress, server=self.server(), links=False, edges=edges).to_dict()

        return self._jobs.start(Job("render", self.id, task))

    def clear_cache(self) -> int:
        """Forgets finished frames, in memory and on disk; what the tracker knows is kept. Returns how many were on disk."""
        return self.server().clear_frames()

    @property
    def numbers(self) -> Numbering:
        """How the clip's frames are called in files and messages; over HTTP they are counted from 0."""
        return numbering(self.clip, self.settings)

    def exr(self) -> ExrClip:
        """What EXR files of this clip have in common."""
        return exr_clip(self.clip, self._plan)

    def facts(self) -> dict[str, Any]:
        plan, job = self._plan, self.job if self.job is not None and not self.job.ended else None
        people = plan.people if plan is not None else []
        notes = [*self.clip.notes, *(self._plan_notes(plan) if plan is not None else ())]
        return {
            "clip": self.id,
            "path": str(self.clip.path),
            "frames": len(self.clip),
            "first_number": self.clip.first_number,
            "timecode": None if self.clip.timecode is None else str(self.clip.timecode),
            "fps": float(self.clip.fps),
            "views": list(self.clip.views),
            "eye_size": list(self.clip.eye_size),
            "layout": self.clip.geometry.layout.name,
            "origins": {v: list(self.clip.geometry.layout.origin(v)) for v in self.clip.views},
            "frame_size": [self.clip.geometry.layout.width, self.clip.geometry.layout.height],
            "projection": self.clip.geometry.projection_name,
            "state": self.state,
            "error": self.problem,
            "corrected": self.corrected,
            "people": [
                {
                    "id": p.id, "name": p.name, "exclude": p.exclude,
                    "frames": {v: len(plan.track(p, v).bodies) for v in plan.views},
                }
                for p in people
                if plan is not None
            ],
            "notes": [*([self._lost] if self._lost else []), *notes],
            "start_frame": self.numbers.start,
            "job": job.id if job is not None else None,
            "progress": [job.done, job.total] if job is not None else None,
        }  # fmt: skip

    def _plan_notes(self, plan: Plan) -> list[str]:
        return [*map(self.numbers.told, plan.notes), *plan.doubts(self.numbers.start)]

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
                self._jobs.cancel(job)
        for part in (self._server, self._sketcher):
            if part is not None:
                part.close()
        self.clip.close()


def session_id(clip: Clip, settings: Settings) -> str:
    """Equal clips with equal settings are one session."""
    return hashlib.sha256(f"{clip.fingerprint}|{clip.path}|{settings.digest(*http_sections())}".encode()).hexdigest()[:16]
