"""vr180-ofx status."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from rich.table import Column, Table

from vr180_ofx.cli.common import console, print_json, styled
from vr180_ofx.cli.helping import Examples

if TYPE_CHECKING:
    from vr180_ofx.service.records import Known


USAGE = "[options]"
EXAMPLES: Examples = (
    ("what runs, and what it is doing", "vr180-ofx status"),
    ("the same for scripts", "vr180-ofx status --json"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")


def run(arguments: argparse.Namespace) -> int:
    from vr180_ofx.service.records import known_servers

    servers = known_servers()
    if arguments.json:
        print_json({"servers": [_row(s) for s in servers]})
        return 0
    live = [s for s in servers if s.facts is not None]
    if live:
        console.print(_table(live))
    for s in live:
        assert s.facts is not None
        console.print(f"{s.record.address}: token file {s.record.token_file}")
        for clip in s.facts["clips"]:
            console.print(f"  {clip['path']}: {clip['state']}")
        for job in s.facts["jobs"]:
            console.print(f"  {job['kind']}: {job['state']}, {job['done']} of {job['total'] or '?'} frames")
    for s in servers:
        if s.facts is None:
            console.print(styled(said_of(s), "yellow"))
    if not servers:
        console.print("no frame server of yours is running; start one with: vr180-ofx serve")
    elif live:
        console.print("end one with: vr180-ofx serve --stop PORT")
    return 0


def said_of(known: Known) -> str:
    """What is to be said of a server that did not answer as one of this version does."""
    record = known.record
    if known.state == "gone":
        return f"{record.address}: was killed (process {record.pid}); its record is removed"
    if known.state == "old":
        return (
            f"{record.address}: runs (process {record.pid}, version {record.version}), and is too old to say more; end it by Ctrl+C or kill"
        )
    if known.state == "elsewhere":
        return f"{record.address}: {known.why}; ask there"
    return f"{record.address}: process {record.pid} does not answer: {known.why}"


def _row(known: Known) -> dict[str, Any]:
    record = known.record
    said = {} if known.facts is None else known.facts
    return {
        "address": record.address, "state": known.state, "pid": record.pid, "version": record.version, "token_file": record.token_file,
        **{k: v for k, v in said.items() if k not in ("pid", "version")}, **({"why": known.why} if known.why else {}),
    }  # fmt: skip


def _table(servers: list[Known]) -> Table:
    # what is copied from here stays in one piece, however narrow the terminal
    whole = [Column(name, no_wrap=True) for name in ("address", "pid")]
    table = Table(*whole, "version", "up", "idle", "ends", "clips", "jobs", "memory", title="frame servers")
    for s in servers:
        f = s.facts or {}
        ends = "never by itself" if f["idle_exit_s"] is None else f"after {_span(f['idle_exit_s'])} idle"
        memory = f"{f['resident_bytes'] / 1e9:.1f} GB" if f["resident_bytes"] else "?"
        table.add_row(
            s.record.address, str(f["pid"]), f["version"], _span(f["uptime_s"]), _span(f["idle_s"]), ends,
            str(len(f["clips"])), str(len(f["jobs"])), memory,
        )  # fmt: skip
    return table


def _span(seconds: float) -> str:
    minutes = int(seconds) // 60
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
