"""Points that say what is somebody's and what is not, at a frame of an eye: what a plan's file says of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field

from vr180_ofx.errors import PlanError
from vr180_ofx.people.by_frame import by_frame
from vr180_ofx.people.validation import Part, checked

#: (x, y) in pixels of one eye.
Point = tuple[float, float]
#: More at one frame are no longer pointed out by hand: then a matte is painted.
MOST_POINTS = 200
#: Points nearer than that, in pixels, one plus and one minus, contradict each other.
LEAST_APART_PX = 2.0


@dataclass(frozen=True, slots=True)
class PointsAt:
    """plus: on the person, minus: where they are not. At least one of either."""

    plus: tuple[Point, ...] = ()
    minus: tuple[Point, ...] = ()


NO_POINTS = PointsAt()

#: Frames to either side as far as points are carried at most. Each frame is carried to by itself, so that frames are the same in any order:
#: so many frames are decoded and compared for the last one, which bounds what it costs.
POINTS_REACH = 12
#: View -> frame -> points.
Corrections = Mapping[str, Mapping[int, PointsAt]]

_Number = Annotated[float, Field(allow_inf_nan=False)]
_IT_IS = f"it is a list of [x, y] in pixels of one eye, at most {MOST_POINTS}"


class _Row(Part):
    model_config = ConfigDict(frozen=True, extra="forbid")
    what: ClassVar[str] = "it has plus and minus, lists of [x, y] in pixels of one eye"

    plus: list[tuple[_Number, _Number]] = Field([], max_length=MOST_POINTS, description=_IT_IS)
    minus: list[tuple[_Number, _Number]] = Field([], max_length=MOST_POINTS, description=_IT_IS)


def corrections_of(data: Any, *, views: Sequence[str], frames: int, size: tuple[int, int], where: str) -> Corrections:
    """What a plan's file says. size: of one eye's picture. where: what it is called in messages. Raises PlanError."""

    def read(row: Any, place: str) -> PointsAt:
        said = checked(_Row, row, f"{place}.")
        return points_at(said.plus, said.minus, size, place)

    return by_frame(data, read, views=views, frames=frames, where=where, what="with plus and minus")


def points_at(plus: Sequence[Point], minus: Sequence[Point], size: tuple[int, int], place: str) -> PointsAt:
    """Points that can be meant. Raises PlanError for none, for those outside of the picture, and for those that contradict each other."""
    if not plus and not minus:
        raise PlanError(f"{place} has no points; it has plus, or minus, or both")
    for x, y in (*plus, *minus):
        if not (0 <= x < size[0] and 0 <= y < size[1]):
            raise PlanError(f"{place} has the point {x:g},{y:g}, outside of the eye's picture of {size[0]}x{size[1]}")
    for a in plus:
        for b in minus:
            if math.dist(a, b) < LEAST_APART_PX:
                raise PlanError(
                    f"{place} has {a[0]:g},{a[1]:g} as plus and {b[0]:g},{b[1]:g} as minus, which is the same place; take one away"
                )
    return PointsAt(tuple((float(x), float(y)) for x, y in plus), tuple((float(x), float(y)) for x, y in minus))


def corrections_to_data(corrections: Corrections) -> dict[str, Any]:
    """As a plan's file has it."""
    return {
        view: {
            str(n): {k: [list(p) for p in own] for k, own in (("plus", rows[n].plus), ("minus", rows[n].minus)) if own}
            for n in sorted(rows)
        }
        for view, rows in corrections.items()
        if rows
    }
