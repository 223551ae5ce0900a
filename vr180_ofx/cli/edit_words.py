"""Corrections of a plan in words, as `vr180-ofx edit` takes them, to operations of `people.edit`."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from vr180_ofx.errors import PlanError
from vr180_ofx.frame_ranges import frame_ranges
from vr180_ofx.media.pattern import file_of, numbers_of
from vr180_ofx.vr180.layout import LEFT, RIGHT
from vr180_ofx.wording import printable, short

#: What stands between two operations.
THEN = "then"
_WHO = "a person's name or number"
_POINT = "x,y@FRAME[:EYE], in pixels of one eye"
_BOX = "left,top,right,bottom@FRAME[:EYE], in pixels of one eye; EYE is left (the default), right or main"


@dataclass(frozen=True, slots=True)
class Words:
    """One operation: the words that somebody wrote, and the edits of `people.edit.apply_edits` that they stand for."""

    text: str
    edits: tuple[dict[str, Any], ...]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise PlanError(f"{self.prog.split()[-1]}: {printable(message)}. {self.format_usage().strip()}")


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


def operation_parsers() -> dict[str, argparse.ArgumentParser]:
    """A parser for each operation, in the order in which help shows them."""
    parsers: dict[str, argparse.ArgumentParser] = {}

    def add(name: str, text: str) -> argparse.ArgumentParser:
        parser = _Parser(prog=f"vr180-ofx edit PLAN {name}", description=text, allow_abbrev=False)
        parsers[name] = parser
        return parser

    def at(p: argparse.ArgumentParser, *, required: bool) -> None:
        otherwise = "" if required else " (default: everywhere)"
        p.add_argument("--at", metavar="@FRAME[:EYE]", required=required, help=f"also without the flag's name: @12:left{otherwise}")

    p = add("split", "One person who is two: from a frame on they are somebody else.")
    p.add_argument("who", metavar="WHO", help=_WHO)
    p.add_argument("--at", metavar="FRAME", required=True, help="the first frame of the other one")
    p.add_argument("--name", metavar="NAME", help="what the other one is called")
    p = add("merge", "Two people who are one.")
    p.add_argument("who", metavar="WHO", help=f"{_WHO}, who is no more")
    p.add_argument("--into", metavar="WHO", required=True, help="who has their frames then; where both have a box, this one's counts")
    p = add("rename", "Another name for a person, and for their layers.")
    p.add_argument("who", metavar="WHO", help=_WHO)
    p.add_argument("name", metavar="NAME", help="a letter first, then letters, digits and _")
    p = add("exclude", "No mattes of these people; they are kept in the plan.")
    p.add_argument("who", metavar="WHO", nargs="+", help=_WHO)
    p = add("include", "Mattes of these people again.")
    p.add_argument("who", metavar="WHO", nargs="+", help=_WHO)
    p = add("absent", "Out of sight in these frames: no matte is made of them there, and nothing is bridged.")
    p.add_argument("who", metavar="WHO", help=_WHO)
    p.add_argument("frames", metavar="FRAMES", help="ranges such as 20-35,60")
    p.add_argument("--eye", metavar="EYE", help="in this eye alone: left or right")
    p = add("present", "Takes 'absent' back: there again, wherever they were found.")
    p.add_argument("who", metavar="WHO", help=_WHO)
    p.add_argument("frames", metavar="FRAMES", nargs="?", default="all", help="ranges such as 20-35,60 (default: all)")
    p.add_argument("--eye", metavar="EYE", help="in this eye alone: left or right")
    p = add("move", "A person's box in a frame, put right.")
    p.add_argument("who", metavar="WHO", help=_WHO)
    p.add_argument("--box", metavar="BOX", required=True, action="append", help=f"{_BOX}; may be repeated")
    p = add("add", "Somebody who was not found, pointed out in one frame; they are followed from there.")
    p.add_argument("--point", metavar="POINT", action="append", help=f"{_POINT}, on them; may be repeated")
    p.add_argument("--minus", metavar="POINT", action="append", default=[], help="the same, where they are not; may be repeated")
    p.add_argument("--box", metavar="BOX", help=f"instead of points: {_BOX}")
    p.add_argument("--name", metavar="NAME", help="what they are called")
    p.add_argument("--into", metavar="WHO", help="they are somebody in the plan who is missing in that frame")
    p.add_argument("--seconds", metavar="S", type=float, help="how far they are followed, before and after (default: 30)")
    p.add_argument("--no-follow", action="store_true", help="the one frame alone")
    p = add("confirm", "Somebody who may be two people is one: no more warnings.")
    p.add_argument("who", metavar="WHO", nargs="+", help=_WHO)
    p = add("point", "What is somebody's (+x,y) and what is not (-x,y), at a frame; frames beside it follow as far as it fits there.")
    p.add_argument("who", metavar="WHO", help=_WHO)
    p.add_argument("--plus", metavar="+X,Y", action="append", default=[], help="pixels of one eye; also without the flag's name: +812,402")
    p.add_argument("--minus", metavar="-X,Y", action="append", default=[], help="the same; also -760,415")
    at(p, required=True)
    p = add("unpoint", "Takes such points away: all of somebody, or those of a frame.")
    p.add_argument("who", metavar="WHO", help=_WHO)
    at(p, required=False)
    p = add("paint", "A painted matte of somebody at a frame: white is theirs, black is not, transparent stays as it was.")
    p.add_argument("who", metavar="WHO", help=_WHO)
    p.add_argument("file", metavar="FILE", help="a grey picture, as large as one eye's or half of it")
    at(p, required=True)
    p = add("unpaint", "Takes painted mattes away: all of somebody, or that of a frame. Files stay.")
    p.add_argument("who", metavar="WHO", help=_WHO)
    at(p, required=False)
    p = add("remove", "A person, for good, or a part of their time.")
    p.add_argument("who", metavar="WHO", help=_WHO)
    p.add_argument("--frames", metavar="FRAMES", help="these frames alone, as ranges such as 20-35,60")
    shape = "'x,y x,y x,y ...@FRAME[:EYE]', in pixels of one eye; several are keyframes, between which points move"
    for name, text, whose in (
        ("garbage", "Inside of a shape, or of pictures, nobody is there.", "of this person alone (default: of everybody)"),
        ("holdout", "Inside of a shape, or of pictures, it is all of one person's.", "whose"),
        ("hand-over", "What others have inside of a shape, or of pictures, is one person's.", "whose"),
    ):
        p = add(name, f"{text} Drawn in one eye, it takes effect in the other one, too.")
        p.add_argument("shapes", metavar="SHAPE", nargs="*", help=shape)
        p.add_argument("--person", metavar="WHO", help=f"{whose}: {_WHO}")
        p.add_argument("--name", metavar="NAME", help="of the matte: a new one, or the one to be changed (default: a new one)")
        p.add_argument(
            "--image", metavar="PATTERN", help="a picture instead of a shape, or a sequence as NAME.%%04d.exr, with %%V for the eye"
        )
        p.add_argument("--channel", metavar="NAME", help="of the pictures (default: alpha)")
        p.add_argument("--first", metavar="N", type=int, help="number of the file of the clip's first frame")
        p.add_argument("--frames", metavar="FRAMES", help="only in these frames, ranges such as 20-35,60")
        p.add_argument("--feather", metavar="PX", type=float, help="pixels over which its edge is soft")
        p.add_argument("--invert", action=argparse.BooleanOptionalAction, default=None, help="outside instead of inside")
        p.add_argument("--carry", action=argparse.BooleanOptionalAction, default=None, help="into the other eye (default: yes)")
        p.add_argument(
            "--metres", metavar="M", type=float, help="how far away that is which lies under it, for carrying it without looking"
        )
    p = add("unmatte", "Takes garbage, holdout and hand-over mattes back.")
    p.add_argument("names", metavar="NAME", nargs="+", help="names of mattes")
    return parsers


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
            raise PlanError(f"{what} is {short(word)}; it is {_BOX if count == 4 else 'x,y@FRAME[:EYE]'}")
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
    return [{"op": "add", "name": a.name, "follow": not a.no_follow} | where | more]


def _confirm_edits(a: argparse.Namespace, read: _Reader) -> list[dict[str, Any]]:
    return [{"op": "confirm", "person": read.who(who)} for who in a.who]


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
    "remove": _remove_edits,
    "point": _point_edits, "unpoint": _unpoint_edits, "paint": _paint_edits, "unpaint": _unpaint_edits,
    "garbage": _matte_edits("garbage"), "holdout": _matte_edits("holdout"), "hand-over": _matte_edits("hand_over"),
    "unmatte": _unmatte_edits,
}  # fmt: skip
