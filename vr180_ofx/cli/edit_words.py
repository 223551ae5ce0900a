"""Corrections of a plan in words, as `vr180-ofx edit` takes them, to operations of `people.edit`."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vr180_ofx.cli.edit_parsers import BOX, operation_parsers
from vr180_ofx.errors import PlanError
from vr180_ofx.frame_ranges import frame_ranges
from vr180_ofx.media.pattern import file_of, numbers_of
from vr180_ofx.vr180.layout import LEFT, RIGHT
from vr180_ofx.wording import short

#: What stands between two operations.
THEN = "then"


@dataclass(frozen=True, slots=True)
class Words:
    """One operation: the words that somebody wrote, and the edits of `people.edit.apply_edits` that they stand for."""

    text: str
    edits: tuple[dict[str, Any], ...]


def parse_words(words: Sequence[str], first_number: int, views: Sequence[str]) -> list[Words]:
    """The operations that ``words`` say, split where ``then`` stands.

    first_number: what people call frame 0. views: the eyes of the clip. Raises PlanError that says which word is wrong and what is allowed.
    """
    parsers = operation_parsers()
    made = []
    for part in _split(words):
        name = part[0]
        if name not in parsers:
            near = difflib.get_close_matches(name, list(parsers), 1)
            meant = f" (did you mean {near[0]}?)" if near else ""
            raise PlanError(f"{short(name)} is no operation{meant}; allowed are {', '.join(parsers)}, with '{THEN}' between two of them")
        arguments = parsers[name].parse_args(_flagged(part[1:]) if name in ("point", "unpoint", "paint", "unpaint") else part[1:])
        made.append(Words(" ".join(part), tuple(_EDITS[name](arguments, _Reader(first_number, tuple(views))))))
    return made


def _split(words: Sequence[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for word in words:
        if word == THEN:
            parts.append([])
        else:
            parts[-1].append(word)
    if any(not part for part in parts):
        raise PlanError(f"'{THEN}' stands between two operations, for instance: exclude person02 {THEN} rename person01 anna")
    return parts


def _flagged(words: Sequence[str]) -> list[str]:
    """``+1,2``, ``-1,2`` and ``@12`` with the names of their flags."""
    flags = (("--plus=", r"\+([0-9.]+,[0-9.]+)"), ("--minus=", r"-([0-9.]+,[0-9.]+)"), ("--at=", r"(@.*)"))
    out = []
    for word in words:
        found = [flag + m.group(1) for flag, pattern in flags if (m := re.fullmatch(pattern, word)) is not None]
        out.append(found[0] if found else word)
    return out


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads words. first_number: what people call frame 0. views: the eyes of the clip."""

    first_number: int
    views: tuple[str, ...]

    def who(self, word: str) -> int | str:
        """A number or a name; names begin with a letter."""
        return int(word) if word.isascii() and word.isdigit() and len(word) <= 9 else word

    def frame(self, word: str) -> int:
        if not (word.isascii() and word.isdigit() and len(word) <= 9):
            raise PlanError(f"the frame is {short(word)}; it is a number, from {self.first_number} on")
        return int(word) - self.first_number

    def ranges(self, word: str) -> list[tuple[int | None, int | None]]:
        found = frame_ranges(word, "the frames")
        if found is None:
            return [(None, None)]
        out: list[tuple[int | None, int | None]] = []
        for first, last, step in found:
            if not isinstance(first, int) or not isinstance(last, int) or step != 1:
                raise PlanError(f"the frames are {short(word)}; they are ranges of numbers, such as 20-35,40")
            out.append((first - self.first_number, last - self.first_number))
        return out

    def eye(self, word: str | None) -> dict[str, str]:
        if word is None:
            return {}
        if word not in self.views:
            raise PlanError(f"the eye is {short(word)}; this clip has {', '.join(self.views)}")
        return {"view": word}

    def place(self, word: str, count: int, what: str) -> tuple[list[float], dict[str, Any]]:
        """``1,2,3,4@FRAME:EYE``: the numbers, so many of them, and view and frame."""
        numbers, at, where = word.partition("@")
        frame, _, eye = where.partition(":")
        try:
            values = [float(v) for v in numbers.split(",")]
        except ValueError:
            values = []
        if len(values) != count or not at:
            raise PlanError(f"{what} is {short(word)}; it is {BOX if count == 4 else 'x,y@FRAME[:EYE]'}")
        return values, {"frame": self.frame(frame)} | (self.eye(eye) or {"view": self.views[0]} if eye else {"view": self.views[0]})

    def shape(self, word: str) -> tuple[str, int, list[list[float]]]:
        """``x,y x,y x,y@FRAME:EYE``: the eye, the frame, the points."""
        numbers, at, where = word.rpartition("@")
        frame, _, eye = where.partition(":")
        try:
            points = [[float(v) for v in pair.split(",")] for pair in numbers.split()]
        except ValueError:
            points = []
        if not at or len(points) < 3 or any(len(p) != 2 for p in points):
            raise PlanError(f"the shape is {short(word)}; it is 'x,y x,y x,y ...@FRAME[:EYE]' in quotes, with at least 3 points")
        view = self.eye(eye or self.views[0])["view"]
        return view, self.frame(frame), points

    def points(self, words: Sequence[str], what: str) -> tuple[list[list[float]], dict[str, Any]]:
        """``x,y@FRAME:EYE``, at least one, all in one frame of one eye: the points, and view and frame."""
        read = [self.place(word, 2, what) for word in words]
        if any(where != read[0][1] for _, where in read):
            raise PlanError("all points of one person are in one frame of one eye")
        return [values for values, _ in read], read[0][1]


def _matte_edits(kind: str) -> Callable[[argparse.Namespace, _Reader], list[dict[str, Any]]]:
    def edits(a: argparse.Namespace, read: _Reader) -> list[dict[str, Any]]:
        if a.image is None and not a.shapes and a.name is None:
            raise PlanError("there is neither a shape nor --image; a matte has one of both, or --name names one that is there")
        if a.image is None and (a.channel is not None or a.first is not None):
            raise PlanError("--channel and --first are of pictures, which --image names")
        facts: dict[str, Any] = {key: getattr(a, key) for key in ("name", "feather", "invert", "carry", "metres")}
        if a.person is not None:
            facts["person"] = read.who(a.person)
        if a.frames is not None:
            ranges = read.ranges(a.frames)
            facts["frames"] = [] if ranges == [(None, None)] else [list(r) for r in ranges]
        if a.image is not None:
            image = {"path": _pattern(a.image), "channel": a.channel, "first": a.first}
            facts["image"] = {k: v for k, v in image.items() if v is not None}
        said = {"op": "matte", "kind": kind} | {k: v for k, v in facts.items() if v is not None}
        shapes = [read.shape(word) for word in a.shapes]
        if not shapes:
            return [said]
        if a.name is not None:
            # beside the keyframes that there are
            return [said | {"view": view, "frame": frame, "points": points} for view, frame, points in shapes]
        views = dict.fromkeys(view for view, _, _ in shapes)
        keys = {view: sorted([frame, points] for own, frame, points in shapes if own == view) for view in views}
        return [said | {"shapes": keys}]

    return edits


def _pattern(word: str) -> str:
    """The absolute path of pictures. Raises PlanError when there are none."""
    path = Path(word).absolute()
    for view in (LEFT, RIGHT):
        try:
            if numbers_of(path, view) or file_of(path, 0, view).is_file():
                return str(path)
        except OSError:
            continue
    raise PlanError(f"--image is {short(word)}; there is no such file, and none fits it as a pattern")


def _unmatte_edits(a: argparse.Namespace, read: _Reader) -> list[dict[str, Any]]:
    return [{"op": "unmatte", "name": name} for name in a.names]


def _edge_edits(a: argparse.Namespace, read: _Reader) -> list[dict[str, Any]]:
    values: dict[str, Any] = {}
    for word in a.values:
        name, is_said, said = word.partition("=")
        text, at, frame = said.partition("@")
        if not is_said or not text:
            raise PlanError(f"{short(word)} is no control with a value; it is NAME=VALUE or NAME=VALUE@FRAME, for instance size=-1.5")
        keyed = isinstance(values.get(name), list)
        if (name in values and not (keyed and at)) or (at and text == "none"):
            raise PlanError(f"{short(word)}: a control has one value, or one at each of several frames; {name}=none takes all of it back")
        value = _edge_value(text)
        values[name] = [*values.get(name, []), [read.frame(frame), value]] if at else value
    said_of = {} if a.who == "all" else {"person": read.who(a.who)}
    return [{"op": "edges", "values": values} | said_of]


def _edge_value(word: str) -> float | bool | str | None:
    """As a plan's file has it: a number, true or false, or a word; None is the word for nothing."""
    known: dict[str, bool | None] = {"none": None, "true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}
    if word.lower() in known:
        return known[word.lower()]
    try:
        return float(word)
    except ValueError:
        return word


def _split_edits(a: argparse.Namespace, read: _Reader) -> list[dict[str, Any]]:
    return [{"op": "split", "person": read.who(a.who), "frame": read.frame(a.at), "name": a.name}]


def _merge_edits(a: argparse.Namespace, read: _Reader) -> list[dict[str, Any]]:
    return [{"op": "merge", "person": read.who(a.who), "into": read.who(a.into)}]


def _rename_edits(a: argparse.Namespace, read: _Reader) -> list[dict[str, Any]]:
    return [{"op": "rename", "person": read.who(a.who), "name": a.name}]


def _exclude_edits(a: argparse.Namespace, read: _Reader, *, exclude: bool = True) -> list[dict[str, Any]]:
    return [{"op": "exclude", "person": read.who(who), "exclude": exclude} for who in a.who]


def _include_edits(a: argparse.Namespace, read: _Reader) -> list[dict[str, Any]]:
    return _exclude_edits(a, read, exclude=False)


def _absent_edits(a: argparse.Namespace, read: _Reader, *, absent: bool = True) -> list[dict[str, Any]]:
    facts = {"op": "absent", "person": read.who(a.who), "absent": absent} | read.eye(a.eye)
    return [facts | {"first": first, "last": last} for first, last in read.ranges(a.frames)]


def _present_edits(a: argparse.Namespace, read: _Reader) -> list[dict[str, Any]]:
    return _absent_edits(a, read, absent=False)


def _move_edits(a: argparse.Namespace, read: _Reader) -> list[dict[str, Any]]:
    made = []
    for word in a.box:
        box, where = read.place(word, 4, "--box")
        made.append({"op": "move", "person": read.who(a.who), "box": box} | where)
    return made


def _add_edits(a: argparse.Namespace, read: _Reader) -> list[dict[str, Any]]:
    more: dict[str, Any] = {} if a.seconds is None else {"seconds": a.seconds}
    if a.into is not None:
        more["into"] = read.who(a.into)
    if (a.box is None) == (a.point is None):
        raise PlanError("add takes --point x,y@FRAME[:EYE], once or more often, or --box: one of the two")
    if a.box is not None:
        where: dict[str, Any]
        shape, where = read.place(a.box, 4, "--box")
        more["box"] = shape
        if a.minus:
            raise PlanError("add takes --minus beside --point; a box needs none")
    else:
        on, where = read.points(a.point, "--point")
        beside, elsewhere = read.points(a.minus, "--minus") if a.minus else ([], where)
        if elsewhere != where:
            raise PlanError("all points of one person are in one frame of one eye")
        more |= {"points": on, "minus": beside}
    return [{"op": "add", "name": a.name, "follow": not a.no_follow, "carry": not a.no_carry} | where | more]


def _confirm_edits(a: argparse.Namespace, read: _Reader) -> list[dict[str, Any]]:
    return [{"op": "confirm", "person": read.who(who)} for who in a.who]


def _carry_edits(a: argparse.Namespace, read: _Reader) -> list[dict[str, Any]]:
    ranges = [(None, None)] if a.frames is None else read.ranges(a.frames)
    return [{"op": "carry", "person": read.who(a.who), "first": first, "last": last} for first, last in ranges]


def _point_edits(a: argparse.Namespace, read: _Reader) -> list[dict[str, Any]]:
    at = a.at if a.at.startswith("@") else f"@{a.at}"
    plus, minus = ([read.place(word.lstrip("+-") + at, 2, "a point") for word in words] for words in (a.plus, a.minus))
    if not plus and not minus:
        raise PlanError("point takes +x,y or -x,y, at least one, and @FRAME[:EYE], for instance: point person01 +812,402 -760,415 @12:left")
    where = (plus or minus)[0][1]
    return [{"op": "point", "person": read.who(a.who), "plus": [p for p, _ in plus], "minus": [p for p, _ in minus]} | where]


def _paint_edits(a: argparse.Namespace, read: _Reader) -> list[dict[str, Any]]:
    frame, _, eye = a.at.removeprefix("@").partition(":")
    where = {"frame": read.frame(frame)} | read.eye(eye or read.views[0])
    return [{"op": "paint", "person": read.who(a.who), "file": str(Path(a.file).absolute())} | where]


def _unpaint_edits(a: argparse.Namespace, read: _Reader) -> list[dict[str, Any]]:
    return [{**edit, "op": "unpaint"} for edit in _unpoint_edits(a, read)]


def _unpoint_edits(a: argparse.Namespace, read: _Reader) -> list[dict[str, Any]]:
    where: dict[str, Any] = {}
    if a.at is not None:
        frame, _, eye = a.at.removeprefix("@").partition(":")
        where = {"frame": read.frame(frame)} | (read.eye(eye) if eye else {})
    return [{"op": "unpoint", "person": read.who(a.who)} | where]


def _remove_edits(a: argparse.Namespace, read: _Reader) -> list[dict[str, Any]]:
    ranges = [(None, None)] if a.frames is None else read.ranges(a.frames)
    return [{"op": "remove", "person": read.who(a.who), "first": first, "last": last} for first, last in ranges]


_EDITS: dict[str, Callable[[argparse.Namespace, _Reader], list[dict[str, Any]]]] = {
    "split": _split_edits, "merge": _merge_edits, "rename": _rename_edits, "exclude": _exclude_edits, "include": _include_edits,
    "absent": _absent_edits, "present": _present_edits, "move": _move_edits, "add": _add_edits, "confirm": _confirm_edits,
    "carry": _carry_edits, "remove": _remove_edits,
    "point": _point_edits, "unpoint": _unpoint_edits, "paint": _paint_edits, "unpaint": _unpaint_edits,
    "garbage": _matte_edits("garbage"), "holdout": _matte_edits("holdout"), "hand-over": _matte_edits("hand_over"),
    "unmatte": _unmatte_edits, "edges": _edge_edits,
}  # fmt: skip
