"""vr180-ofx train: networks of your own; and what belongs to it, each in a module of its own."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Callable
from pathlib import Path

from vr180_ofx.cli.common import console, print_json, progress_bars, styled
from vr180_ofx.cli.helping import Examples, Formatter, Parser, examples
from vr180_ofx.errors import ExitStatus, SettingsError

#: Action -> its module, and what it does.
ACTIONS = {
    "resume": ("vr180_ofx.cli.train_resume", "go on with a run that was interrupted or killed"),
    "pack": ("vr180_ofx.cli.train_pack", "make one file of rendered people, which the student is trained on"),
    "student-file": ("vr180_ofx.cli.train_student_file", "make of trained weights what the refiner student reads"),
    "look": ("vr180_ofx.cli.train_look", "check data before they are trained on, and see samples of them"),
    "eval": ("vr180_ofx.cli.train_eval", "measure what was trained: MAD, MSE, SAD, Grad, Conn, dtSSD"),
    "infer": ("vr180_ofx.cli.train_infer", "mattes of a whole data set, clip by clip"),
    "export": ("vr180_ofx.cli.train_export", "weights for use, TorchScript, ONNX or OpenVINO, held against the network"),
    "speed": ("vr180_ofx.cli.train_speed", "frames a second, latency and memory of the variants here"),
    "recipes": ("vr180_ofx.cli.train_recipes", "the recipes that come with the program"),
}
#: Seconds between lines in a file that is read while it grows.
_TELL_S = 60
USAGE = "RECIPE -o RUN [options]"
EXAMPLES: Examples = (
    ("which recipes there are, and what they say", "vr180-ofx train recipes"),
    (
        "a first run, with other data and fewer steps",
        "vr180-ofx train my.yaml -o run/ --set low.steps=200 --set data.stills.path=../stills",
    ),
    ("go on after it was interrupted", "vr180-ofx train resume run/"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    rows = ["", "", "actions ('vr180-ofx train resume --help' explains one):"]
    rows += [f"  {name:<12} {text[0].upper()}{text[1:]}." for name, (_, text) in ACTIONS.items()]
    parser.epilog = (parser.epilog or "") + "\n".join(rows).replace("%", "%%")
    parser.add_argument("recipe", metavar="RECIPE", help="a file in YAML, the name of a recipe that comes with the program, or an action")
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="...", help=argparse.SUPPRESS)
    _add_common(parser)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", metavar="RUN", help="the run's folder")
    add_recipe_arguments(parser)
    parser.add_argument("--check", action="store_true", help="say what the recipe says, and what is wrong with it; train nothing")


def add_recipe_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of actions that read a recipe."""
    parser.add_argument(
        "--set", metavar="K=V", action="append", default=[], dest="changes",
        help="one value of the recipe on top, for instance low.steps=100 of the stage 'low'; may be repeated",
    )  # fmt: skip
    parser.add_argument("--data", metavar="DIR", help="what relative paths of data are relative to (default: the recipe's folder)")
    parser.add_argument("--json", action="store_true", help="print what came of it as JSON on standard output")


def run(arguments: argparse.Namespace) -> int:
    action = ACTIONS.get(arguments.recipe)
    if action is not None:
        module = importlib.import_module(action[0])
        own = parser_of(arguments.recipe)
        return int(module.run(own.parse_args(arguments.words)) or ExitStatus.DONE)
    if arguments.words:
        # argparse leaves all flags behind the recipe alone
        again = Parser(prog="vr180-ofx train", usage=arguments.parser.usage, add_help=False)
        _add_common(again)
        again.add_argument("-h", "--help", action="store_true")
        again.add_argument("-v", "--verbose", action="store_true")
        flags, rest = again.parse_known_args(arguments.words)
        if rest:
            again.refuse(rest)
        if flags.help:
            arguments.parser.print_help()
            return ExitStatus.DONE
        flags.changes = [*arguments.changes, *flags.changes]
        for name, value in vars(flags).items():
            if value not in (None, False):
                setattr(arguments, name, value)
    return _train(arguments)


def parser_of(action: str) -> Parser:
    """The parser of an action."""
    place, text = ACTIONS[action]
    module = importlib.import_module(place)
    parser = Parser(
        prog=f"vr180-ofx train {action}", usage=f"vr180-ofx train {action} {module.USAGE}", description=f"{text[0].upper()}{text[1:]}.",
        epilog=examples(module.EXAMPLES), formatter_class=Formatter,
    )  # fmt: skip
    module.add_arguments(parser)
    parser.add_argument("-v", "--verbose", action="store_true", help="say more, and show where errors come from")
    return parser


def _train(arguments: argparse.Namespace) -> int:
    from vr180_ofx.training.recipe import load

    recipe = load(arguments.recipe, arguments.changes, data=Path(arguments.data) if arguments.data else None)
    if arguments.check:
        if arguments.json:
            print_json(recipe.model_dump(mode="json"))
        else:
            print(recipe.to_yaml(), end="")
        return ExitStatus.DONE
    if not arguments.output:
        raise SettingsError("no folder was named for the run; use -o RUN")
    needs_torch()
    from vr180_ofx.training.run import begin

    with progress_bars(quiet=arguments.json) as update:
        result = begin(recipe, Path(arguments.output), watcher(recipe.name, update, quiet=arguments.json))
    return say(result, arguments.output, as_json=arguments.json)


def watcher(name: str, update: Callable[[str, int, int], None], *, quiet: bool) -> Callable[[int, int, str], None]:
    """What tells people of steps: a bar in a terminal, and a line now and then where there is none."""
    told = [time.monotonic()]

    def watch(done: int, total: int, text: str) -> None:
        update(name, done, total)
        if not quiet and not sys.stderr.isatty() and time.monotonic() - told[0] >= _TELL_S:
            told[0] = time.monotonic()
            console.print(f"step {done} of {total}: {text}")

    return watch


def needs_torch() -> None:
    """Raises SettingsError where PyTorch is not installed."""
    for name in ("torch", "torchvision"):
        try:
            importlib.import_module(name)
        except ImportError:
            raise SettingsError(f"training needs {name}, which is not installed; run: pip install 'vr180-ofx[training]'") from None


def say(result: object, folder: str, *, as_json: bool) -> int:
    """What came of a run. Returns the exit status."""
    from vr180_ofx.training.loop import Result

    assert isinstance(result, Result)
    if as_json:
        print_json({"run": folder, "step": result.step, "ended": result.ended, "loss": result.loss, "evaluation": result.best})
    elif result.ended:
        best = "" if result.best is None else f"; the best evaluation was {result.best:.6g}"
        console.print(styled(f"{result.step} steps are done", "bold"), f"{best}: {Path(folder) / 'weights.safetensors'}", sep="")
    else:
        console.print(f"interrupted after step {result.step}, which is kept; 'vr180-ofx train resume {folder}' goes on from there")
    return ExitStatus.DONE if result.ended else ExitStatus.INTERRUPTED
