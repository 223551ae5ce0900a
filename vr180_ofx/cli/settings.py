"""vr180-ofx settings."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from typing import Any

from rich.table import Table

from vr180_ofx.cli.common import paper, print_json, settings_from, styled
from vr180_ofx.cli.edit_parsers import operation_parsers
from vr180_ofx.cli.helping import Examples, commands_of, flags, standing_for
from vr180_ofx.errors import SettingsError
from vr180_ofx.node import NODE
from vr180_ofx.settings import Settings, sections
from vr180_ofx.settings.facts import CHANGES, Fact, facts
from vr180_ofx.settings.search import Entry, Index, entries
from vr180_ofx.wording import short

#: Of what may be meant, how many are explained in full, and how many are named.
_IN_FULL, _NAMED, _COMMANDS = 2, 6, 4
#: Of settings, commands and flags together.
_FOUND = 12
#: Flags that many commands have, and that nobody looks for.
_EVERYWHERE = ("--help", "--verbose", "--json", "--config", "--set")
#: What people say when they want a command, or an operation on a plan, as `settings.words` has it for settings.
_WORDS_OF = {
    "render": "make mattes, key, matte a clip, batch, many clips, resume, go on",
    "inspect": "info, metadata, probe, look at, check files, damaged, what is it",
    "analyse": "who is in it, find people, detect, contact sheet, boxes",
    "edit": "correct, wrong person, fix tracking, plan",
    "estimate": "how long will it take, how long, how big, how much memory, time left, cost of a render, benchmark",
    "matte": "rvm, everybody at once, flat clips, no people, whole frame, 2d",
    "evaluate": "quality, score, metrics, how good, compare, ground truth, iou",
    "serve": "server, http, daemon, background",
    "status": "servers that run, is a server running, jobs",
    "install": "plugin, plug in, nuke, resolve, fusion, blender, ofx, gizmo, add on, uninstall",
    "weights": "download, models, download models, checkpoints",
    "train": "training, learn, fine tune, own network, own weights, data set, export to onnx, epochs, learning rate",
    "doctor": "does it work, installation, diagnose, versions, problem",
    "demo": "example, try it, sample clip",
    "edit PLAN exclude": "exclude somebody, leave somebody out, remove a person, ignore, no matte of somebody",
    "edit PLAN include": "take back, include again",
    "edit PLAN split": "one person is two, two people in one, identity switch, swapped identity",
    "edit PLAN merge": "two people are one, same person twice, duplicate",
    "edit PLAN rename": "name a person, call, layer name",
    "edit PLAN add": "somebody is missing, missed somebody, not found, add a person",
    "edit PLAN absent": "leaves the frame, out of sight, not there",
    "edit PLAN undo": "undo, revert, go back",
}
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
    chosen = named(query)
    exact = bool(chosen)
    others: list[Entry] = []
    first = ""
    if not exact:
        chosen, others, first = meant(query, arguments.program)
    if not chosen and not others:
        raise SettingsError(f"no setting is meant by {short(query)}; name a section ({', '.join(sections())}), or use other words")
    if arguments.json:
        print_json([described(f, values, said_by) for f in chosen])
        return 0
    if not query or query in sections():
        for name in dict.fromkeys(f.section for f in chosen):
            _show_section(name, [f for f in chosen if f.section == name], values)
        return 0
    # what is meant most comes first
    if others and others[0].name == first:
        _print_others(others)
        others, full = [], []
    else:
        full = chosen if exact else chosen[:_IN_FULL]
    for fact in full:
        _show(described(fact, values, said_by))
    rest = chosen[len(full) :]
    if rest:
        paper.print(styled("perhaps also:", "bold"))
        _print_rows(rest, values, key=lambda f: f.name)
    if others:
        _print_others(others)
    return 0


def _print_others(others: Iterable[Entry]) -> None:
    paper.print(styled("commands and flags:", "bold"))
    table = _columns()
    for entry in others:
        table.add_row(entry.name, entry.text)
    paper.print(table)


def named(query: str) -> list[Fact]:
    """The settings that ``query`` names, by key or section; all where it is empty; none where it says something else."""
    known = facts()
    query = query.removeprefix("--set ").partition("=")[0].strip()
    return [f for f in known if query in ("", f.name, f.section)] or [f for f in known if query == f.key]


def meant(query: str, program: argparse.ArgumentParser) -> tuple[list[Fact], list[Entry], str]:
    """What ``query`` means, the likeliest first: settings, the commands and flags that stand for none, and the first of both."""
    elsewhere = {e.name: e for e in not_settings(program)}
    found = [f.name for f in Index([*entries(sections()), *elsewhere.values()]).find(query, _FOUND)]
    by_name = {f.name: f for f in facts()}
    settings = [by_name[name] for name in found if name in by_name][:_NAMED]
    return settings, [elsewhere[name] for name in found if name in elsewhere][:_COMMANDS], found[0] if found else ""


def not_settings(program: argparse.ArgumentParser) -> list[Entry]:
    """What else can be meant: commands, the operations on plans, and flags that stand for no setting."""
    out = [
        Entry(f"vr180-ofx edit PLAN {name}", words=_words(f"edit PLAN {name}"), text=p.description or "")
        for name, p in operation_parsers().items()
    ]
    for command, parser in commands_of(program).items():
        about = (parser.description or "").rstrip(".")
        out.append(Entry(f"vr180-ofx {command}", words=_words(command), text=about))
        own = dict.fromkeys(flag for _, flag in standing_for(parser))
        for action in parser._actions:
            flag = next((o for o in action.option_strings if o.startswith("--")), "")
            if flag and flag not in own and flag not in _EVERYWHERE:
                out.append(Entry(f"vr180-ofx {command} {flag}", text=(action.help or "").replace("%%", "%")))
    return out


def _words(name: str) -> tuple[str, ...]:
    return tuple(w.strip() for w in _WORDS_OF.get(name, "").split(",") if w)


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
    table = _columns()
    for f in of:
        value = data[f.section][f.key]
        shown = styled(_said(value), "" if value == f.default else "bold yellow")
        table.add_row(key(f), shown, f.about if f.effect else styled(f.about, "dim"))
    paper.print(table)


def _columns() -> Table:
    """Rows without lines, the first column in one piece."""
    table = Table(box=None, show_header=False, padding=(0, 2))
    table.add_column(no_wrap=True)
    return table


def _said(value: Any) -> str:
    """As it is written behind ``--set key=``."""
    return value if isinstance(value, str) else "nothing" if value is None else json.dumps(value)
