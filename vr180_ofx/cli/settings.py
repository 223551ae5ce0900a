"""vr180-ofx settings."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from typing import Any

from rich.table import Table

from vr180_ofx.cli.common import paper, print_json, settings_from, styled
from vr180_ofx.cli.helping import Examples, flags
from vr180_ofx.errors import SettingsError
from vr180_ofx.node import NODE
from vr180_ofx.settings import Settings, sections
from vr180_ofx.settings.facts import CHANGES, Fact, facts
from vr180_ofx.settings.search import find
from vr180_ofx.wording import short

#: Of what may be meant, how many are explained in full, and how many are named.
_IN_FULL, _NAMED = 2, 6
_HOSTS = {"nuke": "Nuke", "resolve": "Resolve", "ofx": "OpenFX", "blender": "Blender"}

USAGE = "[WORD ...] [options]"
EXAMPLES: Examples = (
    ("all settings, section by section", "vr180-ofx settings"),
    ("one section", "vr180-ofx settings output"),
    ("one setting in full", "vr180-ofx settings output.compression"),
    ("in your own words", "vr180-ofx settings out of memory"),
    ("as another program reads them", "vr180-ofx settings hair --json"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words", nargs="*", metavar="WORD", help="a key, a section, or what you are after in your own words; default: all settings"
    )
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")
    group = parser.add_argument_group("whose values are shown", "default: what counts when nothing is set")
    group.add_argument("--config", metavar="F", help="settings in YAML or TOML")
    group.add_argument("--set", metavar="K=V", action="append", default=[], dest="overrides", help="one setting on top; may be repeated")


def run(arguments: argparse.Namespace) -> int:
    values = settings_from(arguments)
    said_by = flags(arguments.program)
    query = " ".join(arguments.words).strip()
    chosen, exact = chosen_by(query)
    if not chosen:
        raise SettingsError(f"no setting is meant by {short(query)}; name a section ({', '.join(sections())}), or use other words")
    if arguments.json:
        print_json([described(f, values, said_by) for f in chosen])
        return 0
    if not query or query in sections():
        for name in dict.fromkeys(f.section for f in chosen):
            _show_section(name, [f for f in chosen if f.section == name], values)
        return 0
    full = chosen if exact else chosen[:_IN_FULL]
    for fact in full:
        _show(described(fact, values, said_by))
    rest = chosen[len(full) :]
    if rest:
        paper.print(styled("perhaps also:", "bold"))
        _print_rows(rest, values, key=lambda f: f.name)
    return 0


def chosen_by(query: str) -> tuple[list[Fact], bool]:
    """The settings that ``query`` means, the likeliest first, and whether it names them; all where it is empty."""
    known = facts()
    if not query:
        return list(known), True
    query = query.removeprefix("--set ").partition("=")[0].strip()
    named = [f for f in known if query in (f.name, f.section)] or [f for f in known if query == f.key]
    if named:
        return named, True
    by_name = {f.name: f for f in known}
    return [by_name[name] for name in find(query, sections(), _NAMED)], False


def described(fact: Fact, values: Settings, said_by: Mapping[str, list[str]]) -> dict[str, Any]:
    """All that is known of a setting: what ``--json`` prints. said_by: flags by settings."""
    value = values.model_dump(mode="json")[fact.section][fact.key]
    return {
        "key": fact.name, "about": fact.about, "value": value, "default": fact.default, "allowed": fact.allowed.replace("`", ""),
        "changes": CHANGES[fact.pixels] if fact.effect else "nothing: it has no effect in this version", "pixels": fact.pixels,
        "over_http": fact.http, "flags": said_by.get(fact.name, []), "knobs": knobs(fact.name),
    }  # fmt: skip


def knobs(name: str) -> list[str]:
    """The knobs that stand for a setting, with the hosts that show them: "Compression (Nuke, Blender)"."""
    return [
        f"{p.label} ({', '.join(title for host, title in _HOSTS.items() if host not in p.absent)})"
        for p in NODE.parameters if p.setting == name
    ]  # fmt: skip


def _show(row: dict[str, Any]) -> None:
    paper.print(styled(row["key"], "bold"))
    paper.print(f"  {row['about']}")
    default = "" if row["value"] == row["default"] else f"  (default: {_said(row['default'])})"
    lines = {
        "value": f"{_said(row['value'])}{default or ', the default'}",
        "allowed": row["allowed"],
        "changes": row["changes"],
        "flag": "; ".join(row["flags"]) or f"--set {row['key']}={_said(row['value'] if row['value'] is not None else '...')}",
        "in hosts": "; ".join(row["knobs"]),
    }
    for title, text in lines.items():
        if text:
            paper.print(f"  {title:<9} {text}")


def _show_section(name: str, of: list[Fact], values: Settings) -> None:
    paper.print(styled(name, "bold"), (sections()[name].__doc__ or "").strip().partition("\n")[0])
    _print_rows(of, values, key=lambda f: f.key)


def _print_rows(of: Iterable[Fact], values: Settings, *, key: Any) -> None:
    data = values.model_dump(mode="json")
    table = Table(box=None, show_header=False, padding=(0, 2))
    for name in ("key", "value", "about"):
        table.add_column(name, no_wrap=name == "key")
    for f in of:
        value = data[f.section][f.key]
        shown = styled(_said(value), "" if value == f.default else "bold yellow")
        table.add_row(key(f), shown, f.about if f.effect else styled(f.about, "dim"))
    paper.print(table)


def _said(value: Any) -> str:
    """As it is written behind ``--set key=``."""
    return value if isinstance(value, str) else "nothing" if value is None else json.dumps(value)
