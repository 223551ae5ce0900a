"""Somebody in a shot, as a value, and what may be believed of them: what is one person, what is two, and what is nobody."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from vr180_ofx.arrays import BoolArray
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.people.doubts import Doubt
from vr180_ofx.people.masks import contained, mask_iou
from vr180_ofx.people.observe import Observation
from vr180_ofx.people.parameters import ConfirmParameters, SamePersonParameters
from vr180_ofx.people.person import HELD, Entry
from vr180_ofx.stereo.distance import Match
from vr180_ofx.vr180.body import Body, expected_disparity
from vr180_ofx.vr180.layout import LEFT, RIGHT

#: View -> the eye's picture.
Eyes = Mapping[str, EyeImage]
#: View -> what is seen of one person there.
Observations = Mapping[str, Observation]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Tracklet:
    """Somebody in the shot. Nothing of it is ever changed: methods return another one.

    born: the frame in which they were found. bodies, masks, seen: view -> where they were last (radians), what they covered
    ((h, w), on the canvas), and in which frame. entries: view -> frame -> what the plan will say. best_score: 0..1, the best that a
    detector said of them. hits: how often a detector confirmed them. disparity: longitude in the left eye minus that in the right,
    radians; None before both saw them. occluders: view -> who stands before them there. matches: frame -> how far away both
    eyes together saw them. doubts: where they may be two people. taken_for: who they were taken for until their looks told them apart.
    """

    id: int
    born: int
    bodies: Mapping[str, Body] = field(default_factory=dict)
    entries: Mapping[str, Mapping[int, Entry]] = field(default_factory=dict)
    masks: Mapping[str, BoolArray] = field(default_factory=dict)
    seen: Mapping[str, int] = field(default_factory=dict)
    best_score: float = 0.0
    hits: int = 0
    disparity: float | None = None
    occluders: Mapping[str, frozenset[int]] = field(default_factory=dict)
    matches: Mapping[int, Match] = field(default_factory=dict)
    doubts: tuple[Doubt, ...] = ()
    taken_for: int | None = None

    def __repr__(self) -> str:
        entries = ", ".join(f"{len(e)} in {view}" for view, e in self.entries.items()) or "none"
        return f"Tracklet({self.id}, from frame {self.born}, entries: {entries}, {self.hits} hits)"

    # what becomes of them ----------------------------------------------------------------------------------------

    def with_observations(self, n: int, found: Observations, source: str, parameters: SamePersonParameters) -> Tracklet:
        """As they are after frame ``n``, in which they were seen as ``found``. source: see `person.Entry`."""
        disparity = self.disparity
        if LEFT in found and RIGHT in found:
            now = math.remainder(found[LEFT].body.longitude - found[RIGHT].body.longitude, math.tau)
            before, new = parameters.disparity_weights
            disparity = now if disparity is None else before * disparity + new * now
        made = {
            v: Entry(o.body, o.box, o.presence, source, tuple(sorted(self.occluders.get(v, ()))), o.look, o.agreed)
            for v, o in found.items()
        }
        return replace(
            self,
            bodies={**self.bodies, **{v: o.body for v, o in found.items()}},
            masks={**self.masks, **{v: o.mask for v, o in found.items()}},
            seen={**self.seen, **dict.fromkeys(found, n)},
            entries={**self.entries, **{v: {**self.entries.get(v, {}), n: entry} for v, entry in made.items()}},
            disparity=disparity,
        )

    def with_occluders(self, occluders: Mapping[str, frozenset[int]]) -> Tracklet:
        """Other people stand before them in these views; in the rest it stays as it was."""
        return replace(self, occluders={**self.occluders, **occluders}) if occluders else self

    def with_hit(self, score: float) -> Tracklet:
        """A detector confirmed them."""
        return replace(self, hits=self.hits + 1, best_score=max(self.best_score, score))

    def with_score(self, score: float) -> Tracklet:
        """A detector saw them again in the same search."""
        return replace(self, best_score=max(self.best_score, score))

    def with_match(self, n: int, match: Match | None) -> Tracklet:
        """Both eyes measured how far away they are at frame ``n``, if there is a match."""
        return self if match is None else replace(self, matches={**self.matches, n: match})

    def with_past(self, past: Tracklet) -> Tracklet:
        """With what was found of them in earlier frames, where they have nothing of their own."""
        entries = {v: {**self.entries.get(v, {})} for v in {**self.entries, **past.entries}}
        for view, own in entries.items():
            for n, entry in past.entries.get(view, {}).items():
                own.setdefault(n, entry)
        return replace(self, entries=entries, matches={**self.matches, **{n: m for n, m in past.matches.items() if n not in self.matches}})

    def from_here(self, n: int) -> Tracklet:
        """As they are at frame ``n``, without what was written down of them: to be followed the other way."""
        return replace(self, born=n, entries={}, matches={})

    def between(self, first: float, last: float) -> Tracklet:
        """With what was written down of the frames ``first`` to ``last`` alone."""
        entries = {v: {n: e for n, e in own.items() if first <= n <= last} for v, own in self.entries.items()}
        entries = {v: own for v, own in entries.items() if own}
        born = min((n for own in entries.values() for n in own), default=self.born)
        matches = {n: m for n, m in self.matches.items() if first <= n <= last}
        return replace(self, born=born, entries=entries, matches=matches)

    def holding(self, n: int, to: int) -> Tracklet:
        """Also at frame ``to`` where they were at frame ``n``, in the eyes that saw them then."""
        held = {v: {to: replace(own[n], source=HELD, look=None), **own} for v, own in self.entries.items() if n in own}
        return replace(self, entries={**self.entries, **held})

    def with_doubt(self, doubt: Doubt) -> Tracklet:
        """They may be two people."""
        return replace(self, doubts=tuple(sorted((*self.doubts, doubt), key=lambda d: d.frame)))

    def with_numbers(self, numbers: Mapping[int, Sequence[tuple[int, int]]]) -> Tracklet:
        """With other numbers for those who stand before them. numbers: former number -> (from which frame on, number), in order."""

        def known(o: int, n: int) -> int:
            return next((k for first, k in reversed(numbers.get(o, ())) if first <= n), numbers[o][0][1] if numbers.get(o) else o)

        def renumbered(n: int, e: Entry) -> Entry:
            return replace(e, occluders=tuple(sorted({known(o, n) for o in e.occluders} - {self.id}))) if e.occluders else e

        return replace(self, entries={v: {n: renumbered(n, e) for n, e in own.items()} for v, own in self.entries.items()})

    def forgetting_distance(self) -> Tracklet:
        """Without knowing how far away they are: after a while out of sight it may have changed."""
        return replace(self, disparity=None)

    # what is known of them ---------------------------------------------------------------------------------------

    @property
    def last_seen(self) -> int:
        """The last frame in which any eye saw them."""
        return max(self.seen.values(), default=self.born)

    @property
    def asked(self) -> int:
        """At how many looks two networks were asked whether they are somebody."""
        return sum(e.agreed is not None for own in self.entries.values() for e in own.values())

    @property
    def ever_occluded(self) -> bool:
        """Whether they were ever seen behind somebody."""
        return any(e.occluders for own in self.entries.values() for e in own.values())

    @property
    def always_occluded(self) -> bool:
        """Whether they were never seen but behind somebody."""
        return all(e.occluders for own in self.entries.values() for e in own.values())

    def in_other_eye(self, body: Body, *, to_the_right: bool) -> Body:
        """Where a body of theirs should be in the right eye, or in the left one."""
        return in_other_eye(body, self.disparity, to_the_right=to_the_right)

    def plausible(self, left: Body, right: Body, p: SamePersonParameters) -> bool:
        """Whether both eyes show one body: at one height, of one size, and at a distance that is possible and not new."""
        reach = max(left.reach, right.reach)
        if abs(left.latitude - right.latitude) > p.level_reaches * reach + math.radians(p.level_degrees):
            return False
        if not p.eye_size[0] < left.reach / right.reach < p.eye_size[1]:
            return False
        disparity = math.remainder(left.longitude - right.longitude, math.tau)
        least = math.radians(p.least_disparity_degrees) - p.negative_reaches * reach
        if not least < disparity < math.radians(p.most_disparity_degrees):
            return False
        new = p.new_disparity_reaches * reach + math.radians(p.new_disparity_degrees)
        return self.disparity is None or abs(disparity - self.disparity) < new

    def is_person(
        self, *, first: int, last: int, fps: float, searches: Iterable[int], threshold: float, occluded_threshold: float,
        parameters: ConfirmParameters,
    ) -> bool:  # fmt: skip
        """Whether this is a person and no mistake, now that the shot from frame ``first`` to ``last`` is over.

        searches: the frames that were searched. They must have been confirmed by more than one when there was more than one.
        threshold, occluded_threshold: the least score of a detector, of people in plain sight and of those behind others.
        """
        p = parameters
        frames = sorted({n for e in self.entries.values() for n in e})
        # nobody is asked for a good score who could only be seen in part
        if not frames or self.best_score < (occluded_threshold if self.ever_occluded else threshold):
            return False
        # a glimpse in the middle of a long shot is a mistake more often than a person
        glimpse = frames[-1] - frames[0] < p.glimpse_s * fps and last - first + 1 > p.glimpse_shot * p.glimpse_s * fps
        inside = frames[0] > first and frames[-1] < last - p.glimpse_s * fps
        # at its ends somebody may be coming or going: then the detector must be surer than usual
        if glimpse and (inside or self.best_score < max(p.glimpse_score, threshold)):
            return False
        agreed = [e.agreed for own in self.entries.values() for e in own.values() if e.agreed is not None]
        if agreed and statistics.median(agreed) < p.least_agreed:
            return False
        chances = sum(frames[0] <= n <= frames[-1] for n in searches)
        # what was only ever seen in pictures with others taken out must be seen twice, or by both eyes; of whom else the second network's
        # word is a confirmation
        unsure = len(self.entries) < 2 and self.always_occluded
        return self.hits >= p.least_hits or (not unsure and (chances <= 1 or self.hits + bool(agreed) >= p.least_hits))


def in_other_eye(body: Body, disparity: float | None = None, *, to_the_right: bool) -> Body:
    """Where the right eye, or the left one, should see a body. disparity: radians; by default guessed from its size."""
    angle = disparity if disparity is not None else expected_disparity(body)
    return body.shifted(-angle if to_the_right else angle)


def same_person(new: BoolArray, known: BoolArray, p: SamePersonParameters) -> bool:
    """Whether a mask shows somebody who is known already: a part of them, them with something more, or just them."""
    return contained(new, known) > p.contained or contained(known, new) > p.contained or mask_iou(new, known) > p.same_iou


def moved(a: Body, b: Body) -> float:
    """How far one body is from the other, in reaches of the smaller."""
    return a.angle_to(b) / max(min(a.reach, b.reach), 1e-6)


def steady(before: Body, now: Observation, p: SamePersonParameters) -> bool:
    """Whether an observation can be of the body of the frame before."""
    return (
        now.presence >= p.presence
        and moved(before, now.body) < p.step_reaches
        and p.step_size[0] < now.body.reach / before.reach < p.step_size[1]
    )
