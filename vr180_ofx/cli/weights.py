"""vr180-ofx weights."""

from __future__ import annotations

import argparse

from rich.table import Table

from vr180_ofx.cli.common import console, paper, print_json, progress_bar
from vr180_ofx.cli.helping import Examples
from vr180_ofx.errors import WeightsError
from vr180_ofx.storage import weights_folder
from vr180_ofx.weights.catalogue import CATALOGUE
from vr180_ofx.weights.store import entry, path_of, pull, verify

USAGE = "list|pull|verify [NAME ...]"
EXAMPLES: Examples = (
    ("what is known, and what is here", "vr180-ofx weights list"),
    ("softer edges and hair (GPL-3.0)", "vr180-ofx weights pull rvm_mobilenetv3"),
    ("whether what is here is whole", "vr180-ofx weights verify"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="list|pull|verify", required=True)
    show = actions.add_parser("list", help="what is known, and what is here")
    show.add_argument("--json", action="store_true")
    fetch = actions.add_parser("pull", help="fetch weights")
    fetch.add_argument("names", nargs="*", metavar="NAME", help="default: all that the set-up needs")
    fetch.add_argument("--force", action="store_true", help="fetch again what is here")
    check = actions.add_parser("verify", help="check what is here against its hashes")
    check.add_argument("names", nargs="*", metavar="NAME")
    check.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    if arguments.action == "list":
        return _list(as_json=arguments.json)
    if arguments.action == "pull":
        names = arguments.names or [e.name for e in CATALOGUE.values() if e.needed]
        for name in names:
            entry(name)
        for name in names:
            with progress_bar(name) as update:
                console.print(f"{name}: {pull(name, update, force=arguments.force)}")
        return 0
    return _verify(arguments.names, as_json=arguments.json)


def _list(*, as_json: bool) -> int:
    rows = [
        {
            "name": e.name, "purpose": e.purpose, "licence": e.licence, "bytes": e.size, "sha256": e.sha256,
            "source": e.source.describe(), "path": str(path_of(e.name)), "state": verify(e.name) or "ok",
        }
        for e in CATALOGUE.values()
    ]  # fmt: skip
    if as_json:
        print_json({"folder": str(weights_folder()), "weights": rows})
        return 0
    table = Table("name", "for", "MB", "licence", "state", "from", title=str(weights_folder()))
    for row in rows:
        table.add_row(
            str(row["name"]),
            str(row["purpose"]),
            f"{int(str(row['bytes'])) / 1e6:.1f}" if row["bytes"] else "?",
            str(row["licence"]),
            str(row["state"]),
            str(row["source"]),
        )
    paper.print(table)
    return 0


def _verify(names: list[str], *, as_json: bool) -> int:
    chosen = names or [e.name for e in CATALOGUE.values() if e.needed]
    states = {name: verify(name) or "ok" for name in chosen}
    if as_json:
        print_json(states)
    else:
        for name, state in states.items():
            console.print(f"{name}: {state}")
    bad = [name for name, state in states.items() if state != "ok"]
    if bad:
        raise WeightsError(f"not all weights are whole: {', '.join(bad)}; run: vr180-ofx weights pull {' '.join(bad)}")
    return 0
