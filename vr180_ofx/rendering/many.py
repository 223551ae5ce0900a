"""Several clips in one go: which goes where, one after the other whatever becomes of each, and what came of them.

What the command line and a queue of renders call::

    batch = plan_jobs(["a.mp4", "day2/"], "out/{clip}", "exr")
    outcomes = run_jobs(batch.jobs, lambda job: render_one(job.clip, job.folder))
    worst(o.status for o in outcomes)
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vr180_ofx.errors import ExitStatus, OutputError, SettingsError, statuses_of
from vr180_ofx.media.discover import ClipPath, discover
from vr180_ofx.rendering.manifest import MANIFEST
from vr180_ofx.rendering.report import RenderReport
from vr180_ofx.wording import short

log = logging.getLogger(__name__)

#: What may stand in the name of an output, and what it becomes.
TOKENS = {
    "clip": "what the clip's files are called after",
    "folder": "the name of the folder that holds the clip",
    "ext": "the ending of the clip's files, such as mp4",
    "format": "what is written, such as exr",
}
#: Where clips go that are several, unless the name of the output says otherwise: each into a folder of its own.
_OF_SEVERAL = "{clip}"
_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
#: Of what becomes of clips, the worst first.
_WORST = (
    ExitStatus.INTERRUPTED, ExitStatus.BUG, ExitStatus.RESOURCES, ExitStatus.USAGE, ExitStatus.INPUT, ExitStatus.WARNED, ExitStatus.DONE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ClipJob:
    """One render. clip: what is opened. folder: where its files go. plan: a plan's file, None: one that is found or made."""

    clip: ClipPath
    folder: Path
    plan: Path | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Renders in order. several: whether they are said one by one; a clip that was named by itself is not. notes: what was left out."""

    jobs: tuple[ClipJob, ...]
    several: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job. status: as if it had been a command of its own. report: None where there is none. error: what went wrong.

    begun: whether it was its turn before all was stopped.
    """

    job: ClipJob
    status: ExitStatus
    report: RenderReport | None = None
    error: str = ""
    begun: bool = True

    @property
    def word(self) -> str:
        """What became of it: done, warned, incomplete (frames are missing), failed, interrupted, not begun."""
        if not self.begun:
            return "not begun"
        if self.status in (ExitStatus.DONE, ExitStatus.WARNED, ExitStatus.INTERRUPTED):
            return self.status.name.lower()
        return "failed" if self.report is None else "incomplete"

    def to_dict(self) -> dict[str, Any]:
        """As JSON: status 0 to 6 as the command line's, and all that the report holds."""
        return {
            "clip": str(self.job.clip.path), "output": str(self.job.folder), "state": self.word, "status": int(self.status),
            "error": self.error, "report": self.report.to_dict() if self.report is not None else None,
        }  # fmt: skip


def plan_jobs(clips: Sequence[str | Path], output: str | Path, format_name: str, *, plan: str | None = None) -> Batch:
    """Which clips are rendered, and where to. clips: see `media.discover.discover`. output, plan: names with `TOKENS` in braces.

    One clip that is named by itself goes into ``output``. Several, and those of a folder that is searched, go into folders in it that are
    called like them, unless ``output`` has tokens that say where. Raises SettingsError for other tokens; OutputError where two clips would
    be written over each other; MediaError where a folder holds none. Nothing is opened, and nothing is made.
    """
    for text, what in ((str(output), "the output"), (plan or "", "--plan")):
        _check(text, what)
    found = discover(clips, MANIFEST)
    several = len(found.clips) > 1 or found.searched
    where = str(output)
    if several and not _tokens(where):
        where = os.path.join(where, _OF_SEVERAL)
    if several and plan and not _tokens(plan):
        raise SettingsError(
            f"--plan {plan} is one plan, and there are {len(found.clips)} clips; name them by tokens, as in --plan 'plans/{{clip}}.json'"
        )
    jobs = tuple(
        ClipJob(clip, Path(filled(where, clip, format_name)), Path(filled(plan, clip, format_name)) if plan else None)
        for clip in found.clips
    )
    _refuse_collisions(jobs, where, format_name)
    return Batch(jobs, several, tuple(found.notes))


def filled(text: str, clip: ClipPath, format_name: str) -> str:
    """``text`` with its tokens replaced; ``{{`` and ``}}`` are braces."""
    values = {"clip": clip.name, "folder": clip.folder, "ext": clip.ending, "format": format_name}

    def value(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0][0]
        # a clip that is called .. leads nowhere else
        known = values[match[1]]
        return "_" if known in ("", ".", "..") else known.replace("/", "_").replace(os.sep, "_")

    return _TOKEN.sub(value, text)


def _tokens(text: str) -> list[str]:
    return [m[1] for m in _TOKEN.finditer(text) if m[1] is not None]


def _check(text: str, what: str) -> None:
    allowed = ", ".join(f"{{{name}}} ({about})" for name, about in TOKENS.items())
    for match in _TOKEN.finditer(text):
        if match[0] in ("{", "}"):
            raise SettingsError(f"{what} is {short(text)}, with a brace alone; tokens are {allowed}; a brace itself is written twice")
        if match[1] is not None and match[1] not in TOKENS:
            raise SettingsError(f"{what} is {short(text)}; {match[0]} is no token; allowed are {allowed}")


def _refuse_collisions(jobs: Sequence[ClipJob], where: str, format_name: str) -> None:
    """Raises OutputError where files of two clips would have the same names."""
    taken: dict[tuple[str, str], ClipJob] = {}
    for job in jobs:
        # as the file system tells names apart
        key = os.path.normcase(os.path.realpath(job.folder)), os.path.normcase(job.clip.name)
        other = taken.setdefault(key, job)
        if other is job:
            continue
        for token in ("folder", "ext"):
            if f"{{{token}}}" not in where and getattr(job.clip, _FIELD[token]) != getattr(other.clip, _FIELD[token]):
                better = os.path.join(os.path.dirname(where), f"{{{token}}}", os.path.basename(where) or _OF_SEVERAL)
                break
        else:
            better = ""
        instead = f"tell them apart, as with -o '{better}'" if better else "render them into folders of their own, one after the other"
        raise OutputError(
            f"{other.clip.path} and {job.clip.path} are both called {job.clip.name}, and would be written over each other in {job.folder}; "
            f"{instead}"
        )


_FIELD = {"folder": "folder", "ext": "ending"}


def run_jobs(
    jobs: Sequence[ClipJob], make: Callable[[ClipJob], RenderReport], *,
    begin: Callable[[int, ClipJob], None] = lambda number, job: None, ended: Callable[[Outcome], None] = lambda outcome: None,
    strict: bool = False, stopped: Callable[[], bool] = lambda: False,
) -> list[Outcome]:  # fmt: skip
    """Runs the jobs one after the other. What fails does not keep the others from their turn; Ctrl+C ends all of them.

    make: renders one; raises what `render` raises. begin: called before each, with its number from 1. ended: called after each. strict:
    whether warnings count. stopped: whether somebody asked for an end, when a library made an error of its own of it.
    """
    outcomes: list[Outcome] = []
    for number, job in enumerate(jobs, 1):
        begin(number, job)
        outcome = _outcome(job, make, strict=strict, stopped=stopped)
        outcomes.append(outcome)
        ended(outcome)
        if outcome.status == ExitStatus.INTERRUPTED:
            return outcomes + [Outcome(rest, ExitStatus.INTERRUPTED, begun=False) for rest in jobs[number:]]
    return outcomes


def _outcome(job: ClipJob, make: Callable[[ClipJob], RenderReport], *, strict: bool, stopped: Callable[[], bool]) -> Outcome:
    interrupted = Outcome(job, ExitStatus.INTERRUPTED, error="interrupted; the same command goes on from there")
    try:
        report = make(job)
    except KeyboardInterrupt:
        return interrupted
    except Exception as error:  # noqa: BLE001  whatever goes wrong with one clip is no reason to leave the others out
        return interrupted if stopped() else _failed(job, error)
    return Outcome(job, status_of(report, strict=strict), report)


def _failed(job: ClipJob, error: Exception) -> Outcome:
    statuses = statuses_of(error)
    if statuses is None:
        log.error("%s: %s", job.clip.path, error, exc_info=True)
        return Outcome(job, ExitStatus.BUG, error=f"an error that should not happen: {type(error).__name__}: {error}")
    return Outcome(job, statuses.exit, error=str(error))


def status_of(report: RenderReport, *, strict: bool = False) -> ExitStatus:
    """What a render ends with. strict: whether warnings count."""
    if report.missing or report.lost:
        return ExitStatus.INPUT
    return ExitStatus.WARNED if strict and report.warnings else ExitStatus.DONE


def worst(statuses: Iterable[ExitStatus]) -> ExitStatus:
    """The one that all of them together end with; `DONE` of none."""
    return min(statuses, key=_WORST.index, default=ExitStatus.DONE)
