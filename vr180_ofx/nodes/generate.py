"""Writes what is made from the node's definition: python -m vr180_ofx.nodes.generate"""

from __future__ import annotations

import json
from pathlib import Path

from vr180_ofx.nodes.definition import NODE, Parameter

PACKAGE = Path(__file__).resolve().parents[1]
ROOT = PACKAGE.parent
_MADE = "made by python -m vr180_ofx.nodes.generate; do not edit"


def files() -> dict[Path, str]:
    """What there should be: path -> text. The page of the documentation only where there is a checkout."""
    out = {
        PACKAGE / "nodes" / "node.json": node_json(),
        PACKAGE / "host_bridges" / "ofx" / "src" / "parameters.h": ofx_header(),
    }
    if (ROOT / "docs" / "guide").is_dir():
        out[ROOT / "docs" / "guide" / "node.md"] = page()
    return out


def node_json() -> str:
    """For bridges in Python, which read it when they run."""
    return json.dumps(NODE.to_data(), indent=1) + "\n"


def _c(text: str) -> str:
    return json.dumps(text, ensure_ascii=True)


_C_KINDS = {"bool": "K_BOOL", "int": "K_INT", "float": "K_FLOAT", "choice": "K_CHOICE", "text": "K_TEXT", "file": "K_FILE",
            "folder": "K_FOLDER", "message": "K_MESSAGE"}  # fmt: skip


def ofx_header() -> str:
    """Tables for the OpenFX plug-in."""
    lines = [f"/* {_MADE} */", "#ifndef VR180_PARAMETERS_H", "#define VR180_PARAMETERS_H", "", '#include "node.h"', ""]
    lines += [f"#define NODE_LABEL {_c(NODE.label)}", f"#define NODE_HELP {_c(NODE.help)}", ""]
    parameters, actions = NODE.of("ofx")
    for p in parameters:
        if p.choices:
            lines.append(f"static const char *const choices_{p.name}[] = {{{', '.join(_c(c) for c in p.choices)}, 0}};")
    lines += ["", "static const Group node_groups[] = {"]
    lines += [f"    {{{_c(name)}, {_c(label)}}}," for name, label in NODE.groups]
    lines += ["};", "", "static const Parameter node_parameters[] = {"]
    for p in parameters:
        lines.append(f"    {{{_c(p.name)}, {_c(p.label)}, {_C_KINDS[p.kind]}, {_c(p.group)}, {_c(p.help)},")
        lines.append(f"     {_c(p.setting or '')}, {_number(p)}, {_text(p)}, {_limits(p)}, {_choices(p)}, {int(p.animatable)}}},")
    lines += ["};", "", "static const Action node_actions[] = {"]
    lines += [f"    {{{_c(a.name)}, {_c(a.label)}, {_c(a.group)}, {_c(a.help)}}}," for a in actions]
    lines += ["};", "", "#endif", ""]
    return "\n".join(lines)


def _number(p: Parameter) -> str:
    if p.kind == "choice":
        return f"{p.choices.index(str(p.default))}.0"
    return repr(float(p.default)) if p.kind in ("bool", "int", "float") else "0.0"


def _text(p: Parameter) -> str:
    return _c(str(p.default)) if p.kind in ("text", "file", "folder", "message", "choice") else '""'


def _limits(p: Parameter) -> str:
    low = -1e9 if p.minimum is None else p.minimum
    high = 1e9 if p.maximum is None else p.maximum
    return f"{float(low)!r}, {float(high)!r}"


def _choices(p: Parameter) -> str:
    return f"choices_{p.name}" if p.choices else "0"


_HOSTS = {"nuke": "Nuke", "resolve": "Resolve and Fusion", "ofx": "OpenFX", "blender": "Blender"}
HEAD = f"""# The node

{NODE.help} Every host shows the same node; hosts that have their own way for something leave it out, and their page says so.

This page is made from the definition: `python -m vr180_ofx.nodes.generate`.
"""


_CONFIDENCE = """
## Confidence

The layer `confidence.A` is 0..1 per pixel: how far the mask is from the boundary between in and out, times how sure the tracker is
that the person is there, times the agreement with the other eye. 1 where nobody is near."""


def page() -> str:
    """The reference for people."""
    parts = [HEAD]
    for name, label in NODE.groups:
        parts.append(f"\n## {label}\n\n| | default | allowed | |\n|---|---|---|---|")
        for p in NODE.parameters:
            if p.group == name:
                notes = [p.help]
                if p.setting:
                    notes.append(f"(`{p.setting}`)")
                if p.animatable:
                    notes.append("Can be animated.")
                if p.absent:
                    notes.append(f"Not in: {', '.join(_HOSTS[h] for h in p.absent)}.")
                parts.append(f"| {p.label} `{p.name}` | {_shown(p)} | {_allowed(p)} | {' '.join(notes)} |")
        for a in NODE.actions:
            if a.group == name:
                absent = f" Not in: {', '.join(_HOSTS[h] for h in a.absent)}." if a.absent else ""
                parts.append(f"| **{a.label}** `{a.name}` | | a button | {a.help}{absent} |")
    parts.append("\n## Inputs and outputs\n\n| | | |\n|---|---|---|")
    for kind, ports in (("input", NODE.inputs), ("output", NODE.outputs)):
        parts += [f"| {p.label} | {kind}, {p.channels}{', optional' if p.optional else ''} | {p.help} |" for p in ports]
    parts.append(_CONFIDENCE)
    return "\n".join(parts) + "\n"


def _shown(p: Parameter) -> str:
    if p.kind == "message":
        return ""
    if p.kind == "bool":
        return "on" if p.default else "off"
    return f"`{p.default}`" if p.default != "" else "empty"


def _allowed(p: Parameter) -> str:
    if p.choices:
        return ", ".join(f"`{c}`" for c in p.choices)
    words = {
        "bool": "on, off", "int": "whole number", "float": "number", "text": "text", "file": "a file", "folder": "a folder",
        "message": "shown",
    }  # fmt: skip
    if p.kind in ("int", "float") and p.minimum is not None and p.maximum is not None:
        return f"{words[p.kind]} from {p.minimum:g} to {p.maximum:g}"
    return words[p.kind]


def main() -> None:
    """Writes what has changed."""
    for path, text in files().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
