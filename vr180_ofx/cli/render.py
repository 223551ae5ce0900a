"""vr180-ofx render."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from vr180_ofx.cli.common import (
    add_settings_arguments,
    clip_from,
    console,
    plan_for,
    print_json,
    progress_bar,
    say_clip,
    say_plan,
    settings_from,
)
from vr180_ofx.settings import OutputSettings
from vr180_ofx.telemetry import Stages


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("clip", nargs="?", metavar="CLIP", help="a video, an image sequence (plate.%%04d.exr), or a folder of images")
    parser.add_argument("-o", "--output", metavar="DIR", help="where frames are written")
    formats = get_args(OutputSettings.model_fields["format"].annotation)
    parser.add_argument("--format", metavar="F", help=", ".join(formats))
    parser.add_argument("--plan", metavar="F", help="a plan from 'analyse', perhaps edited")
    parser.add_argument("--overwrite", action="store_true", help="render frames again that are there")
    parser.add_argument("--json", action="store_true", help="print the report as JSON on standard output")
    add_settings_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    from vr180_ofx.output.render import OutputError, render

    extra = []
    if arguments.format:
        extra.append(f"output.format={arguments.format}")
    if arguments.overwrite:
        extra.append("output.overwrite=true")
    settings = settings_from(arguments, extra)
    folder = arguments.output or settings.output.path
    if not folder:
        raise OutputError("no output folder was named; use -o DIR or output.path")
    stages = Stages()
    with clip_from(arguments, settings) as clip:
        if not arguments.json:
            say_clip(clip)
        plan = plan_for(clip, settings, arguments.plan, arguments.json, stages)
        if not arguments.json:
            say_plan(plan)
        with progress_bar("rendering", arguments.json) as update:
            report = render(clip, plan, settings, folder, update, stages)
        if settings.debugging.save_detection_visualization:
            from vr180_ofx.output.sheet import contact_sheet

            sheet = Path(folder) / f"{clip.name}.people.png"
            contact_sheet(clip, plan, sheet)
            report.notes.append(f"contact sheet: {sheet}")
    if arguments.json:
        print_json(report.to_dict())
    else:
        kept = f", {report.kept} were there" if report.kept else ""
        speed = f" in {report.seconds:.1f} s ({report.fps:.2f} fps)" if report.written else ""
        console.print(f"[bold]{report.written} frames written[/]{kept}{speed}: {report.pattern}")
        for note in report.notes:
            console.print(f"  {note}")
    return 3 if report.missing or report.lost else 0
