"""vr180-ofx render of several clips: what is said before, between and after them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.table import Table

from vr180_ofx.cli.common import console, print_json, say_advice, styled
from vr180_ofx.cli.interrupts import interrupts
from vr180_ofx.errors import ExitStatus, SettingsError
from vr180_ofx.rendering.many import Batch, ClipJob, Outcome, run_jobs, worst
from vr180_ofx.rendering.report import RenderReport
from vr180_ofx.settings import Settings

_STYLES = {ExitStatus.DONE: "green", ExitStatus.WARNED: "yellow", ExitStatus.INTERRUPTED: "yellow"}


def render_many(arguments: argparse.Namespace, settings: Settings, batch: Batch, make: Callable[[ClipJob], RenderReport]) -> int:
    """Renders a batch, each clip as if it were alone, then shows a table. Returns the worst of their exit statuses.

    Raises SettingsError for files that each of them would write anew.
    """
    for flag, value in (("--trace", arguments.trace), ("--resource-log", arguments.resource_log)):
        if value:
            raise SettingsError(f"{flag} is one file, and there are {len(batch.jobs)} clips; render the one that it is about by itself")
    quiet = arguments.json
    if not quiet:
        for note in batch.notes:
            console.print(styled(note, "yellow"))
        console.print(styled(f"{len(batch.jobs)} clips", "bold"))

    def begin(number: int, job: ClipJob) -> None:
        if not quiet:
            console.print(styled(f"[{number}/{len(batch.jobs)}] {job.clip.path}", "bold"), f"-> {job.folder}")

    def ended(outcome: Outcome) -> None:
        if outcome.error and not quiet:
            console.print(styled(outcome.error, "red"))

    outcomes = run_jobs(batch.jobs, make, begin=begin, ended=ended, strict=arguments.strict, stopped=interrupts)
    if quiet:
        print_json([o.to_dict() for o in outcomes])
    else:
        console.print(_table(outcomes))
        for o in outcomes:
            if o.error:
                # most errors begin with the name of the file
                who = "" if str(o.job.clip.path) in o.error else f"{o.job.clip.path}: "
                console.print(styled(f"{who}{o.error}", _STYLES.get(o.status, "red")))
        if arguments.server is None and any(o.report and o.report.people for o in outcomes):
            say_advice(settings)
    return worst(o.status for o in outcomes)


def _table(outcomes: Sequence[Outcome]) -> Table:
    table = Table()
    for name in ("clip", "frames", "fps", "people", "warnings", "status", "in"):
        table.add_column(name, overflow="fold")
    clips = _short([o.job.clip.path for o in outcomes])
    for o, clip in zip(outcomes, clips, strict=True):
        r = o.report
        facts = ("", "", "", "")
        if r is not None:
            facts = (f"{r.written + r.kept} of {r.frames}", f"{r.fps:.1f}" if r.written else "–", str(len(r.people)), str(len(r.warnings)))
        table.add_row(clip, *facts, styled(o.word, _STYLES.get(o.status, "red")), str(o.job.folder))
    return table


def _short(paths: Sequence[Path]) -> list[str]:
    """Names as short as they may be without being mistaken: without the folders that all of them have in common."""
    whole = [os.path.abspath(p) for p in paths]
    try:
        common = os.path.commonpath([os.path.dirname(p) for p in whole])
    except ValueError:  # drives
        return whole
    return [os.path.relpath(p, common) for p in whole]
