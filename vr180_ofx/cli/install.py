"""vr180-ofx install."""

from __future__ import annotations

import argparse
from pathlib import Path

from vr180_ofx.cli.common import console
from vr180_ofx.cli.helping import Examples
from vr180_ofx.install import HOSTS, install, uninstall

USAGE = "HOST [options]"
EXAMPLES: Examples = (
    ("into Nuke, for servers that may read /plates", "vr180-ofx install nuke --root /plates"),
    ("and out of it again", "vr180-ofx install nuke --undo"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("host", choices=HOSTS, metavar="HOST", help=", ".join(HOSTS))
    parser.add_argument("--path", metavar="DIR", help="the host's folder (of Nuke: .nuke); default: where the host of this user looks")
    parser.add_argument("--link", action="store_true", help="link to the files of this program instead of copying them")
    parser.add_argument("--undo", action="store_true", help="take away what was installed there")
    parser.add_argument(
        "--root", metavar="DIR", action="append", default=[], dest="roots",
        help="a folder that a server started by the host may read and write; may be repeated (default: all)",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    path = Path(arguments.path).expanduser().resolve() if arguments.path else None
    host, link, roots = arguments.host, arguments.link, arguments.roots
    done = uninstall(host, path) if arguments.undo else install(host, path, link=link, roots=roots)
    for line in done.said:
        console.print(line)
    return 0
