"""Sudden changes of the area of a person's matte."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

EVERYBODY = "everybody"

#: The view of what is between the eyes.
BOTH = "both"


@dataclass(frozen=True, slots=True)
class JumpParameters:
    """When somebody's size changes suddenly.

    least_side: people smaller than a square of this share of the eye's width are not judged. neighbours: frames on each side that a frame
    is compared with. limit: a change above this factor, less 1, is worth a look. Source: above everything that the exact mattes of two
    clips show, and below a person who is cut in half for a frame (docs/guide/quality.md).
    """

    least_side: float = 0.02
    neighbours: int = 2
    limit: float = 0.35


JUMPS = JumpParameters()


@dataclass(slots=True)
class Row:
    """One person in one eye, or in both, at one frame.

    frame: its number, from whatever it is counted. area: sum of the alpha, pixels. values: what else was measured, by name.
    """

    frame: int
    view: str
    person: str
    area: float
    values: dict[str, float] = field(default_factory=dict)


def jumps(rows: list[Row], eye_width: int, parameters: JumpParameters = JUMPS) -> list[tuple[Row, float]]:
    """(row, factor against the frames around it, less 1) of somebody's area, where they are large enough to be judged.

    eye_width: pixels.
    """
    p = parameters
    out, least = [], (p.least_side * eye_width) ** 2
    tracks: dict[tuple[str, str], dict[int, Row]] = {}
    for row in rows:
        if row.person != EVERYBODY and row.view != BOTH:
            tracks.setdefault((row.view, row.person), {})[row.frame] = row
    for track in tracks.values():
        for n, row in track.items():
            around = [track[k].area for k in range(n - p.neighbours, n + p.neighbours + 1) if k != n and k in track]
            usual = float(np.median(around)) if len(around) >= p.neighbours else row.area
            if max(usual, row.area) >= least:
                out.append((row, math.exp(abs(math.log(max(row.area, 1.0) / max(usual, 1.0)))) - 1))
    return out
