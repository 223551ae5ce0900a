"""Somebody in a clip, as the plan knows them: values that are never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.people.absence import Range
from vr180_ofx.people.corrections import Corrections
from vr180_ofx.people.curves import Curves
from vr180_ofx.people.doubts import Doubt
from vr180_ofx.people.look import Look
from vr180_ofx.people.outline import Outline
from vr180_ofx.people.paint_file import Paint
from vr180_ofx.vr180.body import Body, Box

#: Where entries come from that only say that somebody stayed: up to where they were told from somebody else.
HELD = "held"


@dataclass(frozen=True, slots=True)
class Entry:
    """A person in one eye at one frame.

    body: where they are on the sphere of the eye, radians. box: (left, top, right, bottom) in the eye's pixels.
    score: 0..1, how sure the networks were. source: found, tracked, edited, held, other_eye where that eye alone saw them, or carried
    along the picture's motion.
    occluders: the numbers of the people who stand before this one and hide a part of them. look: what they look like there, known while
    a clip is analysed and in no file, as is agreed: how far two networks see somebody there, 0..1. outline: what they cover, where no
    network sees them.
    """

    body: Body
    box: Box
    score: float
    source: str = "tracked"
    occluders: tuple[int, ...] = ()
    look: Look | None = field(default=None, compare=False, repr=False)
    agreed: float | None = field(default=None, compare=False, repr=False)
    outline: Outline = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if not (self.box[0] < self.box[2] and self.box[1] < self.box[3]):
            raise ValueError(f"the box {self.box} of an entry is (left, top, right, bottom) with left < right and top < bottom")


@dataclass(frozen=True, repr=False)
class Person:
    """Somebody with one number and one name in the whole clip and in both eyes.

    id: 1..9999. name: what their layers are called. views: view -> frame -> entry. Between entries positions are
    interpolated; where two entries are further apart than `TrajectoryParameters.gap_s`, the person is out of sight.
    exclude: whether no mattes are made of them. shot: the number of their shot, from 0.
    shifts: frame -> how far apart the eyes see them: the interocular distance over their depth along the ground, see
    `epipolar.upright`; empty when nobody measured it.
    edges: what is done to their edges after matting, by the names of `settings.edges.EdgesSettings`.
    absent: view -> ranges of frames in which they are out of sight whatever the entries say, because a person said so: in order, apart from
    each other. doubts: where they may be two people. points: what is theirs and what is not, as a person said. paint: the same
    as pictures.
    """

    id: int
    name: str
    views: Mapping[str, Mapping[int, Entry]]
    _: KW_ONLY
    exclude: bool = False
    shot: int = 0
    shifts: Mapping[int, float] = field(default_factory=dict)
    edges: Curves = field(default_factory=dict)
    points: Corrections = field(default_factory=dict)
    paint: Paint = field(default_factory=dict)
    absent: Mapping[str, tuple[Range, ...]] = field(default_factory=dict)
    doubts: tuple[Doubt, ...] = ()

    def __repr__(self) -> str:
        seen = ", ".join(f"{len(entries)} entries in {view}" for view, entries in self.views.items()) or "nowhere"
        return f"Person({self.id}, {self.name!r}, {seen}{', excluded' if self.exclude else ''})"

    def shift(self, n: int) -> float | None:
        """How far apart the eyes see them at frame ``n``, interpolated; None when it was never measured."""
        if not self.shifts:
            return None
        return float(np.interp(n, *self._shift_curve))

    @cached_property
    def _shift_curve(self) -> tuple[FloatArray, FloatArray]:
        frames = sorted(self.shifts)
        return np.array(frames, float), np.array([self.shifts[k] for k in frames])
