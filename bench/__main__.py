"""python -m bench COMMAND: the commands' rooms are imported when they are called, as each needs packages that the others do not."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from typing import Protocol, cast


class Command(Protocol):
    """What the module of a command offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, arguments: argparse.Namespace) -> int: ...


#: command -> (its module, one line of help). A module has ``add_arguments(parser)`` and ``run(arguments) -> exit status``
COMMANDS: dict[str, tuple[str, str]] = {
    "generate": ("bench.generate", "draw the scenes of a split and render them with their truth"),
    "stills": ("bench.stills", "render single windows of people with alpha, for training"),
    "check": ("bench.check", "hold the truth of rendered scenes against itself, and make contact sheets"),
    "run": ("bench.run", "matte scenes by a mode of the program or a comparison method"),
    "score": ("bench.score.command", "compare mattes with the truth of their scenes"),
    "report": ("bench.report.command", "a page with tables, plots and the worst frames, from results"),
    "people": ("bench.people.command", "draw people from seeds and make quick pictures of them"),
}


def missing(module: str) -> bool:
    """Whether a room is not in this copy of the benchmark."""
    try:
        return importlib.util.find_spec(module) is None
    except ModuleNotFoundError:
        return True


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status: 0 well, 1 found wanting, 2 could not be done."""
    given = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="python -m bench", description="VR180-Matte-Bench")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    chosen = next((word for word in given if not word.startswith("-")), None)
    room: Command | None = None
    for name, (module, help_line) in COMMANDS.items():
        command = commands.add_parser(name, help=help_line, description=help_line)
        if name != chosen:
            continue
        if missing(module):
            parser.exit(2, f"bench {name}: this copy of the benchmark has no module {module}\n")
        try:
            room = cast(Command, importlib.import_module(module))
        except ModuleNotFoundError as error:
            parser.exit(2, f"bench {name} needs the package {error.name!r}, which is not installed here: `make setup-bench` does that\n")
        room.add_arguments(command)
    arguments = parser.parse_args(given)
    if room is None:
        parser.exit(2, "bench: no command given\n")
    return room.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
