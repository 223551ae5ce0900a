"""Which clip the picture above a node comes from, which of its frames, and whether it shows one eye or both.

Nuke is asked where it can tell: the metadata of a picture name the file and the frame that it was read from, through holds, loops and
retimes. Where it does not, the Read's knobs are followed as Nuke's manual describes them; what cannot be followed is a ValueError that says
what to do, never a guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import nuke

#: Readers whose knobs are known.
READERS = ("Read",)
#: Nodes whose output at a frame is their input at another one.
RETIMES = frozenset({
    "TimeOffset", "TimeWarp", "TimeClip", "Retime", "FrameHold", "OFlow", "OFlow2", "Kronos", "FrameBlend", "TimeEcho", "TimeBlur",
})  # fmt: skip
#: Nodes whose picture is not that of one clip.
_SEVERAL = frozenset({"JoinViews", "AppendClip", "ContactSheet", "TimeDissolve"})
_NUMBERED = re.compile(r"%0?\d*d|#+")
_IMAGES = (".exr", ".dpx", ".cin", ".tif", ".tiff", ".png", ".jpg", ".jpeg", ".tga", ".hdr", ".sgi", ".bmp")


@dataclass(frozen=True)
class Plate:
    """What is above a node. path: the clip, with the pattern of its numbers. read: its Read, None where only the metadata name it.

    retimed: a node between that shows other frames. several: a node between that shows more than one clip.
    """

    path: str
    read: Any
    retimed: str = ""
    several: str = ""


def text_of(node: Any, name: str) -> str:
    """A file knob's text with `[getenv ...]` and all other expressions evaluated; patterns of numbers and views stay."""
    knob = node.knob(name)
    if knob is None:
        return ""
    text = str(knob.value() or "")
    if "[" in text:
        try:
            text = str(nuke.tcl("subst", text))
        except RuntimeError as error:
            raise ValueError(f"{name} of {node.name()} is {text!r}, which Nuke cannot evaluate: {error}") from None
    return _filtered(text)


def _filtered(name: str) -> str:
    """As the studio's filters of file names have it: farms use them where folders have other names on other machines."""
    nuke_: Any = nuke
    return str(nuke_.filenameFilter(name)) if name else ""


def file_of(read: Any) -> str:
    """The Read's file as Nuke opens it: expressions evaluated, the studio's filters applied; at full size in proxy mode, too."""
    knob = read.knob("proxy")
    if knob is not None and knob.value() and nuke.root().proxy():
        # nuke.filename would name the proxy, which is another clip
        return text_of(read, "file")
    try:
        return _filtered(nuke.filename(read) or "")
    except RuntimeError as error:
        raise ValueError(f"the file of {read.name()} cannot be evaluated: {error}") from None


def plate_above(node: Any, frame: int) -> Plate | None:
    """What the node's input shows. None when there is nothing above that names a file."""
    retimed = several = ""
    at, seen = above(node), 0
    while at is not None and seen < 1000:
        kind = at.Class()
        if kind in READERS:
            return Plate(file_of(at), at, retimed, several)
        retimed = retimed or (at.fullName() if kind in RETIMES else "")
        several = several or (at.fullName() if kind in _SEVERAL else "")
        at, seen = above(at), seen + 1
    name = told(node.input(0), "input/filename", frame)
    return Plate(pattern_of(str(name)), None, retimed, several) if name else None


def above(node: Any) -> Any | None:
    """The node that a node's picture comes from: its first input, through groups, out of groups and through switches."""
    kind = node.Class()
    if kind == "Input":
        group = node.parent()
        number = node.knob("number")
        return group.input(int(number.value()) if number is not None else 0)
    if kind == "Group" and node.knob("vr180_matte") is None:
        return node.output()
    if kind == "Switch":
        return node.input(int(node.knob("which").value()))
    return node.input(0)


def told(node: Any, key: str, frame: int) -> Any:
    """What the metadata of a picture say; None where they do not, or where there is no picture."""
    if node is None:
        return None
    try:
        return node.metadata(key, frame)
    except (RuntimeError, ValueError):
        return None


def pattern_of(name: str) -> str:
    """The pattern of an image sequence by one of its files; other files as they are."""
    if not name.lower().endswith(_IMAGES):
        return name
    return re.sub(r"(\d+)(\.[^.]+)$", lambda m: f"%0{len(m.group(1))}d{m.group(2)}", name)


def at_frame(pattern: str, frame: int) -> str:
    """The file of a frame of the script: ``%04d`` or ``####`` in its name are that frame's number. A name without is one file."""

    def number(match: re.Match[str]) -> str:
        token = match.group()
        return str(frame).zfill(len(token) if token[0] == "#" else int(token[1:-1] or 0))

    folder, slash, name = pattern.replace("\\", "/").rpartition("/")
    return f"{folder}{slash}{_NUMBERED.sub(number, name)}"


def number_in(name: Any, pattern: str) -> int | None:
    """The number that a file of a sequence has in its name; None for files of another one. %V and %v stand for a view."""
    parts = re.split(r"(%0?\d*d|#+|%[vV])", pattern.replace("\\", "/"))
    words = ["(\\d+)" if _NUMBERED.fullmatch(p) else "\\w+" if re.fullmatch("%[vV]", p) else re.escape(p) for p in parts]
    found = re.fullmatch("".join(words), str(name or "").replace("\\", "/"))
    return int(found.group(1)) if found is not None and found.groups() else None


def number_shown(node: Any, plate: Plate, frame: int) -> int | None:
    """The number of the clip's frame that the node's input shows: of the file, or counted from 1 in a video. None: it is black.

    Raises ValueError where that cannot be told.
    """
    if plate.several:
        raise ValueError(f"{plate.several} puts several clips together; name one in Clip, and set First frame")
    read, below = plate.read, node.input(0)
    if read is None:
        number = number_in(told(below, "input/filename", frame), plate.path)
        if number is None:
            number = whole(told(below, "input/frame", frame))
        if number is None:
            raise ValueError("Nuke does not say which frame the input shows; name the file in Clip, and set First frame")
        return number
    known, problem = by_knobs(read, frame)
    at_read, here = _numbers(read, below, plate.path, frame)
    if at_read is None or not (problem or _NUMBERED.search(plate.path) or at_read in (known, _other_way(read, frame))):
        # the metadata are silent, or count otherwise than the Read does: the knobs alone say
        if plate.retimed:
            raise ValueError(f"{plate.retimed} changes the time between {read.name()} and this node; put the node above it")
        if problem:
            raise ValueError(problem)
        return known
    if known is None and not problem:
        return None
    if here is None and plate.retimed:
        raise ValueError(f"{plate.retimed} changes the time between {read.name()} and this node; put the node above it")
    return at_read if here is None else here


def _numbers(read: Any, below: Any, path: str, frame: int) -> tuple[int | None, int | None]:
    """(what the metadata say at the Read, what they say at the node's input)."""
    if _NUMBERED.search(path):
        return tuple(number_in(told(n, "input/filename", frame), path) for n in (read, below))  # type: ignore[return-value]
    name = told(read, "input/filename", frame)
    if name is None or told(below, "input/filename", frame) != name:
        return whole(told(read, "input/frame", frame)), None
    return whole(told(read, "input/frame", frame)), whole(told(below, "input/frame", frame))


def _other_way(read: Any, frame: int) -> int | None:
    """The number if offsets were taken from the frame: public scripts disagree with the manual about it, and Nuke's own word decides."""
    mode, shift = read.knob("frame_mode"), shift_of(read)
    return frame - shift if mode is not None and mode.value() == "offset" and shift is not None else None


def whole(value: Any) -> int | None:
    try:
        return round(float(value))
    except (TypeError, ValueError):
        return None


def shift_of(read: Any) -> int | None:
    """By how much a frame's number is above the frame at which the Read shows it. None: the relation is no shift.

    Nuke's manual: an expression gives the number (frame+499); *start at* is the frame at which the first one is shown; an *offset* is
    added to the frame.
    """
    mode = read.knob("frame_mode")
    text = str(read.knob("frame").value() or "").strip() if read.knob("frame") is not None else ""
    mode_name = str(mode.value()) if mode is not None else "expression"
    if not text or text == "frame":
        return 0
    if mode_name == "expression":
        found = re.fullmatch(r"\(?\s*frame\s*([+-])\s*(\d+)\s*\)?", text)
        return None if found is None else int(found.group(1) + found.group(2))
    number = whole(text)
    if number is None:
        try:
            number = whole(nuke.expression(text))
        except RuntimeError:
            number = None
    if number is None:
        return None
    return int(read.knob("first").value()) - number if mode_name == "start at" else number


def by_knobs(read: Any, frame: int) -> tuple[int | None, str]:
    """(the number of the frame that the Read shows, or None for black; what cannot be followed)."""
    shift = shift_of(read)
    if shift is None:
        return None, (
            f"the frame expression {read.knob('frame').value()!r} of {read.name()} is no shift of the frame; name its file in Clip, and "
            "set First frame"
        )
    first, last = int(read.knob("first").value()), int(read.knob("last").value())
    number, count = frame + shift, last - first + 1
    if first <= number <= last:
        return number, ""
    end = read.knob("before" if number < first else "after")
    how = str(end.value()) if end is not None else "hold"
    if how == "hold":
        return (first if number < first else last), ""
    if how == "loop":
        return first + (number - first) % count, ""
    if how == "bounce":
        step = (number - first) % max(1, 2 * (count - 1))
        return first + (step if step < count else 2 * (count - 1) - step), ""
    return None, ""


def picture_of(plate: tuple[int, int] | None, facts: dict[str, Any], eye: str, *, stereo: bool, exact: bool = True) -> str:
    """What is asked of the server for a plate: left, right, both (an eye for each view of the script) or whole (the clip's frame).

    plate: its width and height, None without a plate. eye: the knob. stereo: the script has the views left and right. exact: False in
    proxy mode, where only the shape counts. Raises ValueError where the plate is neither an eye nor a frame of the clip, or another
    than the knob says.
    """
    if len(facts["views"]) < 2:
        return "whole"
    if plate is None:
        return eye if eye in ("left", "right") else "both" if stereo and eye == "auto" else "whole"

    def fits(size: list[int]) -> bool:
        return list(plate) == list(size) if exact else abs(plate[0] * size[1] / (plate[1] * size[0]) - 1) < 0.02

    is_eye, is_frame = fits(facts["eye_size"]), fits(facts["frame_size"])
    sizes = "{}x{} is one eye, {}x{} both".format(*facts["eye_size"], *facts["frame_size"])
    if not is_eye and not is_frame:
        raise ValueError(f"the input is {plate[0]}x{plate[1]}, and the clip is not ({sizes}); put the node above what changes the size")
    if is_frame:
        if eye in ("left", "right"):
            raise ValueError(f"Eye is {eye}, and the input shows both eyes ({sizes}); set Eye to auto, or crop the input first")
        return "whole"
    if eye in ("left", "right"):
        return eye
    if eye == "auto" and stereo:
        return "both"
    raise ValueError(f"the input shows one eye ({sizes}), and it cannot be told which; set Eye to left or right")
