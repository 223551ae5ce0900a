"""Which plan a clip has: one that was named, one that somebody corrected, one that was made before, or a new one."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from vr180_ofx import documents
from vr180_ofx.engine.models import Models
from vr180_ofx.errors import DocumentError, PlanError
from vr180_ofx.media.contract import Clip
from vr180_ofx.people import analyse as analysis
from vr180_ofx.people.analyse import Progress, Span
from vr180_ofx.people.parameters import PLAN
from vr180_ofx.people.plan import Plan
from vr180_ofx.sealed import read_sealed, sealed
from vr180_ofx.settings import Settings
from vr180_ofx.storage import plans_folder, write_atomic
from vr180_ofx.telemetry import Stages
from vr180_ofx.version import PLAN_REVISION

log = logging.getLogger(__name__)
#: Kept plans that are longer than any plan's file are none.
_LIMIT_BYTES = documents.PLAN_BYTES


def plan_path(
    clip: Clip, settings: Settings, models: Models | None = None, *, corrected: bool = False, span: Span | None = None
) -> Path:  # fmt: skip
    """Where the plan of a clip is kept: named by everything that it depends on. corrected: the one that somebody corrected. span: the one
    for which these frames alone were looked at.

    The file is the program's own, with a hash (`vr180_ofx.sealed`); documents for people are written by `Plan.save`.
    """
    detector = (models or Models.of(settings)).detector
    seen = replace(clip.geometry, reasons=())
    made_by = f"{PLAN_REVISION}|{PLAN.identity()}|{settings.digest('detection')}|{detector.own_sha256}"
    key = f"{made_by}|{clip.fingerprint}|{float(clip.fps)}|{seen}{'' if span is None else f'|frames {span[0]} to {span[1]} alone'}"
    return plans_folder() / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}{'.corrected' if corrected else ''}.plan"


def kept_plan(
    clip: Clip, settings: Settings, models: Models | None = None, *, corrected: bool = False, span: Span | None = None
) -> Plan | None:  # fmt: skip
    """The plan that is kept, if there is one and it can be used. Corrections that cannot are put aside, see `lost_corrections`. span: see
    `plan_path`.
    """
    path = plan_path(clip, settings, models, corrected=corrected, span=span)
    try:
        data = read_sealed(path, path.name, _LIMIT_BYTES)
        if data is None:
            raise PlanError(f"{path} is damaged, or not the plan of this clip")
        return Plan.from_data(documents.from_json(bytes(data)), clip, str(path))
    except FileNotFoundError:
        return _kept_as_document(path, clip) if corrected else None
    except (DocumentError, PlanError) as error:
        log.warning("the plan that was kept is not usable (%s)", error)
        if corrected:
            with contextlib.suppress(OSError):
                os.replace(path, _aside(path))
        return None
    except OSError as error:
        if corrected:
            # somebody's work may be behind it: not to be taken for none
            raise
        log.warning("the plan that was kept cannot be read (%s)", error)
        return None


def _kept_as_document(path: Path, clip: Clip) -> Plan | None:
    """Corrections that version 0.2.0 kept, as a document without a hash."""
    old = path.with_suffix(".json")
    try:
        return Plan.load(old, clip) if old.exists() else None
    except PlanError as error:
        log.warning("the plan that was kept is not usable (%s)", error)
        return None


def _aside(path: Path) -> Path:
    return path.with_suffix(".damaged")


def lost_corrections(clip: Clip, settings: Settings, models: Models | None = None) -> str | None:
    """What to tell people when corrections of this clip were kept and cannot be used; None when none were lost."""
    aside = _aside(plan_path(clip, settings, models, corrected=True))
    return f"corrections of this clip were damaged on disk and are not used; what is left of them is {aside}" if aside.exists() else None


def keep_plan(clip: Clip, settings: Settings, plan: Plan, models: Models | None = None, *, corrected: bool = False) -> None:
    """Remembers a plan; a cache that cannot be written is only worth a warning. One of some frames alone is kept as such."""
    path = plan_path(clip, settings, models, corrected=corrected, span=None if corrected else plan.analysed)
    try:
        write_atomic(path, sealed(path.name, plan.to_json().encode()))
        if corrected:
            for older in (path.with_suffix(".json"), _aside(path)):
                older.unlink(missing_ok=True)
    except OSError as error:
        log.warning("the plan cannot be kept: %s", error)


def forget_correction(clip: Clip, settings: Settings, models: Models | None = None) -> None:
    """Back to what was found automatically."""
    path = plan_path(clip, settings, models, corrected=True)
    for held in (path, path.with_suffix(".json"), _aside(path)):
        held.unlink(missing_ok=True)


def analyse(
    clip: Clip, settings: Settings | None = None, *, models: Models | None = None, progress: Progress | None = None,
    stages: Stages | None = None, stop: int | None = None, span: Span | None = None,
) -> Plan:  # fmt: skip
    """Finds everybody in ``clip`` with the networks that the settings name (by default those that it was opened with). See
    `people.analyse.analyse`.
    """
    settings = settings or clip.settings
    models = models or Models.of(settings)
    return analysis.analyse(
        clip, settings, detector=models.load_detector(), segmenter=models.load_segmenter(), opinion=models.load_opinion(),
        progress=progress, stages=stages, stop=stop, span=span,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class FoundPlan:
    """A plan, and where it comes from: named, kept, made now; or there is nobody to be looked for. path: of its file, where it has one."""

    plan: Plan
    origin: Literal["named", "kept", "made", "nobody"]
    path: Path | None = None


def find_plan(
    clip: Clip, settings: Settings, named: str | None = None, *, models: Models | None = None, progress: Progress | None = None,
    stages: Stages | None = None, fresh: bool = False, frames: Sequence[int] | None = None,
) -> Plan:  # fmt: skip
    """See `look_for_plan`."""
    return look_for_plan(
        clip, settings, named, models=models, progress=progress, stages=stages, fresh=fresh, frames=frames
    ).plan  # fmt: skip


def look_for_plan(
    clip: Clip, settings: Settings, named: str | None = None, *, models: Models | None = None, progress: Progress | None = None,
    stages: Stages | None = None, fresh: bool = False, frames: Sequence[int] | None = None,
) -> FoundPlan:  # fmt: skip
    """The plan that was named, else the kept one of this clip and these settings, else a new one, which is kept. Where nobody is told from
    anybody, nobody is looked for, and of a plan that was named what is said of everybody counts. fresh: a new one, whatever is kept.
    frames: what the plan is for, ascending; by default the whole clip.

    For some frames a kept plan of the whole clip is as good; where there is none, people are looked for in `analysed_span` alone.
    """
    models = models or Models.of(settings)
    named = named or settings.detection.boxes
    if not models.follows_people:
        if named:
            return FoundPlan(Plan.load(named, clip).of_everybody(), "named", Path(named))
        return FoundPlan(Plan.of_nobody(clip), "nobody")
    if named:
        return FoundPlan(Plan.load(named, clip), "named", Path(named))
    span = analysed_span(clip, settings, frames, models) if frames else None
    for which in () if fresh else dict.fromkeys((None, span)):
        kept = kept_plan(clip, settings, models, span=which)
        if kept is not None:
            return FoundPlan(kept, "kept", plan_path(clip, settings, models, span=which))
    plan = analyse(clip, settings, models=models, progress=progress, stages=stages, span=span)
    # of machines that share their plans one may have finished meanwhile: all go by the same plan
    first = None if fresh else kept_plan(clip, settings, models, span=span)
    if first is not None:
        return FoundPlan(first, "kept", plan_path(clip, settings, models, span=span))
    keep_plan(clip, settings, plan, models)
    return FoundPlan(plan, "made", plan_path(clip, settings, models, span=span))


def analysed_span(clip: Clip, settings: Settings, frames: Sequence[int], models: Models | None = None) -> Span | None:
    """What has to be looked at so that ``frames`` get the mattes that they deserve; None where that is the whole clip.

    From the first to the last of them, so that a person is one person in all of them, and beyond at both sides

    - so far that somebody who is hidden for as long as is bridged is seen again (`TrajectoryParameters.gap_s`), and that who comes or goes
      there is searched for in each eye, and is there for longer than a glimpse (`ConfirmParameters.glimpse_s`);
    - before them, as many frames as a tracker needs: two for one that forgets, else as many as warm up a chunk.

    None, too, where plans are shared between machines (VR180_OFX_PLANS), each of which may be asked for a part: who is who must not depend
    on which.
    """
    if os.environ.get("VR180_OFX_PLANS"):
        return None
    models = models or Models.of(settings)
    fps = float(clip.fps)
    stride = max(1, min(settings.detection.every, round(fps / PLAN.looks_per_s)))
    # the eyes take turns
    seen = len(clip.views) * settings.detection.every + PLAN.confirm.glimpse_s * fps
    beyond = math.ceil(max(PLAN.trajectory.gap_s * fps + stride, seen))
    forgotten = models.forgotten_after
    warm_up = settings.processing.overlap_frames if forgotten is None else forgotten
    first = max(0, frames[0] - max(beyond, warm_up))
    first, last = first - first % stride, min(len(clip) - 1, frames[-1] + beyond)
    return None if (first, last) == (0, len(clip) - 1) else (first, last)
