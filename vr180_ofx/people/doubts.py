"""Where it is not sure that somebody is one person: what the analysis could not decide, and what to tell people of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from vr180_ofx.frame_ranges import ranges_text
from vr180_ofx.people.validation import Part


@dataclass(frozen=True, slots=True)
class Doubt:
    """Somebody who may be two people.

    frame: the first one of the other, 0-based. why: "looks", since from then on they look like somebody else; "eyes", since from then on
    the eyes show people who look different.
    """

    frame: int
    why: Literal["looks", "eyes"] = "looks"

    def told_of(self, name: str, first_number: int, plan: str | None = None) -> str:
        """In words, with what to do. name: of the person. first_number: what frame 0 is called. plan: the file that would be edited; None
        where there is none.
        """
        number = self.frame + first_number
        edit = f"vr180-ofx edit {plan} " if plan is not None else ""
        if self.why == "eyes":
            return (
                f"{name} may be another person in the right eye than in the left one from frame {number} on; if so: "
                f"{edit}remove {name}, and add both; if not: confirm {name}"
            )
        return f"{name} may be two people from frame {number} on: {edit}split {name} --at {number}; if it is one: confirm {name}"


class DoubtRow(Part):
    """A doubt in a plan's file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    what: ClassVar[str] = "a doubt is an object with frame, and why"

    frame: Annotated[int, Field(strict=True, ge=0, le=1_000_000_000)] = Field(description="it is the number of a frame, from 0")
    why: Literal["looks", "eyes"] = Field("looks", description="it is looks or eyes")


def between(doubts: Iterable[Doubt], first: int, last: int) -> tuple[Doubt, ...]:
    """Those that are about the frames ``first`` to ``last``: one that begins later, or at the first frame, leaves them whole."""
    return tuple(d for d in doubts if d.frame <= last and (d.frame > first or d.why == "eyes"))


def told_of_carried(name: str, view: str, scores: Mapping[int, float], plan: str | None, *, across: Iterable[int] = ()) -> str:
    """That somebody was carried. scores: number of a frame -> how sure that is there, 0..1. plan: for the commands that settle it; None:
    without them. across: those in which they are as in the other eye.
    """
    sure = max(scores.values()), min(scores.values())
    said = (
        f"{name} is carried along the picture's motion in frames {ranges_text(sorted(scores))} of the {view} eye, where the network does "
        f"not see them (sureness {sure[0]:.2f} to {sure[1]:.2f}): look at these frames"
    )
    other = sorted(across)
    if other:
        said += f"; in {ranges_text(other)} as in the other eye, since this one lost them or did not agree"
    if plan is None:
        return said
    return (
        f"{said}; where it is wrong: vr180-ofx edit {plan} absent {name} FRAMES --eye {view}, or add --point x,y@FRAME:{view} "
        f"--into {name}; when it is right: confirm {name}"
    )


def told_of_points(name: str, view: str, numbers: Iterable[int], plan: str | None) -> str:
    """That what somebody covers was made of points alone. For the arguments see above."""
    said = (
        f"{name} is in frames {ranges_text(sorted(numbers))} of the {view} eye by points alone: what looks like the places marked, as "
        "the network sees nobody there; look at these frames"
    )
    if plan is None:
        return said
    return (
        f"{said}; where it is wrong, point again: vr180-ofx edit {plan} add --point x,y@FRAME:{view} --into {name}; when it is right: "
        f"confirm {name}"
    )
