"""What somebody covers at a frame, as polygons in pixels of an eye: for frames in which no network sees them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from vr180_ofx.arrays import FloatArray
from vr180_ofx.errors import PlanError

#: Polygons, each (x, y, x, y, ...) in pixels of one eye; in one within another they are not.
Outline = tuple[tuple[float, ...], ...]
#: Where entries come from that were carried along the picture's motion.
CARRIED = "carried"
#: The same in the other eye, and brought from there by the disparity, since this eye lost them, or did not agree and was less sure.
ACROSS = "carried_across"
#: How sure an outline is that was made from a few points that a person set (0..1): that they are there, and not how far.
BY_POINTS = 0.5
#: More than a border that is followed pixel by pixel has in any picture that is looked at.
_MOST_POLYGONS, _MOST_NUMBERS = 1000, 100_000
_Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]
OutlineRows = Annotated[list[Annotated[list[_Number], Field(min_length=6, max_length=_MOST_NUMBERS)]], Field(max_length=_MOST_POLYGONS)]
OUTLINE_IS = "it is a list of polygons, each [x, y, x, y, x, y, ...] in pixels of one eye"


def is_carried(source: object) -> bool:
    """Whether what somebody covers was carried there, in this eye or the other, and nobody looked at it."""
    return source in (CARRIED, ACROSS)


def outline_of(rows: Sequence[Sequence[float]], where: str) -> Outline:
    """What a plan's file says. where: what it is called in messages. Raises PlanError."""
    for k, row in enumerate(rows):
        if len(row) % 2:
            raise PlanError(f"{where}[{k}] has {len(row)} numbers; {OUTLINE_IS}, so they are pairs")
    return tuple(tuple(float(v) for v in row) for row in rows)


def outline_to_data(outline: Outline) -> list[list[float]]:
    """As a plan's file has it: tenths of a pixel are finer than anybody is carried."""
    return [[round(v, 1) for v in row] for row in outline]


def outline_from(polygons: Iterable[FloatArray]) -> Outline:
    """polygons: (n, 2) pixels of one eye each."""
    return tuple(tuple(round(float(v), 1) for v in points.reshape(-1)) for points in polygons)


def polygons(outline: Outline) -> list[FloatArray]:
    """(n, 2) pixels of one eye each."""
    return [np.array(row, float).reshape(-1, 2) for row in outline]


def digest(outline: Outline) -> bytes:
    """What names an outline among others."""
    return hashlib.sha256(repr(outline).encode()).digest()[:16]
