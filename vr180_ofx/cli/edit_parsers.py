"""The operations of `vr180-ofx edit`: a parser for each, which is its help, too."""

from __future__ import annotations

import argparse
from typing import NoReturn

from vr180_ofx.errors import PlanError
from vr180_ofx.settings.edges import EdgesSettings
from vr180_ofx.wording import printable

_WHO = "a person's name or number"
_POINT = "x,y@FRAME[:EYE], in pixels of one eye"
BOX = "left,top,right,bottom@FRAME[:EYE], in pixels of one eye; EYE is left (the default), right or main"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise PlanError(f"{self.prog.split()[-1]}: {printable(message)}. {self.format_usage().strip()}")


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
    p.add_argument("--box", metavar="BOX", required=True, action="append", help=f"{BOX}; may be repeated")
    p = add("add", "Somebody who was not found, pointed out in one frame; they are followed from there.")
    p.add_argument("--point", metavar="POINT", action="append", help=f"{_POINT}, on them; may be repeated")
    p.add_argument("--minus", metavar="POINT", action="append", default=[], help="the same, where they are not; may be repeated")
    p.add_argument("--box", metavar="BOX", help=f"instead of points: {BOX}")
    p.add_argument("--name", metavar="NAME", help="what they are called")
    p.add_argument("--into", metavar="WHO", help="they are somebody in the plan who is missing in that frame")
    p.add_argument("--seconds", metavar="S", type=float, help="how far they are followed, before and after (default: 30)")
    p.add_argument("--no-follow", action="store_true", help="the one frame alone")
    p.add_argument("--no-carry", action="store_true", help="not through frames in which they are lost")
    p = add("carry", "Somebody who is lost behind others, through those frames along the picture's motion, as far as it can be told.")
    p.add_argument("who", metavar="WHO", help=_WHO)
    p.add_argument("--frames", metavar="FRAMES", help="within these frames alone, as ranges such as 20-35,60")
    p = add("confirm", "Somebody who may be two people is one, and what was carried is theirs: no more warnings.")
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
    p = add("edges", "What is done to edges after matting; no network runs for it. Only what is said of it changes.")
    p.add_argument("who", metavar="WHO", help=f"{_WHO}, or all: everybody who has nothing of their own")
    p.add_argument(
        "values", metavar="NAME=VALUE", nargs="+",
        help=f"{', '.join(EdgesSettings.model_fields)}; size=-1.5, unit=milliradians; size=2@40 at a frame, between frames values move; "
        "size=none takes it back",
    )  # fmt: skip
    return parsers
