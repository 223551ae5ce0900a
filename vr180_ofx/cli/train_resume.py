"""vr180-ofx train resume."""

from __future__ import annotations

import argparse
from pathlib import Path

from vr180_ofx.cli.common import progress_bars
from vr180_ofx.cli.helping import Examples

USAGE = "RUN [options]"
EXAMPLES: Examples = (
    ("where it ended", "vr180-ofx train resume run/"),
    ("with more threads that read data", "vr180-ofx train resume run/ --set machine.workers=8"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_folder", metavar="RUN", help="the folder that was given to 'vr180-ofx train' with -o")
    parser.add_argument(
        "--set", metavar="K=V", action="append", default=[], dest="changes",
        help="one value on top, of machine, log or checkpoints, or where data lie (data.NAME.path); may be repeated",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print what came of it as JSON on standard output")


def run(arguments: argparse.Namespace) -> int:
    from vr180_ofx.cli.train import needs_torch, say, watcher

    needs_torch()
    from vr180_ofx.training.run import resume

    with progress_bars(quiet=arguments.json) as update:
        result = resume(Path(arguments.run_folder), arguments.changes, watcher("training", update, quiet=arguments.json))
    return say(result, arguments.run_folder, as_json=arguments.json)
