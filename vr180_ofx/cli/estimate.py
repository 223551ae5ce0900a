"""vr180-ofx estimate."""

from __future__ import annotations

import argparse
from datetime import timedelta

from rich.table import Table

from vr180_ofx.cli.common import add_node_arguments, add_settings_arguments, clip_from, paper, print_json, settings_from
from vr180_ofx.cli.helping import Examples
from vr180_ofx.errors import SettingsError

USAGE = "CLIP [options]"
EXAMPLES: Examples = (
    ("time, memory and disk, from 32 frames", "vr180-ofx estimate clip.mp4"),
    ("what it costs on a machine that is paid by the hour", "vr180-ofx estimate clip.mp4 --price 1.20"),
    ("of a quicker way to render it", "vr180-ofx estimate clip.mp4 --scale 0.5"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("clip", nargs="?", metavar="CLIP", help="a video, an image sequence (plate.%%04d.exr), or a folder of images")
    parser.add_argument("--measure", type=int, default=32, metavar="N", help="render so many frames to learn from (default: 32)")
    parser.add_argument("--price", type=float, metavar="P", help="price of the machine per hour [performance.price_per_hour]")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")
    add_settings_arguments(parser)
    add_node_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    from vr180_ofx.rendering.estimate import estimate

    if arguments.measure < 2:
        raise SettingsError(f"--measure is {arguments.measure}; at least 2 frames are needed to learn from")
    extra = [] if arguments.price is None else [f"performance.price_per_hour={arguments.price}"]
    settings = settings_from(arguments, extra)
    with clip_from(arguments, settings) as clip:
        result = estimate(clip, settings, arguments.measure)
    if arguments.json:
        print_json(result.to_dict())
        return 0
    table = Table(f"{result.frames} frames", "", title=f"estimate, from {result.measured['frames']} frames rendered just now")
    table.add_row("analysis", _time(result.analysis_s) if result.analysis_s else "there is a plan already")
    table.add_row("rendering", f"{_time(result.render_s)}  ({result.frames / max(result.render_s, 1e-6):.2f} fps)")
    table.add_row("in all", _time(result.total_s))
    table.add_row("memory at most", f"{result.memory_bytes / 2**30:.2f} GB")
    table.add_row("output", f"{result.output_bytes / 2**30:.2f} GB")
    if result.cost is not None:
        table.add_row("cost", f"{result.cost:.2f} (at {result.price_per_hour:g} an hour)")
    paper.print(table)
    return 0


def _time(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds))) if seconds >= 60 else f"{seconds:.1f} s"
