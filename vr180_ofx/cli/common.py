"""What commands share: settings from files and flags, progress bars, plans from cache."""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import sys
from collections.abc import Callable, Collection, Container, Iterator
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from vr180_ofx.engine.advice import advice
from vr180_ofx.engine.models import Models
from vr180_ofx.engine.plans import analysed_span, look_for_plan
from vr180_ofx.errors import SettingsError
from vr180_ofx.frame_ranges import Numbering
from vr180_ofx.media.contract import Clip
from vr180_ofx.media.numbering import numbering
from vr180_ofx.media.open import open_clip
from vr180_ofx.node import NODE, Parameter
from vr180_ofx.people.plan import Plan
from vr180_ofx.resources import Monitor
from vr180_ofx.settings import Settings
from vr180_ofx.telemetry import Stages
from vr180_ofx.wording import counted, printable

if TYPE_CHECKING:
    from vr180_ofx.rendering.report import RenderReport


class _Console(Console):
    """Prints texts as they are: a file that is called ``[/x].mp4`` is no markup, and no terminal obeys what is in a name. See `styled`."""

    def render_str(self, text: str, **words: Any) -> Text:
        return super().render_str(printable(text), **words)


console = _Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)
#: For what was asked for as text: on standard output, for pagers and other programs.
paper = _Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
#: What a group of the node's parameters is called among the flags of a command; in this order, the rarest last.
_GROUPS = {
    "edges": "edges, after matting", "mattes": "garbage and holdout mattes", "people": "people", "output": "files",
    "matte": "how mattes are made", "input": "how the clip is read", "server": "frame server",
}  # fmt: skip


def styled(text: object, style: str) -> Text:
    """``text`` in bold, yellow and so on, whatever it holds: the only way to style what `console` prints."""
    return Text(printable(str(text)), style=style)


def add_settings_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of every command that reads settings."""
    parser.add_argument(
        "--frames", metavar="LIST",
        help="all, ranges by the files' numbers such as 1010-1020x2,1030, or timecodes (default: all) [input.frames]",
    )  # fmt: skip
    parser.add_argument(
        "--start-frame",
        metavar="N",
        help="number of the clip's first frame (default: an image sequence's own, else 1) [output.start_frame]",
    )
    group = parser.add_argument_group("settings", "'vr180-ofx settings WORD' explains them")
    group.add_argument("--config", metavar="F", help="settings in YAML or TOML")
    group.add_argument(
        "--set",
        metavar="K=V",
        action="append",
        default=[],
        dest="overrides",
        help="one setting, for instance detection.max_people=2; may be repeated",
    )


def add_delivery_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of commands that write mattes: which eye, and how large."""
    parser.add_argument("--eye", choices=("both", "left", "right"), help="which eye is written (default: both) [output.eye]")
    parser.add_argument(
        "--output-scale", metavar="{1,0.5,0.25}",
        help="size of the files, of the clip's; mattes are made as ever (default: 1) [output.scale]",
    )  # fmt: skip
    parser.add_argument("--overwrite", action="store_true", help="render frames again that are there [output.overwrite]")


def delivery_overrides(arguments: argparse.Namespace) -> list[str]:
    """What the flags of `add_delivery_arguments` set."""
    values = {"eye": arguments.eye, "scale": arguments.output_scale, "overwrite": "true" if arguments.overwrite else None}
    return [f"output.{key}={value}" for key, value in values.items() if value]


def add_matte_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of commands that apply input mattes."""
    group = parser.add_argument_group("garbage and holdout mattes", "pictures, or sequences as NAME.%04d.exr, with %V for the eye")
    group.add_argument("--garbage", metavar="PATTERN", help="inside, nobody is there [mattes.garbage]")
    group.add_argument("--holdout", metavar="PATTERN", help="inside, it is all somebody's [mattes.holdout]")
    group.add_argument("--holdout-person", metavar="NAME", help="whose, where there are several people [mattes.holdout_person]")
    group.add_argument("--matte-channel", metavar="NAME", help="channel or layer of the pictures (default: alpha) [mattes.channel]")


def add_node_arguments(parser: argparse.ArgumentParser, groups: Container[str] | None = None) -> None:
    """A flag for every parameter of the node that stands for a setting: hosts and command line call things alike.

    groups: of the node, whose parameters are meant; by default all of them.
    """
    # some the command has itself
    own = {option for action in parser._actions for option in action.option_strings}
    known = {group: label for group, label in NODE.groups if groups is None or group in groups}
    for name in [*(g for g in _GROUPS if g in known), *(g for g in known if g not in _GROUPS)]:
        flags = {f"--{p.name.replace('_', '-')}": p for p in NODE.parameters if p.group == name and p.setting is not None}
        flags = {flag: p for flag, p in flags.items() if flag not in own}
        if flags:
            group = parser.add_argument_group(_GROUPS.get(name, known[name].lower()), "as in every host")
            for flag, p in flags.items():
                _add_parameter(group, p, flag)


def _add_parameter(group: argparse._ArgumentGroup, p: Parameter, flag: str) -> None:
    default = f"{p.default:g}" if isinstance(p.default, float) else str(p.default).lower()
    # where nothing is set the description says what then counts
    shown = f" (default: {default})" if default and not (p.default == 0 and p.kind == "float") else ""
    text = f"{p.help.rstrip('.')}{shown} [{p.setting}]".replace("%", "%%")
    if p.kind == "bool":
        group.add_argument(flag, dest=f"node_{p.name}", action=argparse.BooleanOptionalAction, default=None, help=text)
    else:
        metavar = "{" + ",".join(p.choices) + "}" if p.choices else {"int": "N", "float": "X"}.get(p.kind, "TEXT")
        group.add_argument(flag, dest=f"node_{p.name}", metavar=metavar, default=None, help=text)


def _node_overrides(arguments: argparse.Namespace) -> list[str]:
    values = ((p, getattr(arguments, f"node_{p.name}", None)) for p in NODE.parameters if p.setting is not None)
    return [f"{p.setting}={json.dumps(v) if isinstance(v, bool) else v}" for p, v in values if v is not None]


def settings_from(arguments: argparse.Namespace, extra: list[str] | None = None) -> Settings:
    """The config file, then --set, then the node's parameters, then the command's own flags."""
    overrides = [*arguments.overrides, *_node_overrides(arguments), *(extra or [])]
    for flag, key in (("garbage", "garbage"), ("holdout", "holdout"), ("holdout_person", "holdout_person"), ("matte_channel", "channel")):
        if getattr(arguments, flag, None) is not None:
            overrides.append(f"mattes.{key}={json.dumps(getattr(arguments, flag))}")
    if getattr(arguments, "frames", None) is not None:
        overrides.append(f"input.frames={json.dumps(arguments.frames)}")
    if getattr(arguments, "start_frame", None) is not None:
        overrides.append(f"output.start_frame={arguments.start_frame}")
    if arguments.config:
        return Settings.load(arguments.config, overrides)
    return Settings.from_values({}, overrides)


def clip_from(arguments: argparse.Namespace, settings: Settings) -> Clip:
    """Opens CLIP, or input.video_path."""
    path = arguments.clip or settings.input.video_path
    if not path:
        raise SettingsError("no clip was named; give CLIP or input.video_path")
    return open_clip(path, settings)


def _views(views: tuple[str, ...], after: str = " ") -> str:
    """The eyes in words, and what comes after them; a picture that is the only one is no eye."""
    return "" if len(views) == 1 else f"{', '.join(views)}{after}"


def say_clip(clip: Clip, settings: Settings | None = None) -> None:
    """What was decided about a clip, and why, and how its frames are called."""
    width, height = clip.eye_size
    numbers = numbering(clip, settings)
    facts_of_it = f"{len(clip)} frames ({numbers.allowed}) at {float(clip.fps):.6g} fps, {_views(clip.views)}{width}x{height}"
    console.print(styled(clip.path.name, "bold"), f": {facts_of_it}", sep="")
    for reason in clip.geometry.reasons:
        console.print(f"  {reason}")
    facts = clip.describe()
    console.print(f"  colour: {facts['colour']}")
    for note in clip.notes:
        console.print(styled(f"  {note}", "yellow"))
    if clip.lost:
        console.print(styled(f"  the file is cut off: its header promises {clip.lost} frames more", "yellow"))


class _Machine(ProgressColumn):
    def __init__(self, monitor: Monitor) -> None:
        super().__init__()
        self._monitor = monitor

    def render(self, task: Task) -> Text:
        newest = self._monitor.newest
        return Text(newest.describe() if newest else "", style="dim")


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.1f} fps" if speed else "– fps")


@contextlib.contextmanager
def progress_bar(title: str, *, quiet: bool = False, monitor: Monitor | None = None) -> Iterator[Callable[[int, int], None]]:
    """A bar with frames, fps and the time that is left, on standard error. quiet: none. monitor: whose words stand behind it."""
    with progress_bars(quiet=quiet, monitor=monitor) as update:
        yield functools.partial(update, title)


@contextlib.contextmanager
def progress_bars(*, quiet: bool = False, monitor: Monitor | None = None) -> Iterator[Callable[[str, int, int], None]]:
    """As `progress_bar`, one bar below the other for steps by their titles."""
    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn()]
    if monitor is not None:
        columns.append(_Machine(monitor))
    with Progress(*columns, console=console, disable=quiet or not sys.stderr.isatty()) as bar:
        tasks: dict[str, TaskID] = {}

        def update(title: str, done: int, total: int) -> None:
            # nothing to do, nothing to show
            if title not in tasks:
                tasks[title] = bar.add_task(title, total=None)
            bar.update(tasks[title], completed=done, total=total)

        yield update


def plan_for(
    clip: Clip, settings: Settings, plan_file: str | None, *, quiet: bool = False, stages: Stages | None = None, fresh: bool = False,
    models: Models | None = None,
) -> Plan:  # fmt: skip
    """The plan of the frames that are asked for, see `engine.plans.look_for_plan`; says what is analysed, with a bar, or where the plan
    comes from.
    """
    numbers, models = numbering(clip, settings), models or Models.of(settings)
    frames = None if settings.input.frames == "all" else numbers.parse(settings.input.frames)
    with progress_bar("analysing", quiet=quiet) as update:
        said: list[bool] = []

        def begun(done: int, total: int) -> None:
            if not said and not quiet and frames:
                span = analysed_span(clip, settings, frames, models) or (0, len(clip) - 1)
                console.print(f"analysing {numbers.number(span[0])}-{numbers.number(span[1])} for {numbers.text(frames)}")
            said.append(True)
            update(done, total)

        found = look_for_plan(
            clip, settings, plan_file, models=models, progress=begun, stages=stages, fresh=fresh, frames=frames
        )  # fmt: skip
    if found.origin == "kept" and not quiet:
        console.print(f"plan: made earlier for {clip.path.name}, from {found.path}; 'vr180-ofx analyse --fresh' makes it again")
    return found.plan


def say_plan(plan: Plan, numbers: Numbering, file: str | None = None) -> list[str]:
    """Who was found, in a few lines. file: of the plan; by default the one that `analyse` writes. Returns the plan's notes that it said."""
    shots = [a for a, _ in plan.shots if not plan.unknown((a,))]
    if len(shots) > 1:
        console.print(f"{len(shots)} shots, beginning at frames {numbers.text(shots)}")
    for p in plan.people:
        where = []
        for view in plan.views:
            frames = sorted(plan.track(p, view).bodies)
            eye = "" if len(plan.views) == 1 else f"{view} "
            seen = f"{numbers.number(frames[0])}-{numbers.number(frames[-1])} ({len(frames)} frames)" if frames else "never"
            where.append(f"{eye}{seen}")
        metres = [plan.interocular_m / s for s in p.shifts.values()]
        if metres:
            near, far = (f"{v:.1f}" for v in (min(metres), max(metres)))
            where.append(f"{near} m away" if near == far else f"{near} to {far} m away")
        console.print(f"  {p.name}{' (excluded)' if p.exclude else ''}: {', '.join(where)}")
    notes = [*map(numbers.told, plan.notes), *plan.doubts(numbers.start, file or f"{numbers.name}.plan.json")]
    for note in notes:
        console.print(styled(f"  {note}", "yellow"))
    return notes


def say_output(clip: Clip, settings: Settings) -> None:
    """Which frames will be written, how large, and at which resolution their mattes are made."""
    numbers, output, scale = numbering(clip, settings), settings.output, settings.processing.scale_factor
    frames = numbers.parse(settings.input.frames)
    delivered = min(output.scale, scale) if settings.processing.upsampling == "none" else output.scale
    width, height = (-(-side // round(1 / delivered)) for side in clip.eye_size)
    eyes = _views(clip.views, ", ") if output.eye == "both" else f"{output.eye} alone, "
    made = "" if scale == 1 else f"; mattes are made at {scale:g} of the clip's size" + ("" if delivered <= scale else " and enlarged")
    shown = f"frames {numbers.text(frames)}" if len(frames) > 1 else f"frame {numbers.text(frames)}"
    console.print(f"rendering {shown}: {eyes}{width}x{height}{made}")


def say_report(report: RenderReport, title: str = "", *, but: Collection[str] = ()) -> None:
    """What a render wrote, and what it has to say. title: before it. but: what was said already."""
    kept = f", {report.kept} were there" if report.kept else ""
    speed = f" in {report.seconds:.1f} s ({report.fps:.2f} fps)" if report.written else ""
    console.print(styled(f"{title}{counted(report.written, 'frame')} written", "bold"), f"{kept}{speed}: {report.pattern}", sep="")
    for note in report.notes:
        if note not in but:
            console.print(f"  {note}")


def say_advice(settings: Settings) -> None:
    """What better weights would bring, where they would; see `engine.advice`."""
    text = advice(Models.of(settings))
    if text:
        console.print(styled(text, "dim"))


def print_json(data: Any) -> None:
    """One JSON document on standard output, which may not be UTF-8, any more than names of files are."""
    text = json.dumps(data, indent=1, ensure_ascii=False, default=str)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(data, indent=1, default=str)
    print(text)
