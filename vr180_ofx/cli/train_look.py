"""vr180-ofx train look."""

from __future__ import annotations

import argparse
from pathlib import Path

from vr180_ofx.cli.common import console, print_json, progress_bars, styled
from vr180_ofx.cli.helping import Examples
from vr180_ofx.errors import ExitStatus, SettingsError
from vr180_ofx.wording import counted

USAGE = "RECIPE|DIR -o DIR [options]"
EXAMPLES: Examples = (
    ("all data of a recipe", "vr180-ofx train look my.yaml -o look/"),
    ("one folder, every frame of it", "vr180-ofx train look stills/ --kind stills -o look/ --every-frame"),
)
#: Lines that are shown; all of them are on the page.
_SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from vr180_ofx.cli.train import add_recipe_arguments

    parser.add_argument("recipe", metavar="RECIPE|DIR", help="a recipe, or (with --kind) a folder of data")
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="where index.html and samples.png are written")
    parser.add_argument("--kind", metavar="KIND", help="DIR is of this kind: scenes, stills, images, supervisely")
    parser.add_argument("--samples", metavar="N", type=int, default=4, help="of each source of each stage (default: 4)")
    parser.add_argument("--every-frame", action="store_true", help="read every frame, not only the first, middle and last of each clip")
    add_recipe_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    from vr180_ofx.cli.train import needs_torch

    if not 1 <= arguments.samples <= 100:
        raise SettingsError(f"--samples is {arguments.samples}; 1 to 100 are shown")
    needs_torch()
    from vr180_ofx.training.look import look, of_folder
    from vr180_ofx.training.recipe import load

    if arguments.kind:
        recipe = of_folder(Path(arguments.recipe), arguments.kind)
    else:
        recipe = load(arguments.recipe, arguments.changes, data=Path(arguments.data) if arguments.data else None)
    with progress_bars(quiet=arguments.json) as update:
        found = look(
            recipe, Path(arguments.output), samples=arguments.samples, every=arguments.every_frame,
            progress=lambda done, total, name: update(name, done, total),
        )  # fmt: skip
    if arguments.json:
        rows = [{"data": f.data, "item": f.item, "text": f.text, "bad": f.bad} for f in found.findings]
        print_json({"page": str(found.page), "sheet": str(found.sheet), "items": found.counts, "findings": rows})
    else:
        for f in found.findings[:_SHOWN]:
            where = ": ".join(w for w in (f.data, f.item) if w)
            console.print(styled(f"  {where}: {f.text}", "yellow" if f.bad else "dim"))
        if len(found.findings) > _SHOWN:
            console.print(f"  and {len(found.findings) - _SHOWN} more, on the page")
        items = ", ".join(f"{n} {c}" for n, c in found.counts.items())
        console.print(styled(f"{counted(len(found.bad), 'thing')} to mend", "bold"), f" in {items}: {found.page}", sep="")
    return ExitStatus.INPUT if found.bad else ExitStatus.DONE
