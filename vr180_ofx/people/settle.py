"""Where what a detector says comes to rest: guesses become people, and how many guesses lead to one of them says how sure it is.

A detector that was made for one prominent person says little of people from the side, far away or behind something, and much of what
is nobody; the segmenter, asked again where its own answer points, comes to rest on people and seldom anywhere else. Figures:
docs/decisions/0091.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vr180_ofx.media.contract import EyeImage
from vr180_ofx.people.contract import Candidate
from vr180_ofx.people.observe import Observation, Observer
from vr180_ofx.people.parameters import PLAN, PlanParameters


@dataclass(frozen=True, slots=True)
class Find:
    """Somebody in one eye, to whom guesses of a detector led.

    observation: as they are seen. support: the scores of all guesses that came to rest on them, added up.
    """

    observation: Observation
    support: float

    @property
    def candidate(self) -> Candidate:
        """As a detector would say it: a score is 1 at most."""
        return Candidate(self.observation.body, min(1.0, self.support))


def settled(
    observer: Observer, eye: EyeImage, candidates: Iterable[Candidate], *, run: Callable[..., Iterable[Any]] = map,
    parameters: PlanParameters = PLAN,
) -> list[Find]:  # fmt: skip
    """Everybody to whom ``candidates`` lead, the best seen first; no two of them are one person. run: ``map``, or that of an executor."""
    asked = list(candidates)
    seen = run(lambda c: _at_rest(observer, eye, c, parameters), asked)
    return without_repeats([Find(now, c.score) for c, now in zip(asked, seen, strict=True) if now is not None], parameters)


def _at_rest(observer: Observer, eye: EyeImage, candidate: Candidate, parameters: PlanParameters) -> Observation | None:
    """What is seen when the segmenter's answer is where it looks, or after so many rounds; None: nobody is there."""
    *_, (now, _) = observer.coming_to_rest(eye, candidate.body, parameters=parameters.point_out)
    return now if now is not None and now.presence >= parameters.same.presence else None


def without_repeats(found: Sequence[Find], parameters: PlanParameters = PLAN) -> list[Find]:
    """One find for each person, the best seen; the others are theirs, and support them."""
    if not found:
        return []
    same = parameters.same
    flat = np.array([f.observation.mask.ravel() for f in found], np.float32)
    areas = flat.sum(axis=1)
    common = flat @ flat.T
    iou = common / np.maximum(areas[:, None] + areas - common, 1)
    one = (iou > same.same_iou) | (common / areas > same.contained) | (common / areas[:, None] > same.contained)
    made, left = [], np.ones(len(found), bool)
    for i in sorted(range(len(found)), key=lambda i: -quality(found[i].observation)):
        if left[i]:
            members = np.flatnonzero(left & one[i])
            made.append(Find(found[i].observation, float(sum(found[int(j)].support for j in members))))
            left[members] = False
    return made


def quality(found: Observation) -> float:
    """How well somebody is seen, 0..1: how sure the segmenter is, times how upright the body is, from 1 to 0 upside down.

    The segmenter turns pictures by what it takes for the way from the hips to the head, and where it takes that the wrong way round it is
    sure all the same, with half a mask; people stand, sit and bend far more often than they stand on their hands.
    """
    return found.presence * (1 + math.cos(found.body.roll)) / 2
