"""Somebody in a shot, and what may be believed of them: what is one person, what is two, and what is nobody."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from vr180_ofx.arrays import BoolArray
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.people.follow import Sighting
from vr180_ofx.people.masks import contained, mask_iou
from vr180_ofx.people.person import Entry
from vr180_ofx.stereo.distance import Match
from vr180_ofx.vr180.body import Body, expected_disparity

#: The segmenter must be this sure that somebody is there.
PRESENCE = 0.5
#: Two masks that cover each other so far are one person seen twice.
SAME_MASK = 0.6
HIDDEN_MASK = 0.65
#: What a detector must say of a picture with people taken out of it.
HIDDEN_SCORE = 0.5
_JUMP = 0.5  # of the reach: nobody moves further between two looks
_GLIMPSE_S = 0.4
_GLIMPSE_SCORE = 0.8

Eyes = dict[str, EyeImage]


@dataclass(slots=True)
class Tracklet:
    """Somebody in the shot.

    bodies: view -> where they were seen last. entries: view -> frame -> what the plan will say.
    hits: how often a detector confirmed them. disparity: longitude in the left eye minus that in the right, radians.
    behind: view -> who stands before them there. matches: frame -> how far away both eyes together saw them.
    """

    id: int
    born: int
    bodies: dict[str, Body]
    entries: dict[str, dict[int, Entry]]
    masks: dict[str, BoolArray] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    best_score: float = 0.0
    hits: int = 0
    disparity: float | None = None
    behind: dict[str, frozenset[int]] = field(default_factory=dict)
    matches: dict[int, Match] = field(default_factory=dict)

    @property
    def partly_hidden(self) -> bool:
        """Whether they were ever seen behind somebody."""
        return any(e.occluders for own in self.entries.values() for e in own.values())

    @property
    def always_hidden(self) -> bool:
        return all(e.occluders for own in self.entries.values() for e in own.values())

    def forgetting_distance(self) -> Tracklet:
        """A copy that does not know how far away they are: after a while out of sight it may have changed."""
        return replace(self, disparity=None)

    def in_other_eye(self, body: Body, to_the_right: bool) -> Body:
        """Where a body of theirs should be in the right eye, or in the left one."""
        disparity = self.disparity if self.disparity is not None else expected_disparity(body)
        return body.shifted(-disparity if to_the_right else disparity)

    def plausible(self, left: Body, right: Body) -> bool:
        """Whether both eyes show one body: at one height, of one size, and at a distance that is possible and not new."""
        reach = max(left.reach, right.reach)
        if abs(left.latitude - right.latitude) > 0.12 * reach + math.radians(0.7):
            return False
        if not 0.6 < left.reach / right.reach < 1.67:
            return False
        disparity = math.remainder(left.longitude - right.longitude, math.tau)
        if not -math.radians(1.5) - 0.1 * reach < disparity < math.radians(12):
            return False
        return self.disparity is None or abs(disparity - self.disparity) < 0.2 * reach + math.radians(1)

    @property
    def last_seen(self) -> int:
        return max(self.seen.values(), default=self.born)

    def believable(self, first: int, last: int, fps: float, searches: Iterable[int], threshold: float) -> bool:
        """Whether this is a person, now that the shot from frame ``first`` to ``last`` is over.

        searches: the frames that were searched. They must have been confirmed by more than one when there was more than one.
        """
        frames = sorted({n for e in self.entries.values() for n in e})
        # nobody is asked for a good score who could only be seen in part
        if not frames or self.best_score < (HIDDEN_SCORE if self.partly_hidden else threshold):
            return False
        # a glimpse in the middle of a long shot is a mistake more often than a person
        glimpse = frames[-1] - frames[0] < _GLIMPSE_S * fps and last - first + 1 > 4 * _GLIMPSE_S * fps
        inside = frames[0] > first and frames[-1] < last - _GLIMPSE_S * fps
        # at its ends somebody may be coming or going: then the detector must be surer than usual
        if glimpse and (inside or self.best_score < max(_GLIMPSE_SCORE, threshold)):
            return False
        chances = sum(frames[0] <= n <= frames[-1] for n in searches)
        # what was only ever seen in pictures with others taken out must be seen twice, or by both eyes
        return self.hits >= 2 or (chances <= 1 and not (len(self.entries) < 2 and self.always_hidden))


@dataclass(slots=True)
class Moment:
    """A frame that can be looked at again: for people who turn out to have been there before they were found."""

    n: int
    eyes: Eyes
    masks: dict[int, dict[str, BoolArray]]


def same_person(new: BoolArray, known: BoolArray) -> bool:
    """Whether a mask shows somebody who is known already: a part of them, them with something more, or just them."""
    return contained(new, known) > HIDDEN_MASK or contained(known, new) > HIDDEN_MASK or mask_iou(new, known) > SAME_MASK


def moved(a: Body, b: Body) -> float:
    """How far one body is from the other, in reaches of the smaller."""
    return a.angle_to(b) / max(min(a.reach, b.reach), 1e-6)


def steady(before: Body, s: Sighting) -> bool:
    """Whether a sighting can be the body of the frame before."""
    return s.presence >= PRESENCE and moved(before, s.body) < _JUMP and 0.6 < s.body.reach / before.reach < 1.67
