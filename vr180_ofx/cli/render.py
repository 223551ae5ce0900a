"""vr180-ofx render."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from vr180_ofx.cli.common import (
    add_node_arguments,
    add_settings_arguments,
    clip_from,
    console,
    plan_for,
    print_json,
    progress_bar,
    say_clip,
    say_plan,
    say_report,
    settings_from,
)
from vr180_ofx.errors import ExitStatus, OutputError, ServiceGoneError, SettingsError
from vr180_ofx.resources import Monitor
from vr180_ofx.settings import Settings, every_setting
from vr180_ofx.settings.formats import described
from vr180_ofx.storage import write_atomic
from vr180_ofx.telemetry import Stages

if TYPE_CHECKING:
    from vr180_ofx.render.render import RenderReport


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("clip", nargs="?", metavar="CLIP", help="a video, an image sequence (plate.%%04d.exr), or a folder of images")
    parser.add_argument("-o", "--output", metavar="DIR", help="where frames are written")
    parser.add_argument("--format", metavar="F", help=described().replace("%", "%%"))
    parser.add_argument("--plan", metavar="F", help="a plan from 'analyse', perhaps edited")
    parser.add_argument("--overwrite", action="store_true", help="render frames again that are there")
    parser.add_argument("--strict", action="store_true", help="exit with 6 when there is something that somebody should look at")
    parser.add_argument("--profile", action="store_true", help="show where the time went")
    parser.add_argument("--trace", metavar="FILE", help="write a trace of all stages and of the machine, for Perfetto")
    parser.add_argument("--resource-log", metavar="FILE", help="write a line of JSON about the machine every half second")
    parser.add_argument("--json", action="store_true", help="print the report as JSON on standard output")
    parser.add_argument("--server", metavar="URL", nargs="?", const="", help="let a frame server do it (default: the one that you run)")
    parser.add_argument("--token-file", metavar="F", help="the server's token, when it is not your own server")
    add_settings_arguments(parser)
    add_node_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    from vr180_ofx.engine.models import Models
    from vr180_ofx.render.render import render

    extra = []
    if arguments.format:
        extra.append(f"output.format={arguments.format}")
    if arguments.overwrite:
        extra.append("output.overwrite=true")
    if arguments.profile or arguments.trace:
        extra.append("performance.profile_enabled=true")
    settings = settings_from(arguments, extra)
    folder = arguments.output or settings.output.path
    if not folder:
        raise OutputError("no output folder was named; use -o DIR or output.path")
    if arguments.server is not None:
        return _remote(arguments, settings, str(folder))
    stages = Stages(enabled=settings.performance.profile_enabled, trace=arguments.trace is not None)
    log = Path(arguments.resource_log) if arguments.resource_log else None
    with Monitor(log) as monitor, clip_from(arguments, settings) as clip:
        if not arguments.json:
            say_clip(clip)
        models = Models.of(settings)
        plan = plan_for(clip, settings, arguments.plan, arguments.json, stages, models=models)
        if not arguments.json:
            say_plan(plan)
        with progress_bar("rendering", arguments.json, monitor) as update:
            report = render(clip, plan, settings, folder, models=models, progress=update, stages=stages)
        if settings.debugging.save_detection_visualization:
            from vr180_ofx.render.contact_sheet import contact_sheet

            sheet = Path(folder) / f"{clip.name}.people.png"
            contact_sheet(clip, plan, sheet)
            report.notes.append(f"contact sheet: {sheet}")
    report.resources = monitor.summary()
    if arguments.trace:
        trace = stages.trace(s.to_dict() for s in monitor.history)
        write_atomic(Path(arguments.trace), json.dumps(trace).encode())
        report.notes.append(f"trace (open it in Perfetto or chrome://tracing): {arguments.trace}")
    if arguments.json:
        print_json(report.to_dict())
    else:
        say_report(report)
        if arguments.profile:
            _say_profile(report)
    if report.missing or report.lost:
        return ExitStatus.INPUT
    return ExitStatus.WARNED if arguments.strict and report.warnings else ExitStatus.DONE


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


def _remote(arguments: argparse.Namespace, settings: Settings, folder: str) -> int:
    """The same on a frame server, whose disk holds the clip and gets the frames."""
    from vr180_ofx.client import ServerProblem, ServerUnavailable, connect

    path = arguments.clip or settings.input.video_path
    if not path:
        raise SettingsError("no clip was named; give CLIP or input.video_path")
    if arguments.plan:
        plan = json.loads(Path(arguments.plan).read_text(encoding="utf-8"))
    asked, refused = _asked(settings)
    if refused:
        console.print(f"[yellow]{', '.join(refused)}: not taken over HTTP; what the server was started with counts[/]")
    try:
        server = connect(arguments.server or None, arguments.token_file)
        clip = server.open(os.path.abspath(path), asked)
        with progress_bar("analysing", arguments.json) as update:
            for job in server.follow(clip.facts["job"]) if clip.facts["job"] else ():
                update(job["done"], job["total"])
        clip.wait()
        if arguments.plan:
            clip.replace_people(plan)
        report: dict[str, Any] = {}
        output = settings.output.model_dump(mode="json", exclude={"path"}, exclude_unset=True)
        with progress_bar("rendering", arguments.json) as update:
            for job in clip.render(os.path.abspath(folder), settings.input.frames, output):
                update(job["done"], job["total"])
                report = job["report"] or {}
    except ServerUnavailable as error:
        raise ServiceGoneError(str(error)) from None
    except ServerProblem as error:
        raise ServiceGoneError(f"{arguments.server or 'the server'} says: {error.detail}") from None
    if job["state"] == "cancelled":
        raise KeyboardInterrupt
    if arguments.json:
        print_json(report)
    else:
        console.print(f"[bold]{report['written']} frames written[/], {report['kept']} were there: {report['pattern']}")
        for note in report["notes"]:
            console.print(f"  {note}")
    if report["missing"] or report["lost"]:
        return ExitStatus.INPUT
    return ExitStatus.WARNED if arguments.strict and report["warnings"] else ExitStatus.DONE


def _asked(settings: Settings) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """What was asked for beside the defaults: what a clip is opened with, and the keys that are the server's affair."""
    set_here = settings.model_dump(mode="json", exclude_unset=True, exclude_defaults=True)
    asked: dict[str, dict[str, Any]] = {}
    refused = []
    for name, key, traits in every_setting():
        # where the clip, its frames and the output are is asked for in other words
        if key not in set_here.get(name, {}) or name == "output" or (name, key) in (("input", "video_path"), ("input", "frames")):
            continue
        if traits.http:
            asked.setdefault(name, {})[key] = set_here[name][key]
        else:
            refused.append(f"{name}.{key}")
    return asked, refused
