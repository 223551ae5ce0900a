"""vr180-ofx serve."""

from __future__ import annotations

import argparse
from pathlib import Path

from vr180_ofx.cli.common import add_settings_arguments, console, settings_from
from vr180_ofx.cli.helping import Examples
from vr180_ofx.errors import SettingsError

USAGE = "[options]"
EXAMPLES: Examples = (
    ("clips below a folder, for hosts on this machine", "vr180-ofx serve --root /plates"),
    ("until nobody has asked for an hour", "vr180-ofx serve --root /plates --idle-exit 60"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, metavar="N", help="default: any that is free [service.port]")
    parser.add_argument("--host", metavar="ADDRESS", help="default: 127.0.0.1, this machine alone [service.host]")
    parser.add_argument("--token-file", metavar="F", help="where the access token is kept; made when it is not there [service.token_file]")
    parser.add_argument(
        "--root", metavar="DIR", action="append", default=[], dest="roots",
        help="a folder that clips may be read from and renders written to; may be repeated (default: the current folder) "
        "[service.allowed_roots]",
    )  # fmt: skip
    parser.add_argument("--announce", metavar="F", help="where the address is written while the server runs (default: in the cache folder)")
    parser.add_argument("--idle-exit", type=float, metavar="MINUTES", help="end when nobody has asked for anything for so long")
    add_settings_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    from vr180_ofx.service.run import end_at_last, serve

    extra = []
    for key, value in (("port", arguments.port), ("host", arguments.host), ("token_file", arguments.token_file)):
        if value is not None:
            extra.append(f"service.{key}={value}")
    settings = settings_from(arguments, extra)
    roots = [*arguments.roots, *settings.service.allowed_roots] or [str(Path.cwd())]
    for root in roots:
        if not Path(root).is_dir():
            raise SettingsError(f"--root {root} is not a folder")

    def said(address: str, token: Path) -> None:
        # on standard output, for programs that start the server
        print(f"{address}\ntoken file: {token}", flush=True)
        console.print(f"serving clips under {', '.join(str(Path(r).resolve()) for r in roots)}; end it with Ctrl+C")

    if arguments.idle_exit is not None and not 0 < arguments.idle_exit <= 1e6:
        raise SettingsError(f"--idle-exit is {arguments.idle_exit:g}; it is a number of minutes above 0")
    idle_s = None if arguments.idle_exit is None else arguments.idle_exit * 60
    serve(settings, roots, said, Path(arguments.announce) if arguments.announce else None, idle_s)
    console.print("ended; caches are on disk")
    end_at_last()
    return 0
