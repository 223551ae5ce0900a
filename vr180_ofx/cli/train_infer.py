"""vr180-ofx train infer."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vr180_ofx.cli.common import console, print_json, progress_bars
from vr180_ofx.cli.helping import Examples
from vr180_ofx.errors import SettingsError
from vr180_ofx.wording import counted

if TYPE_CHECKING:
    from vr180_ofx.training.recipe import Data, Recipe

USAGE = "RUN|WEIGHTS -o DIR [options]"
EXAMPLES: Examples = (
    ("the data that a run evaluates on", "vr180-ofx train infer run/ -o mattes/"),
    ("any folder", "vr180-ofx train infer weights.safetensors --path scenes/ --kind scenes -o mattes/"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("trained", metavar="RUN|WEIGHTS", help="a run's folder, whose best weights count, or a file of weights")
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="where CLIP/pha, CLIP/fgr and CLIP/com are made for each clip")
    add_data_arguments(parser)


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags that say what is run through."""
    parser.add_argument(
        "--data", metavar="NAME", action="append", default=[], help="data of the run's recipe; may be repeated (default: its evaluation's)"
    )
    parser.add_argument("--path", metavar="DIR", help="a folder instead")
    parser.add_argument("--kind", metavar="KIND", help="what it is: scenes, stills, images, videomatte, coco or supervisely")
    parser.add_argument("--frames", metavar="N", type=int, default=0, help="so many frames of each clip at most (default: all)")
    parser.add_argument("--clips", metavar="N", type=int, default=0, help="so many clips at most, evenly chosen (default: all)")
    parser.add_argument("--device", metavar="D", default="auto", help="auto, cpu or cuda (default: auto)")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")


def chosen(arguments: argparse.Namespace) -> tuple[Recipe | None, list[tuple[str, Data]]]:
    """The run's recipe, if it is one, and the data. Raises SettingsError."""
    from vr180_ofx.training.infer import data_of
    from vr180_ofx.training.run import recipe_of

    if arguments.frames < 0 or arguments.clips < 0:
        raise SettingsError(f"--frames is {arguments.frames} and --clips {arguments.clips}; 0 is all, and less than that is nothing")
    folder = Path(arguments.trained)
    recipe = recipe_of(folder) if folder.is_dir() else None
    return recipe, data_of(recipe, arguments.data, arguments.path, arguments.kind)


def run(arguments: argparse.Namespace) -> int:
    from vr180_ofx.cli.train import needs_torch

    needs_torch()
    from vr180_ofx.training.distributed import join
    from vr180_ofx.training.infer import Wanted, infer, load_trained

    _, data = chosen(arguments)
    device = join(arguments.device).device
    trained = load_trained(Path(arguments.trained), device)
    out, found = Path(arguments.output), {}
    with progress_bars(quiet=arguments.json) as update:
        for name, of in data:
            place = out / name if len(data) > 1 else out
            wanted = Wanted(arguments.frames, arguments.clips)
            found[name] = infer(trained, of, place, wanted, device=device, progress=lambda done, total, text: update("mattes", done, total))
    if arguments.json:
        print_json({"output": str(out), "clips": found})
    else:
        console.print(f"{counted(sum(map(len, found.values())), 'clip')} in {out}: CLIP/pha, CLIP/fgr and CLIP/com")
    return 0
