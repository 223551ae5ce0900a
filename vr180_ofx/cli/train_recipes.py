"""vr180-ofx train recipes."""

from __future__ import annotations

import argparse
from pathlib import Path

from vr180_ofx.cli.common import console, paper, print_json
from vr180_ofx.cli.helping import Examples
from vr180_ofx.errors import OutputError
from vr180_ofx.storage import write_atomic

USAGE = "[NAME] [options]"
EXAMPLES: Examples = (
    ("which there are", "vr180-ofx train recipes"),
    ("one, to be changed", "vr180-ofx train recipes tiny -o my.yaml"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="a recipe; its text is printed")
    parser.add_argument("-o", "--output", metavar="F", help="write it to a file instead, to be changed")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")


def run(arguments: argparse.Namespace) -> int:
    from vr180_ofx.training.recipe import load, shipped

    known = shipped()
    if arguments.name is None:
        recipes = {name: load(name) for name in known}
        if arguments.json:
            print_json({n: {"task": r.task, "stages": {k: s.steps for k, s in r.stages.items()}} for n, r in recipes.items()})
            return 0
        for name, recipe in recipes.items():
            stages = ", ".join(f"{k} ({s.steps} steps)" for k, s in recipe.stages.items())
            paper.print(f"{name:<20} {recipe.task}, {recipe.network.get('variant', '')}: {stages}")
        return 0
    load(arguments.name)
    text = known[arguments.name].read_text(encoding="utf-8")
    if not arguments.output:
        print(text, end="")
        return 0
    path = Path(arguments.output)
    if path.exists():
        raise OutputError(f"{path} exists; name another file")
    write_atomic(path, text.encode())
    console.print(f"{path}: 'vr180-ofx train {path} -o RUN' trains by it")
    return 0
