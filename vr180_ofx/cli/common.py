"""What commands share: settings from files and flags, progress bars, plans from cache."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from vr180_ofx.media.clip import Clip, open_clip
from vr180_ofx.people.plan import Plan
from vr180_ofx.people.plans import find_plan
from vr180_ofx.settings import Settings, SettingsError
from vr180_ofx.telemetry import Stages

console = Console(stderr=True, highlight=False, soft_wrap=True)


class ServiceGoneError(Exception):
    """The frame server that should do the work is not there, or refuses. Exit status 4."""


def add_settings_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of every command that reads settings."""
    parser.add_argument("--config", metavar="F", help="settings in YAML or TOML")
    parser.add_argument(
        "--set",
        metavar="K=V",
        action="append",
        default=[],
        dest="overrides",
        help="one setting, for instance detection.max_people=2; may be repeated",
    )
    parser.add_argument("--frames", metavar="LIST", help="all, or ranges counted from 0 such as 0-47,100")


def settings_from(arguments: argparse.Namespace, extra: list[str] | None = None) -> Settings:
    """The config file, then --set, then the command's own flags."""
    overrides = [*arguments.overrides, *(extra or [])]
    if getattr(arguments, "frames", None):
        overrides.append(f"input.frames='{arguments.frames}'")
    if arguments.config:
        return Settings.load(arguments.config, overrides)
    return Settings.from_values({}, overrides)


def clip_from(arguments: argparse.Namespace, settings: Settings) -> Clip:
    """Opens CLIP, or input.video_path."""
    path = arguments.clip or settings.input.video_path
    if not path:
        raise SettingsError("no clip was named; give CLIP or input.video_path")
    return open_clip(path, settings)


def say_clip(clip: Clip) -> None:
    """What was decided about a clip, and why."""
    width, height = clip.eye_size
    console.print(f"[bold]{clip.path.name}[/]: {len(clip)} frames at {float(clip.fps):.6g} fps, {', '.join(clip.views)} {width}x{height}")
    for reason in clip.geometry.reasons:
        console.print(f"  {reason}")
    facts = clip.describe()
    console.print(f"  colour: {facts['colour']}")
    if clip.lost:
        console.print(f"  [yellow]the file is cut off: its header promises {clip.lost} frames more[/]")


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.1f} fps" if speed else "– fps")


@contextlib.contextmanager
def progress_bar(title: str, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A bar with frames, fps and the time that is left, on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=quiet or not sys.stderr.isatty()) as bar:
        tasks: list[TaskID] = []

        def update(done: int, total: int) -> None:
            # nothing to do, nothing to show
            if not tasks:
                tasks.append(bar.add_task(title, total=None))
            bar.update(tasks[0], completed=done, total=total)

        yield update


def plan_for(
    clip: Clip, settings: Settings, plan_file: str | None, quiet: bool = False, stages: Stages | None = None, fresh: bool = False
) -> Plan:
    """See `people.plans.find_plan`, with a bar."""
    with progress_bar("analysing", quiet) as update:
        return find_plan(clip, settings, plan_file, update, stages, fresh)


def say_plan(plan: Plan) -> None:
    """Who was found, in a few lines."""
    if len(plan.shots) > 1:
        console.print(f"{len(plan.shots)} shots, beginning at frames {', '.join(str(a) for a, _ in plan.shots)}")
    for p in plan.people:
        where = []
        for view in plan.views:
            frames = sorted(plan.track(p, view).bodies)
            where.append(f"{view} {frames[0]}-{frames[-1]} ({len(frames)} frames)" if frames else f"{view} never")
        console.print(f"  {p.name}{' (excluded)' if p.exclude else ''}: {', '.join(where)}")
    for note in plan.notes:
        console.print(f"  [yellow]{note}[/]")


def print_json(data: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(data, indent=1, ensure_ascii=False, default=str))
