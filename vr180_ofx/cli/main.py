"""The command line. One module per command; this one knows their names and turns errors into exit statuses."""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Sequence

from vr180_ofx.cli.helping import Examples, Formatter, Parser, examples, where_to_look
from vr180_ofx.cli.interrupts import interrupts, watch_interrupts
from vr180_ofx.errors import ExitStatus, statuses_of
from vr180_ofx.telemetry import tune_allocator
from vr180_ofx.version import __version__
from vr180_ofx.wording import printable

#: What is needed every day first.
COMMANDS = {
    "render": "render a clip to mattes; resumes where it was interrupted",
    "inspect": "what an image, a folder of frames, or a clip holds",
    "analyse": "find the people; writes a plan to read and edit",
    "edit": "correct a plan: split, merge, exclude, rename, add people; say where they are absent",
    "settings": "explain settings: by name, or by what you are after in your own words",
    "estimate": "what a render will take: memory, time and cost, from a short one that is measured",
    "matte": "everybody at once, by Robust Video Matting on whole eyes; flat clips, too",
    "evaluate": "compare rendered frames with ground truth",
    "serve": "serve frames over HTTP, for hosts and other programs",
    "status": "the frame servers that you run, and what they do",
    "install": "put the bridge into a host: nuke, resolve, ofx, blender; or take it away",
    "weights": "list, pull and verify model weights",
    "train": "train matting networks of your own, evaluate and export them",
    "doctor": "what this machine has and what works",
    "demo": "render the clip that comes with the program and show its scores",
}
EXAMPLES: Examples = (
    ("what a clip is, and how it will be read", "vr180-ofx inspect clip.mp4"),
    ("who is where: look at who.png", "vr180-ofx analyse clip.mp4 -o plan.json --preview who.png"),
    ("EXR with a layer for each person", "vr180-ofx render clip.mp4 -o out/ --plan plan.json"),
    ("which setting it is", "vr180-ofx settings hair"),
)


class _Plain(logging.Formatter):
    """Lines of the log in which no terminal obeys what strangers called their files."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


def build_parser() -> Parser:
    """The parser of all commands."""
    parser = Parser(
        prog="vr180-ofx", description="Human mattes for stereo VR180 video.", formatter_class=Formatter,
        epilog=f"{examples(EXAMPLES)}\n\n'vr180-ofx COMMAND --help' explains a command.",
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"vr180-ofx {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    for name, text in COMMANDS.items():
        module = importlib.import_module(f"vr180_ofx.cli.{name}")
        sub = commands.add_parser(
            name, help=text, description=text[0].upper() + text[1:] + ".", epilog=examples(getattr(module, "EXAMPLES", ())),
            usage=f"vr180-ofx {name} {getattr(module, 'USAGE', '[options]')}", formatter_class=Formatter, add_help=False,
        )  # fmt: skip
        module.add_arguments(sub)
        group = sub.add_argument_group("about the command")
        group.add_argument("-h", "--help", action="help", help="show this, and end")
        group.add_argument("-v", "--verbose", action="store_true", help="say more, and show where errors come from")
        sub.set_defaults(run=module.run, parser=sub, program=parser)
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
    parser = build_parser()
    if not words:
        parser.print_help(sys.stderr)
        return ExitStatus.USAGE
    arguments, unknown = parser.parse_known_args(words)
    if unknown:
        arguments.parser.refuse(unknown)
    verbose = bool(arguments.verbose)
    limit_threads(1)
    said = logging.StreamHandler(sys.stderr)
    said.setFormatter(_Plain("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO if verbose else logging.ERROR, handlers=[said])
    watch_interrupts()
    try:
        return int(arguments.run(arguments) or ExitStatus.DONE)
    except KeyboardInterrupt:
        return _say_interrupted()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return ExitStatus.DONE
    except Exception as error:
        if interrupts():
            # libraries that are being loaded make errors of their own of it
            return _say_interrupted()
        statuses = statuses_of(error)
        if statuses is None or verbose:
            logging.getLogger(__name__).error("%s", error, exc_info=True)
        if statuses is None:
            print(f"vr180-ofx: an error that should not happen: {type(error).__name__}: {printable(str(error))}", file=sys.stderr)
            return ExitStatus.BUG
        print(f"vr180-ofx: {printable(str(error))}", file=sys.stderr)
        more = where_to_look(str(error), arguments.command) if statuses.exit == ExitStatus.USAGE else ""
        if more:
            print(more, file=sys.stderr)
        return statuses.exit


def _is_foreign(word: str) -> bool:
    """Whether the bytes of an argument are not UTF-8: no EXR, no plan and no answer of the server could say its name."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return True
    return False


def _say_interrupted() -> int:
    print("interrupted; what was written is whole, and the same command goes on from there", file=sys.stderr)
    return ExitStatus.INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
