"""The command line. One module per command; this one knows their names and turns errors into exit statuses."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import logging
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from vr180_ofx.errors import ExitStatus, statuses_of
from vr180_ofx.telemetry import tune_allocator
from vr180_ofx.version import __version__
from vr180_ofx.wording import printable

COMMANDS = {
    "render": "render a clip to mattes; resumes where it was interrupted",
    "matte": "everybody at once, by Robust Video Matting on whole eyes; flat clips, too",
    "analyse": "find the people; writes a plan to read and edit",
    "edit": "correct a plan: split, merge, exclude, rename, add people; say where they are absent",
    "estimate": "what a render will take: memory, time and cost, from a short one that is measured",
    "serve": "serve frames over HTTP, for hosts and other programs",
    "status": "the frame servers that you run, and what they do",
    "weights": "list, pull and verify model weights",
    "inspect": "what an image, a folder of frames, or a clip holds",
    "evaluate": "compare rendered frames with ground truth",
    "doctor": "what this machine has and what works",
    "install": "put the bridge into a host: nuke, resolve, ofx, blender; or take it away",
    "demo": "render the clip that comes with the program and show its scores",
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(ExitStatus.USAGE, f"{self.prog}: {printable(message)}\nTry '{self.prog} --help'.\n")


class _Plain(logging.Formatter):
    """Lines of the log in which no terminal obeys what strangers called their files."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = _Parser(prog="vr180-ofx", description="Human mattes for stereo VR180 video.")
    parser.add_argument("--version", action="version", version=f"vr180-ofx {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Parser)
    for name, text in COMMANDS.items():
        module = importlib.import_module(f"vr180_ofx.cli.{name}")
        sub = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        sub.add_argument("-v", "--verbose", action="store_true", help="say more, and show where errors come from")
        module.add_arguments(sub)
        sub.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command. Returns its exit status, see `ExitStatus`."""
    tune_allocator()
    # libraries are loaded after that
    from vr180_ofx.imaging.threads import limit_threads

    words = sys.argv[1:] if argv is None else list(argv)
    foreign = next((word for word in words if _is_foreign(word)), None)
    if foreign is not None:
        print(f"vr180-ofx: {printable(foreign)} is not UTF-8; rename the file, for instance with convmv", file=sys.stderr)
        return ExitStatus.USAGE
    arguments = build_parser().parse_args(words)
    verbose = bool(arguments.verbose)
    limit_threads(1)
    said = logging.StreamHandler(sys.stderr)
    said.setFormatter(_Plain("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO if verbose else logging.ERROR, handlers=[said])
    with contextlib.suppress(ValueError):  # not the main thread
        signal.signal(signal.SIGTERM, _interrupt)
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            # see cli.start
            signal.signal(signal.SIGINT, _interrupt)
    _interrupts.clear()
    try:
        return int(arguments.run(arguments) or ExitStatus.DONE)
    except KeyboardInterrupt:
        return _say_interrupted()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return ExitStatus.DONE
    except Exception as error:
        if _interrupts:
            # libraries that are being loaded make errors of their own of it
            return _say_interrupted()
        statuses = statuses_of(error)
        if statuses is None or verbose:
            logging.getLogger(__name__).error("%s", error, exc_info=True)
        if statuses is None:
            print(f"vr180-ofx: an error that should not happen: {type(error).__name__}: {printable(str(error))}", file=sys.stderr)
            return ExitStatus.BUG
        print(f"vr180-ofx: {printable(str(error))}", file=sys.stderr)
        return statuses.exit


def _is_foreign(word: str) -> bool:
    """Whether the bytes of an argument are not UTF-8: no EXR, no plan and no answer of the server could say its name."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return True
    return False


#: Signals that came while a command ran.
_interrupts: list[int] = []


def _interrupt(number: int, *_: Any) -> None:
    _interrupts.append(number)
    raise KeyboardInterrupt


def _say_interrupted() -> int:
    print("interrupted; what was written is whole, and the same command goes on from there", file=sys.stderr)
    return ExitStatus.INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
