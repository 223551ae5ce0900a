"""vr180-ofx serve."""

from __future__ import annotations

import argparse
from pathlib import Path

from vr180_ofx.cli.common import add_settings_arguments, console, settings_from, styled
from vr180_ofx.cli.helping import Examples
from vr180_ofx.cli.status import said_of
from vr180_ofx.client import ServerUnavailable, split_address
from vr180_ofx.errors import ExitStatus, ServiceGoneError, SettingsError

USAGE = "[options]"
EXAMPLES: Examples = (
    ("clips below a folder, for hosts on this machine", "vr180-ofx serve --root /plates"),
    ("until nobody has asked for an hour", "vr180-ofx serve --root /plates --idle-exit 60"),
    ("end the one that runs", "vr180-ofx serve --stop"),
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
    ending = parser.add_argument_group("ending servers")
    ending.add_argument(
        "--stop", metavar="URL|PORT", nargs="?", const="", help="end a server of yours; without a name: the one that runs"
    )  # fmt: skip
    ending.add_argument("--all", action="store_true", help="with --stop: all servers of yours")
    add_settings_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    if arguments.stop is not None or arguments.all:
        return _stop(arguments)
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


#: How long the end of a server is waited for: `service.run` gives requests, renders and memory less than this.
_END_S = 45.0


def _stop(arguments: argparse.Namespace) -> int:
    """Ends servers that prove to be this user's. Whatever goes on there ends as by Ctrl+C."""
    from vr180_ofx.service.records import Known, Record, known_servers, look, stop

    name = arguments.stop
    if name is None:
        raise SettingsError("--all says which servers --stop ends; write: vr180-ofx serve --stop --all")
    if name and arguments.all:
        raise SettingsError(f"--stop names {name}, and --all means every server; give one of them")
    servers = known_servers()
    for known in servers:
        if known.facts is None:
            console.print(styled(said_of(known), "yellow"))
    running = [s for s in servers if s.facts is not None]
    chosen = running
    if name:
        address = _address(name)
        chosen = [s for s in running if s.record.address == address]
        if not chosen and arguments.token_file:
            # of another cache folder
            record = Record(address, str(Path(arguments.token_file).absolute()), 0, "?")
            other: Known = look(record, Path(arguments.token_file).absolute().parent / "server.json")
            if other.facts is None:
                raise ServiceGoneError(other.why)
            chosen = [other]
        if not chosen:
            there = ", ".join(s.record.address for s in running)
            raise ServiceGoneError(f"no frame server of yours runs at {address}; {f'there are: {there}' if there else 'none runs at all'}")
    elif len(running) > 1 and not arguments.all:
        there = ", ".join(s.record.address for s in running)
        raise SettingsError(f"{len(running)} frame servers of yours run: {there}; say which one: --stop PORT, or --stop --all")
    if not chosen:
        console.print("no frame server of yours is running")
        return ExitStatus.DONE
    failed = False
    for address, problem in stop(chosen, _END_S).items():
        console.print(f"{address}: {problem or 'ended; caches are on disk'}")
        failed = failed or bool(problem)
    return ExitStatus.RESOURCES if failed else ExitStatus.DONE


def _address(name: str) -> str:
    """http://127.0.0.1:PORT of a port; an address as it is."""
    if name.isascii() and name.isdigit():
        name = f"http://127.0.0.1:{name}"
    try:
        host, port = split_address(name)
    except ServerUnavailable:
        raise SettingsError(f"--stop is {name!r}; it is a port from 1 to 65535, or an address such as http://127.0.0.1:8000") from None
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
