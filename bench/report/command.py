"""python -m bench report: a page of results, and the leaderboard of the guide."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.report.leaderboard import write_leaderboard
from bench.report.page import write_page
from bench.report.pictures import pictures, worst_frames
from bench.score.results import read_result
from bench.score.scene import find_scenes
from vr180_ofx.errors import SettingsError, Vr180Error


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of ``report``."""
    parser.add_argument("results", type=Path, nargs="+", metavar="JSON", help="what `score` wrote, one of each method")
    parser.add_argument("--output", "-o", type=Path, metavar="HTML", help="the page")
    parser.add_argument("--leaderboard", type=Path, metavar="MD", help="the tables as Markdown, between its marks, or as a new file")
    parser.add_argument("--scenes", type=Path, metavar="SCENES", help="with it and --mattes the worst frames are shown")
    parser.add_argument("--mattes", type=Path, metavar="DIR", help="mattes lie in DIR/METHOD/SCENE, as `run` writes them")
    parser.add_argument("--against", metavar="NAME", help="the method that the others are compared with, scene by scene")
    parser.add_argument("--worst", type=int, default=6, metavar="N", help="frames of each method that are shown (default: 6)")


def run(arguments: argparse.Namespace) -> int:
    """The exit status: 0, or 2 where something cannot be read or written."""
    try:
        if not (arguments.output or arguments.leaderboard):
            raise SettingsError("there is nothing to write: name a page with --output, or a file of Markdown with --leaderboard")
        if (arguments.scenes is None) != (arguments.mattes is None):
            raise SettingsError("--scenes and --mattes belong together: frames are shown with the plate, the truth and the matte")
        results = [read_result(path) for path in arguments.results]
        names = [r["method"]["name"] for r in results]
        if len(set(names)) < len(names):
            raise SettingsError(f"two results are of one method: {', '.join(sorted(names))}; `score --name` tells them apart")
        if arguments.against not in (None, *names):
            raise SettingsError(f"--against is {arguments.against!r}; the results are of {', '.join(names)}")
        if arguments.output:
            worst = []
            if arguments.scenes:
                scenes = find_scenes(arguments.scenes)
                worst = [
                    (n, pictures(worst_frames(r, arguments.worst), scenes, arguments.mattes / n))
                    for n, r in zip(names, results, strict=True)
                ]
            write_page(arguments.output, results, worst, arguments.against)
        if arguments.leaderboard:
            write_leaderboard(arguments.leaderboard, results, arguments.against)
    except (Vr180Error, OSError) as error:
        print(f"bench report: {error}", file=sys.stderr)
        return 2
    return 0
