"""A person's way through one eye, at every frame, from the frames in which they were looked at. Pure functions of entries."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.people.absence import holds, shots_without
from vr180_ofx.people.outline import Outline
from vr180_ofx.people.parameters import TrajectoryParameters
from vr180_ofx.people.person import Entry
from vr180_ofx.vr180.body import Body, Box

#: (first, last) frame, both included.
Shot = tuple[int, int]


@dataclass(frozen=True, slots=True, repr=False)
class Track:
    """A person's way through one eye: what the windows are made from.

    first: the first frame. bodies, boxes, scores: frame -> where they are (radians; pixels of the eye) and how sure that is,
    0..1, for every frame in which they are there. occluders: frame -> the numbers of those who stand before them, where
    there are any. anchors: frames where the person comes into sight, or where somebody corrected the plan: to be believed
    over what a tracker remembers. outlines: frame -> what they cover there, where no network sees them.
    """

    first: int
    bodies: Mapping[int, Body]
    boxes: Mapping[int, Box]
    scores: Mapping[int, float]
    occluders: Mapping[int, tuple[int, ...]]
    anchors: frozenset[int]
    outlines: Mapping[int, Outline] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Track({len(self.bodies)} frames from {self.first})"

    def has(self, n: int) -> bool:
        """Whether the person is there at frame ``n``."""
        return n in self.bodies


def shot_of(shots: Sequence[Shot], n: int) -> Shot:
    """The shot that holds frame ``n``; the first or last one of ``shots``, which are in order, for frames outside."""
    return shots[max(0, bisect_right(shots, n, key=lambda s: s[0]) - 1)]


def make_track(
    entries: Mapping[int, Entry], shots: Sequence[Shot], fps: float, parameters: TrajectoryParameters, *, absent: Sequence[Shot] = ()
) -> Track:  # fmt: skip
    """Interpolates between entries and smooths; boxes and scores are interpolated alone. entries: frame -> entry. absent: ranges in which
    the person is not there, whatever the entries say; they end what is bridged as cuts do.
    """
    if absent:
        shots = shots_without(shots, absent)
        entries = {n: e for n, e in entries.items() if not holds(absent, n)}
    bodies: dict[int, Body] = {}
    boxes: dict[int, Box] = {}
    scores: dict[int, float] = {}
    occluders: dict[int, tuple[int, ...]] = {}
    anchors = {n for n, e in entries.items() if e.source == "edited"}
    for run in runs(sorted(entries), shots, max(1.0, parameters.gap_s * fps)):
        first, last = _held(run, shot_of(shots, run[0]), max(1, round(fps / parameters.looks_per_s)))
        anchors.add(first)
        numbers = np.arange(first, last + 1)
        known = np.array(run)
        values = np.array([_numbers(entries[n]) for n in run])
        values[:, [0, 3]] = np.unwrap(values[:, [0, 3]], axis=0)
        dense = np.stack([np.interp(numbers, known, column) for column in values.T], axis=1)
        smooth = dense.copy()
        smooth[:, :4] = gaussian(dense[:, :4], parameters.smoothing_s * fps)
        # the entry before or the one after, whichever is nearer: searched for, because runs of long clips have many entries
        after = np.searchsorted(known, numbers).clip(1 if len(run) > 1 else 0, len(run) - 1)
        before = np.maximum(after - 1, 0)
        nearest = known[np.where(np.abs(known[before] - numbers) <= np.abs(known[after] - numbers), before, after)]
        for n, row, at in zip(numbers.tolist(), smooth, nearest.tolist(), strict=True):
            bodies[n] = Body(math.remainder(row[0], math.tau), float(row[1]), float(np.exp(row[2])), math.remainder(row[3], math.tau))
            boxes[n] = (float(row[4]), float(row[5]), float(row[6]), float(row[7]))
            scores[n] = float(row[8])
            if entries[at].occluders:
                occluders[n] = entries[at].occluders
    outlines = {n: e.outline for n, e in entries.items() if e.outline}
    return Track(min(bodies, default=0), bodies, boxes, scores, occluders, frozenset(anchors), outlines)


def runs(frames: Sequence[int], shots: Sequence[Shot], gap: float) -> list[list[int]]:
    """Frames, in order, split where the next one is more than ``gap`` frames later, or in another shot."""
    found: list[list[int]] = []
    for n in frames:
        if found and n - found[-1][-1] <= gap and shot_of(shots, n) == shot_of(shots, found[-1][-1]):
            found[-1].append(n)
        else:
            found.append([n])
    return found


def _held(run: Sequence[int], shot: Shot, alone: int) -> Shot:
    """Entries are sampled: near the shot's ends, the first and last one hold up to the end. alone: how far a single one does."""
    hold = max((b - a for a, b in pairwise(run)), default=alone)
    first = shot[0] if run[0] - shot[0] <= hold else run[0]
    last = shot[1] if shot[1] - run[-1] <= hold else run[-1]
    return first, last


def _numbers(e: Entry) -> list[float]:
    b = e.body
    return [b.longitude, b.latitude, math.log(b.reach), b.roll, *e.box, e.score]


def gaussian(values: FloatArray, sigma: float) -> FloatArray:
    """Smooths (n, k) along the first axis; the ends are mirrored about themselves, so that steady motion stays unchanged.

    sigma: in rows; 0 changes nothing.
    """
    radius = min(math.ceil(3 * sigma), max(0, values.shape[0] - 1))
    if radius < 1 or sigma <= 0:
        return values
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    before = 2 * values[:1] - values[1 : radius + 1][::-1]
    after = 2 * values[-1:] - values[-radius - 1 : -1][::-1]
    padded = np.concatenate([before, values, after])
    return np.stack([np.convolve(padded[:, k], kernel, "valid") for k in range(values.shape[1])], axis=1)
