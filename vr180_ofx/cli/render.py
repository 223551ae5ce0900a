"""vr180-ofx render."""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from vr180_ofx.cli.common import (
    add_delivery_arguments,
    add_matte_arguments,
    add_node_arguments,
    add_settings_arguments,
    console,
    delivery_overrides,
    plan_for,
    print_json,
    progress_bar,
    say_advice,
    say_clip,
    say_output,
    say_plan,
    say_report,
    settings_from,
)
from vr180_ofx.cli.helping import Examples
from vr180_ofx.cli.many import render_many
from vr180_ofx.cli.remote import render_remotely
from vr180_ofx.errors import OutputError, SettingsError
from vr180_ofx.media.numbering import numbering
from vr180_ofx.media.open import open_clip
from vr180_ofx.rendering.many import TOKENS, ClipJob, plan_jobs, status_of
from vr180_ofx.resources import Monitor
from vr180_ofx.settings import Settings
from vr180_ofx.settings.formats import described
from vr180_ofx.storage import write_atomic
from vr180_ofx.telemetry import Stages

if TYPE_CHECKING:
    from vr180_ofx.media.contract import Clip
    from vr180_ofx.people.plan import Plan
    from vr180_ofx.rendering.report import RenderReport


USAGE = "CLIP [CLIP ...] -o DIR [options]"
EXAMPLES: Examples = (
    ("EXR with a layer for each person; the same command goes on where it stopped", "vr180-ofx render clip.mp4 -o out/"),
    ("somebody excluded, or put right, in a plan", "vr180-ofx render clip.mp4 -o out/ --plan clip.plan.json"),
    ("a draft film to look at first", "vr180-ofx render clip.mp4 --preview look.mp4"),
    ("some frames only, by the numbers of their files", "vr180-ofx render clip.mp4 -o test/ --frames 10-20x2,100"),
    ("for Nuke, with colour times alpha", "vr180-ofx render clip.mp4 -o nk/ --exr-preset nuke --rgb premultiplied"),
    ("a video with transparency", "vr180-ofx render clip.mp4 -o mov/ --format prores4444"),
    ("H.264 over green, with the sound", "vr180-ofx render clip.mp4 -o gs/ --format greenscreen"),
    ("many clips, each into a folder of its own, and a table at the end", "vr180-ofx render a.mp4 b.mov day2/ -o out/"),
    ("the same, named as you like", "vr180-ofx render show/ -o 'mattes/{folder}/{clip}_{format}'"),
    ("an image sequence whose views are files apart", "vr180-ofx render 'plate_%V.%04d.exr' -o out/"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "clips", nargs="*", metavar="CLIP",
        help="a video, an image sequence (plate.%%04d.exr) or a folder of images; several of them, or folders that hold some "
        "[input.video_path]",
    )  # fmt: skip
    tokens = ", ".join(f"{{{name}}}" for name in TOKENS)
    parser.add_argument(
        "-o", "--output", metavar="DIR",
        help=f"where frames are written; several clips go into DIR/{{clip}}, or where tokens say: {tokens} [output.path]",
    )  # fmt: skip
    parser.add_argument("--format", metavar="F", help=f"{described()} (default: exr) [output.format]".replace("%", "%%"))
    parser.add_argument("--plan", metavar="F", help="a plan from 'analyse', perhaps edited")
    parser.add_argument(
        "--preview", metavar="MP4", help="write a draft film over grey at half the size; nothing else, unless -o names a folder, too"
    )
    add_delivery_arguments(parser)
    add_settings_arguments(parser)
    add_matte_arguments(parser)
    add_node_arguments(parser)
    group = parser.add_argument_group("for scripts and farms")
    group.add_argument("--json", action="store_true", help="print the report as JSON on standard output")
    group.add_argument("--strict", action="store_true", help="exit with 6 when there is something that somebody should look at")
    group.add_argument("--server", metavar="URL", nargs="?", const="", help="let a frame server do it (default: the one that you run)")
    group.add_argument("--token-file", metavar="F", help="the server's token, when it is not your own server")
    group = parser.add_argument_group("where the time goes")
    group.add_argument("--profile", action="store_true", help="show where the time went [performance.profile_enabled]")
    group.add_argument("--trace", metavar="FILE", help="write a trace of all stages and of the machine, for Perfetto")
    group.add_argument("--resource-log", metavar="FILE", help="write a line of JSON about the machine every half second")


def run(arguments: argparse.Namespace) -> int:
    from vr180_ofx.output.colorspace import check_colorspace

    extra = []
    if arguments.format:
        extra.append(f"output.format={arguments.format}")
    if arguments.profile or arguments.trace:
        extra.append("performance.profile_enabled=true")
    settings = settings_from(arguments, [*extra, *delivery_overrides(arguments)])
    # a wrong name is said now, not after the analysis
    check_colorspace(settings.output)
    names = arguments.clips or [settings.input.video_path or ""]
    folder = arguments.output or settings.output.path
    if not names[0]:
        raise SettingsError("no clip was named; give CLIP or input.video_path")
    if arguments.preview and arguments.server is not None:
        raise OutputError("--preview is made here, not by a server; leave out --server")
    if arguments.preview and len(names) > 1:
        raise OutputError(f"--preview names one film, and there are {len(names)} clips; preview them one by one")
    if arguments.preview and not arguments.output:
        return _preview_alone(arguments, settings, names[0])
    if not folder:
        raise OutputError("no output folder was named; use -o DIR or output.path")
    batch = plan_jobs(names, folder, settings.output.format, plan=arguments.plan)
    make = _render if arguments.server is None else render_remotely
    if batch.several:
        if arguments.preview:
            raise OutputError(f"--preview names one film, and {names[0]} holds several clips; preview them one by one")
        return render_many(arguments, settings, batch, lambda job: make(arguments, settings, job))
    report = make(arguments, settings, batch.jobs[0])
    if arguments.json:
        print_json(report.to_dict())
    elif report.people and arguments.server is None:
        say_advice(settings)
    return status_of(report, strict=arguments.strict)


def _render(arguments: argparse.Namespace, settings: Settings, job: ClipJob) -> RenderReport:
    """Renders one clip, and says what there is to say of it."""
    from vr180_ofx.engine.models import Models
    from vr180_ofx.rendering.delivered import Delivered
    from vr180_ofx.rendering.folder import refuse_file
    from vr180_ofx.rendering.inputs import refuse_absent
    from vr180_ofx.rendering.preview import refuse_target
    from vr180_ofx.rendering.render import render

    stages = Stages(enabled=settings.performance.profile_enabled, trace=arguments.trace is not None)
    log = Path(arguments.resource_log) if arguments.resource_log else None
    with Monitor(log) as monitor, open_clip(job.clip.path, settings) as clip:
        if not arguments.json:
            say_clip(clip, settings)
        # what would be refused in the end is refused before people are looked for
        numbering(clip, settings).parse(settings.input.frames)
        Delivered.of(settings.output).clip(clip)
        refuse_file(job.folder)
        refuse_absent(settings.mattes)
        if arguments.preview:
            refuse_target(Path(arguments.preview), clip, settings)
        models = Models.of(settings)
        plan = plan_for(clip, settings, str(job.plan) if job.plan else None, quiet=arguments.json, stages=stages, models=models)
        said: list[str] = []
        if not arguments.json:
            said = [*clip.notes, *say_plan(plan, numbering(clip, settings), arguments.plan)]
            say_output(clip, settings)
        if arguments.preview:
            _preview(arguments, clip, plan, settings, monitor, said=said)
        with progress_bar("rendering", quiet=arguments.json, monitor=monitor) as update:
            report = render(clip, plan, settings, job.folder, models=models, progress=update, stages=stages)
        if settings.debugging.save_detection_visualization:
            from vr180_ofx.rendering.contact_sheet import contact_sheet, rendered_mattes

            sheet = job.folder / f"{clip.name}.people.png"
            with rendered_mattes(clip, plan, settings, models) as mattes:
                contact_sheet(clip, plan, sheet, settings, mattes=mattes)
            report.notes.append(f"contact sheet: {sheet}")
    report.resources = monitor.summary()
    if arguments.trace:
        trace = stages.trace(s.to_dict() for s in monitor.history)
        write_atomic(Path(arguments.trace), json.dumps(trace).encode())
        report.notes.append(f"trace (open it in Perfetto or chrome://tracing): {arguments.trace}")
    if not arguments.json:
        say_report(report, but=said)
        if arguments.profile:
            _say_profile(report)
    return report


def _preview(
    arguments: argparse.Namespace, clip: Clip, plan: Plan, settings: Settings, monitor: Monitor, *, said: Collection[str]
) -> RenderReport:
    """said: notes that need not be said again."""
    from vr180_ofx.rendering.preview import preview

    with progress_bar("preview", quiet=arguments.json, monitor=monitor) as update:
        film = preview(clip, plan, settings, arguments.preview, progress=update)
    if not arguments.json:
        say_report(film, "preview: ", but=said)
    return film


def _preview_alone(arguments: argparse.Namespace, settings: Settings, name: str) -> int:
    """The film, and no other file."""
    from vr180_ofx.rendering.inputs import refuse_absent
    from vr180_ofx.rendering.preview import refuse_target

    with Monitor() as monitor, open_clip(name, settings) as clip:
        if not arguments.json:
            say_clip(clip, settings)
        refuse_target(Path(arguments.preview), clip, settings)
        refuse_absent(settings.mattes)
        plan = plan_for(clip, settings, arguments.plan, quiet=arguments.json)
        said = [] if arguments.json else [*clip.notes, *say_plan(plan, numbering(clip, settings), arguments.plan)]
        film = _preview(arguments, clip, plan, settings, monitor, said=said)
    if arguments.json:
        print_json(film.to_dict())
    return status_of(film, strict=arguments.strict)


def _say_profile(report: RenderReport) -> None:
    """Where the time went; stages run at once, so together they take longer than the render."""
    table = Table("stage", "seconds", "calls", "ms a call")
    for name, row in report.stages.items():
        table.add_row(name, f"{row['seconds']:.2f}", f"{row['calls']:.0f}", f"{row['ms_per_call']:.1f}")
    console.print(table)
    r = report.resources
    words = [f"CPU {r['cpu_percent_mean'] / r['cores']:.0f} % of {r['cores']} cores", f"at most {r['resident_gb_peak']:.2f} GB"]
    words += [f"GPU {r['gpu0_percent_mean']:.0f} %, at most {r['gpu0_memory_gb_peak']:.2f} GB"] if "gpu0_percent_mean" in r else []
    console.print(f"  {', '.join(words)}")
