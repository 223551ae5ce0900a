"""Writes what is made from the node's definition: python nodes/generate.py

For whoever works on a checkout; the program itself does not need it.
"""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

from vr180_ofx.node import NODE, Parameter

ROOT = Path(__file__).resolve().parents[1]
_MADE = "made by python nodes/generate.py; do not edit"


def files() -> dict[Path, str]:
    """What there should be in a checkout: path -> text."""
    return {
        ROOT / "nodes" / "node.json": node_json(),
        ROOT / "host_bridges" / "ofx" / "src" / "parameters.h": ofx_header(),
        ROOT / "host_bridges" / "nuke" / "VR180Matte.nk": nuke_group(),
        ROOT / "sample_scripts" / "nuke_vr180_matte.nk": nuke_script(),
        ROOT / "docs" / "guide" / "node.md": page(),
    }


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


#: The numbers by which Nuke's scripts name kinds of knobs.
_NK_KINDS = {"text": 1, "file": 2, "folder": 2, "int": 3, "choice": 4, "bool": 6, "float": 7, "message": 26}
#: Handles in Nuke's viewer that say who is meant: on the person, and beside them. One that lies at 0, 0 says nothing.
NUKE_POINTS = (
    ("plus_1", "Plus 1", "On somebody who was not found (the chest is a good place), or on what the person's matte lacks. Drag it."),
    ("plus_2", "Plus 2", "On the same person: the hips are a good place. At 0, 0 it does not count."),
    ("minus", "Minus", "On whoever is not meant, or on what is not the person's. At 0, 0 it does not count."),
)  # fmt: skip
#: A knob of Nuke's: the picture is written there by a RotoPaint and a Write, or by any other program.
NUKE_PAINTED = (
    "The picture in which a matte is painted, as large as one eye's picture: white is the person's, black is not, and what is transparent "
    "stays. %04d or #### is the current frame."
)
#: What Nuke has beside the node's own: the mark by which the bridge knows its groups, the box and the points that are dragged in the
#: viewer, the First frame that the plate gave (another one is the artist's), and how the rendered files lie in time.
NUKE_EXTRAS = (
    "vr180_matte", "box_view", "box", "show_box", "followed_first", "rendered_as",
    *(n for n, _, _ in NUKE_POINTS), "add_by_points", "correct_by_points", "forget_points",
    "painted", "correct_by_paint", "forget_paint",
)  # fmt: skip


def _nk(text: str) -> str:
    """A word of Tcl. Everything that Tcl would look into is escaped."""
    if text and all(c.isalnum() or c in "._-/%+" for c in text):
        return text
    return '"' + "".join("\\" + c if c in '\\"[]{}$' else c for c in text) + '"'


def _nk_button(name: str, label: str, text: str) -> str:
    code = f"import vr180_nuke; vr180_nuke.press(nuke.thisNode(), '{name}')"
    return f" addUserKnob {{22 {name} l {_nk(label)} t {_nk(text)} T {_nk(code)} +STARTLINE}}"


def _nk_knobs() -> list[str]:
    parameters, actions = NODE.of("nuke")
    out, values = [], []
    for group, label in NODE.groups:
        out.append(f" addUserKnob {{20 {group} l {_nk(label)}}}")
        for p in parameters:
            if p.group != group:
                continue
            words = f"{_NK_KINDS[p.kind]} {p.name} l {_nk(p.label)} t {_nk(p.help)}"
            if p.kind == "message":
                out.append(f" addUserKnob {{{words} T {_nk(' ')}}}")
                continue
            if p.choices:
                words += f" M {{{' '.join(_nk(c) for c in p.choices)}}}"
            if p.kind == "float" and p.minimum is not None and p.maximum is not None:
                words += f" R {p.minimum:g} {p.maximum:g}"
            out.append(f" addUserKnob {{{words}{' +STARTLINE' if p.kind == 'bool' else ''}}}")
            if p.default != "":
                value = str(p.default).lower() if p.kind == "bool" else str(p.default)
                values.append(f" {p.name} {_nk(value)}")
        if group == "people":
            out += [
                f" addUserKnob {{4 box_view l {_nk('Eye of the box')} t {_nk('In which eye the box is.')} M {{left right main}}}}",
                f" addUserKnob {{15 box l Box t {_nk('The person at the current frame; drag it in the viewer.')}}}",
                _nk_button("show_box", "Show box", "Put the box where the person is now."),
                *(f" addUserKnob {{12 {name} l {_nk(title)} t {_nk(text)}}}" for name, title, text in NUKE_POINTS),
                _nk_button("add_by_points", "Add by points", "Add the person on whom the points lie at the current frame."),
                _nk_button(
                    "correct_by_points",
                    "Correct by points",
                    "What is the chosen person's at the current frame, and what is not; carried to the frames beside it.",
                ),
                _nk_button("forget_points", "Forget points", "Take the points of the chosen person away that corrected their matte."),
                f" addUserKnob {{2 painted l Painted t {_nk(NUKE_PAINTED)}}}",
                _nk_button(
                    "correct_by_paint",
                    "Correct by paint",
                    "The chosen person's matte at the current frame, in the eye of the box, is as painted; carried to the frames beside.",
                ),
                _nk_button("forget_paint", "Forget paint", "Take the painted mattes of the chosen person away; the pictures stay."),
            ]
        out += [_nk_button(a.name, a.label, a.help) for a in actions if a.group == group]
    hidden = [
        " addUserKnob {6 vr180_matte +INVISIBLE}", " addUserKnob {3 followed_first +INVISIBLE}", " addUserKnob {1 rendered_as +INVISIBLE}",
    ]  # fmt: skip
    first = NODE.parameter("first_frame").default
    return [*out, *hidden, " vr180_matte true", f" followed_first {first}", *values]


def _nk_inside() -> list[str]:
    """matte -> layer -> what the mask forces -> invert, and its alpha into that of the input.

    Of two inputs the one that was put on the stack last is B, and the one before it A.
    """
    mask = ["  inputs 2", "  Achannels alpha", "  Bchannels alpha", "  output alpha"]
    return [
        # the group's second input: without one it is black, and forces nothing
        " Input {", "  inputs 0", "  name Mask", "  number 1", " }",
        # as an alpha that is one: B * (1 - a), and a + B - a * B
        " Clamp {", "  channels alpha", "  name Covered", " }",
        "set Mask1 [stack 0]", "push $Mask1",
        " Read {", "  inputs 0", "  file_type exr", "  on_error black", "  raw true", "  before black", "  after black",
        "  name Matte", " }",
        " Shuffle {", "  in rgba", "  name Layer", " }",
        " Merge2 {", *mask, "  operation stencil", "  name Remove", '  disable {{"parent.mask_mode != 0"}}', " }",
        " Merge2 {", *mask, "  operation screen", "  name Keep", '  disable {{"parent.mask_mode != 1"}}', " }",
        " Invert {", "  channels alpha", "  name Invert", '  disable {{"!parent.invert"}}', " }",
        " Input {", "  inputs 0", "  name Source", " }",
        " Merge2 {", "  inputs 2", "  operation copy", "  Achannels alpha", "  Bchannels alpha", "  output alpha", "  mix {{parent.mix}}",
        "  name Combine", " }",
        " Output {", "  name Output1", " }",
    ]  # fmt: skip


def nuke_group() -> str:
    """The node as Nuke pastes it."""
    head = ["Group {", " name VR180Matte1", " tile_color 0x4a7d9cff", f" help {_nk(NODE.help)}"]
    return "\n".join([*head, *_nk_knobs(), "}", *_nk_inside(), "end_group", ""])


def nuke_script() -> str:
    """A script to begin with: a stereo plate, the node, and EXR files with both views."""
    views = "{left #ff0000}\n{right #00ff00}"
    return "\n".join([
        "#! Nuke -nx", "version 14.0 v5",
        "Root {", " inputs 0", " first_frame 1", " last_frame 48", " lock_range true",
        " views {" + views + "}", " fps 30", "}",
        "Read {", " inputs 0", " file_type mov", " file plate.mp4", " first 1", " last 48", " name Plate", "}",
        nuke_group().rstrip("\n"),
        "Write {", " file out/plate.%04d.exr", " file_type exr", " channels rgba", " views {left right}", " name Write1", "}", "",
    ])  # fmt: skip


_HOSTS = {"nuke": "Nuke", "resolve": "Resolve and Fusion", "ofx": "OpenFX", "blender": "Blender"}


def _prose(text: str) -> str:
    """Paragraphs in lines of at most 100 characters."""
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False)


_ABOUT = f"{NODE.help} Every host shows the same node; hosts that have their own way for something leave it out, and their page says so."
HEAD = f"""# The node

{_prose(_ABOUT)}

This page is made from the definition: `python nodes/generate.py`.
"""
_SURE = (
    "The layer `confidence.A` is 0..1 per pixel: how far the mask is from the boundary between in and out, times how sure the tracker is "
    "that the person is there, times the agreement with the other eye. 1 where nobody is near."
)
_CONFIDENCE = f"\n## Confidence\n\n{_prose(_SURE)}"


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
    if not (ROOT / "pyproject.toml").exists():
        raise SystemExit(f"{ROOT} is no checkout of vr180-ofx; the files are written there alone")
    for path, text in files().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
