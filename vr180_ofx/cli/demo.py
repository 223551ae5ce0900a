"""vr180-ofx demo."""

from __future__ import annotations

import argparse
import importlib.resources
from pathlib import Path

from vr180_ofx.cli.common import console, print_json, progress_bar, say_clip, say_plan, styled
from vr180_ofx.cli.evaluate import show
from vr180_ofx.cli.helping import Examples
from vr180_ofx.errors import MediaError
from vr180_ofx.media.numbering import numbering
from vr180_ofx.media.open import open_clip
from vr180_ofx.settings import Settings

USAGE = "[-o DIR]"
EXAMPLES: Examples = (("the clip that comes with the program, with its scores", "vr180-ofx demo -o demo/"),)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", default="demo", metavar="DIR", help="where the frames (DIR/out) and DIR/result.png go (default: demo)"
    )
    parser.add_argument("--json", action="store_true", help="print the scores as JSON on standard output")


def run(arguments: argparse.Namespace) -> int:
    with importlib.resources.as_file(importlib.resources.files("vr180_ofx") / "demo") as clip_and_truth:
        return _run(arguments, clip_and_truth)


def _run(arguments: argparse.Namespace, clip_and_truth: Path) -> int:
    from vr180_ofx.engine.plans import analyse
    from vr180_ofx.quality.evaluate import evaluate
    from vr180_ofx.quality.report import showcase
    from vr180_ofx.rendering.render import render

    source = clip_and_truth / "walk3d.mp4"
    if not source.exists():
        raise MediaError(f"the demo clip {source} is not installed; install vr180-ofx again")
    folder = Path(arguments.output)
    settings = Settings(output={"overwrite": True})
    with open_clip(source, settings) as clip:
        say_clip(clip, settings)
        with progress_bar("analysing", quiet=arguments.json) as update:
            plan = analyse(clip, settings, progress=update)
        say_plan(plan, numbering(clip, settings))
        with progress_bar("rendering", quiet=arguments.json) as update:
            report = render(clip, plan, settings, folder / "out", progress=update)
        data = evaluate(folder / "out", clip_and_truth / "truth").to_dict()
        picture = folder / "result.png"
        showcase(clip, folder / "out", picture, index=len(clip) // 2)
    data.pop("per_frame")
    if arguments.json:
        print_json({"frames": str(folder / "out"), "picture": str(picture), "fps": report.fps, **data})
    else:
        show(data)
        console.print(styled(f"{report.written} EXR frames", "bold"), f" ({report.fps:.1f} fps): {report.pattern}", sep="")
        console.print(styled("picture:", "bold"), picture)
    return 0
