"""vr180-ofx matte: everybody at once, by Robust Video Matting on whole eyes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from vr180_ofx.cli.common import clip_from, console, print_json, progress_bar, say_clip, settings_from
from vr180_ofx.resources import Monitor
from vr180_ofx.telemetry import Stages

#: As people who know RVM call them; auto and plain numbers, too.
PRESETS = {"standard": "0.25", "high": "0.5", "ultra": "1", "4k": "0.125"}
_SEQUENCES = {"alpha": "alpha", "foreground": "foreground", "composite": "composite", "exr": "exr"}
_VIDEOS = {"alpha": "video", "foreground": "prores4444", "composite": "greenscreen"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("clip", metavar="CLIP", help="a video, an image sequence (plate.%%04d.exr), or a folder of images; flat or VR180")
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="where a folder is made for each output")
    parser.add_argument(
        "--outputs", default="alpha", metavar="A,B", help=f"what is written: {', '.join(_SEQUENCES)}, several with commas (default: alpha)"
    )
    parser.add_argument("--type", choices=("video", "images"), default="video", help="videos with the sound, or images (exr: always)")
    parser.add_argument("--weights", metavar="F", help="RVM's weights (.pth or .safetensors); default: those that were pulled")
    parser.add_argument(
        "--downsample", default="auto", metavar="R",
        help="the size of the picture that the network sees, of the eye's: auto (512 pixels), "
        + ", ".join(f"{name} ({value})" for name, value in PRESETS.items()) + ", or 1, 0.5, 0.375, 0.25, 0.125",
    )  # fmt: skip
    parser.add_argument("--frames", metavar="R", help="frames to make, 0-based: 0-47,100")
    parser.add_argument("--config", metavar="F", help="a config file, YAML or TOML")
    parser.add_argument(
        "--set", dest="overrides", action="append", default=[], metavar="SECTION.KEY=VALUE", help="overrides the config file"
    )
    parser.add_argument("--overwrite", action="store_true", help="make again what is there")
    parser.add_argument("--json", action="store_true", help="print the reports as JSON on standard output")


def run(arguments: argparse.Namespace) -> int:
    from vr180_ofx.engine.server import FrameServer
    from vr180_ofx.engine.store import open_store
    from vr180_ofx.output.render import RenderReport, render
    from vr180_ofx.people.plans import find_plan
    from vr180_ofx.settings import SettingsError

    wanted = [w.strip() for w in arguments.outputs.split(",") if w.strip()]
    unknown = [w for w in wanted if w not in _SEQUENCES]
    if unknown or not wanted:
        raise SettingsError(f"--outputs is {arguments.outputs!r}; allowed are {', '.join(_SEQUENCES)}, several with commas")
    extra = ["matting.tracker=rvm", f"matting.downsample='{PRESETS.get(arguments.downsample.lower(), arguments.downsample)}'"]
    if arguments.weights:
        extra.append(f"matting.tracker_weights={arguments.weights}")
    if arguments.overwrite:
        extra.append("output.overwrite=true")
    settings = settings_from(arguments, extra)
    reports: dict[str, RenderReport] = {}
    stages = Stages()
    with Monitor() as monitor, clip_from(arguments, settings) as clip:
        if not arguments.json:
            say_clip(clip)
        plan = find_plan(clip, settings)
        # one server for all outputs: a frame is made once, and found again for the next output
        with FrameServer(clip, plan, settings, stages=stages, store=open_store(settings)) as server:
            for name in wanted:
                kind = _VIDEOS.get(name) if arguments.type == "video" else None
                asked = settings.with_overrides([f"output.format={kind or _SEQUENCES[name]}"])
                with progress_bar(name, arguments.json, monitor) as update:
                    reports[name] = render(clip, plan, asked, Path(arguments.output) / name, update, stages, server)
    if arguments.json:
        print_json({name: r.to_dict() for name, r in reports.items()})
    else:
        for name, report in reports.items():
            _say(name, report)
    return 3 if any(r.missing or r.lost for r in reports.values()) else 0


def _say(name: str, report: Any) -> None:
    kept = f", {report.kept} were there" if report.kept else ""
    speed = f" in {report.seconds:.1f} s ({report.fps:.2f} fps)" if report.written else ""
    console.print(f"[bold]{name}: {report.written} frames written[/]{kept}{speed}: {report.pattern}")
    for note in report.notes:
        console.print(f"  {note}")
