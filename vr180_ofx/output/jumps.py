"""Sudden changes of the area of a person's matte."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

#: People smaller than this share of the eye's width, squared, are not judged.
LEAST_SIDE = 0.02

_NEIGHBOURS = 2

#: A change above this is worth a look: see the user guide for how it was found.
JUMP_LIMIT = 0.35
EVERYBODY = "everybody"

#: The view of what is between the eyes.
BOTH = "both"


@dataclass(slots=True)
class Row:
    """One person in one eye, or in both, at one frame."""

    frame: int
    view: str
    person: str
    area: float
    values: dict[str, float] = field(default_factory=dict)


def jumps(rows: list[Row], eye_width: int) -> list[tuple[Row, float]]:
    """(row, factor against the frames around it, less 1) of somebody's area, where they are large enough to be judged."""
    out, least = [], (LEAST_SIDE * eye_width) ** 2
    tracks: dict[tuple[str, str], dict[int, Row]] = {}
    for row in rows:
        if row.person != EVERYBODY and row.view != BOTH:
            tracks.setdefault((row.view, row.person), {})[row.frame] = row
    for track in tracks.values():
        for n, row in track.items():
            around = [track[k].area for k in range(n - _NEIGHBOURS, n + _NEIGHBOURS + 1) if k != n and k in track]
            usual = float(np.median(around)) if len(around) >= _NEIGHBOURS else row.area
            if max(usual, row.area) >= least:
                out.append((row, math.exp(abs(math.log(max(row.area, 1.0) / max(usual, 1.0)))) - 1))
    return out
