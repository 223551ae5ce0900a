"""Somebody who is pointed out by points: where the body is to which they belong. It finds somebody, or says that it found nobody."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vr180_ofx.arrays import BoolArray, FloatArray
from vr180_ofx.errors import PlanError
from vr180_ofx.imaging.inpaint import cover
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.people.contract import Segmenter
from vr180_ofx.people.masks import mask_iou, union
from vr180_ofx.people.observe import Observation, Observer
from vr180_ofx.people.parameters import PLAN, POINT_OUT, PlanParameters, PointOutParameters
from vr180_ofx.people.tracklet import same_person
from vr180_ofx.vr180.body import Body
from vr180_ofx.vr180.projection import Projection
from vr180_ofx.vr180.window import angles_from_direction

#: A place in pixels of one eye.
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class PointedOut:
    """Who was found. occluders: the numbers of those who stand before them. starts: from how many first guesses they were found."""

    observation: Observation
    occluders: tuple[int, ...]
    starts: int


def find_at_points(
    eye: EyeImage, projection: Projection, plus: Sequence[Point], minus: Sequence[Point], *, known: Mapping[int, Body],
    segmenter: Segmenter, names: Mapping[int, str] | None = None, parameters: PlanParameters = PLAN, search: PointOutParameters = POINT_OUT,
) -> PointedOut:  # fmt: skip
    """Who is at ``plus``, and not at ``minus``.

    The segmenter is shown squares of many sizes around the points, as bodies would lie that have the points on them, and each answer is
    looked at again where it says that the body is, until it stays there. A body counts that says of itself what made it be looked at (a
    fixed point), that has all of ``plus`` and none of ``minus`` in its mask, that is nobody who is known, and that more than one first
    guess came to. Where nobody is found so, those who are known are taken out of the picture: somebody may be behind them; and then
    people who lie are looked for.

    eye: the picture, which may be reduced. projection: of the whole eye, whose pixels the points are. known: number -> where somebody
    is, of everybody in the plan. names: what they are called in messages. Raises PlanError that says why nobody is found.
    """
    found = search_at_points(
        eye, projection, plus, minus, known=known, segmenter=segmenter, names=names, parameters=parameters, search=search
    )
    if isinstance(found, str):
        raise PlanError(found)
    return found


def search_at_points(
    eye: EyeImage, projection: Projection, plus: Sequence[Point], minus: Sequence[Point], *, known: Mapping[int, Body],
    segmenter: Segmenter, names: Mapping[int, str] | None = None, parameters: PlanParameters = PLAN, search: PointOutParameters = POINT_OUT,
) -> PointedOut | str:  # fmt: skip
    """`find_at_points`, with the reason, in words, where nobody is found."""
    finder = _Finder(eye, projection, plus, minus, segmenter=segmenter, known=known, parameters=parameters, search=search)
    for point in plus:
        if not np.isfinite(projection.unproject(np.array(point, float))).all():
            raise PlanError(f"the point {_shown(point)} shows nothing: it lies outside of what the lens sees")
    for erased in finder.in_front():
        found = finder.best(erased)
        if found is not None:
            return found
    return finder.why_nobody(names or {})


class _Finder:
    """The search in one picture."""

    def __init__(
        self, eye: EyeImage, projection: Projection, plus: Sequence[Point], minus: Sequence[Point], *, segmenter: Segmenter,
        known: Mapping[int, Body], parameters: PlanParameters, search: PointOutParameters,
    ) -> None:  # fmt: skip
        self._eye = eye
        self._projection = projection
        self._plus = plus
        self._minus = minus
        self._observer = Observer(segmenter, projection, parameters.observe)
        self._parameters = parameters
        self._search = search
        seen = {i: self._observer.observe(eye, body) for i, body in known.items()}
        self._masks = {i: now.mask for i, now in seen.items() if now is not None and now.presence >= parameters.same.presence}
        # what became of the guesses, for whoever has to be told that nobody is there
        self._somebody, self._with_points = False, False

    # first guesses -----------------------------------------------------------------------------------------------

    def _guesses(self) -> Iterator[Body]:
        """Bodies of all sizes that have the points on them: at the hips, above them, or below."""
        p = self._search
        directions = self._projection.unproject(np.array(self._plus, float))
        middle: FloatArray = directions.mean(axis=0)
        middle /= np.linalg.norm(middle)
        spread = max(math.acos(float(np.clip(middle @ d, -1, 1))) for d in directions)
        longitude, latitude = angles_from_direction(middle)
        reach = p.least_reach_px * self._pixel(middle)
        while reach <= p.most_reach:
            if spread <= reach:
                for above in p.heights:
                    yield Body(longitude, latitude - above * reach, reach)
            reach *= p.next_reach

    def _pixel(self, direction: FloatArray) -> float:
        """The angle of a pixel of the canvas there, radians."""
        canvas = self._observer.canvas
        at = canvas.project(direction)
        beside = canvas.unproject(at + np.array([[-0.5, 0.0], [0.5, 0.0]]))
        if not np.isfinite(beside).all():
            return math.pi / max(canvas.width, canvas.height)
        return math.acos(float(np.clip(beside[0] @ beside[1], -1, 1)))

    # answers -----------------------------------------------------------------------------------------------------

    def in_front(self) -> list[frozenset[int]]:
        """Whom to take out of the picture, one after the other: nobody, and then everybody who is not at the points themselves."""
        others = frozenset(i for i, mask in self._masks.items() if not any(self._at(mask, p, around=1) for p in self._plus))
        return [frozenset(), others] if others else [frozenset()]

    def best(self, erased: frozenset[int]) -> PointedOut | None:
        """Whom most guesses come to; None: nobody that counts."""
        hole = union(self._masks[i] for i in erased)
        found = [now for body in self._guesses() if (now := self._settled(body, hole)) is not None and self._counts(now, hole)]
        groups: list[list[Observation]] = []
        for now in found:
            same = [g for g in groups if mask_iou(g[0].mask, now.mask) >= self._parameters.same.same_iou]
            if same:
                same[0].append(now)
            else:
                groups.append([now])
        groups = [g for g in groups if len(g) >= self._search.least_starts]
        if not groups:
            return None
        most = max(groups, key=lambda g: (len(g), max(o.presence for o in g)))
        # who is most like the rest of them
        chosen = max(most, key=lambda o: sum(mask_iou(o.mask, other.mask) for other in most))
        near = self._observer.near(self._masks, chosen.body, self._parameters.occlusion.near_reaches) & erased
        behind = near if chosen.occluded > self._parameters.occlusion.occluded else frozenset()
        return PointedOut(chosen, tuple(sorted(behind)), len(most))

    def _settled(self, body: Body, hole: BoolArray | None) -> Observation | None:
        return self._observer.settled(self._eye, body, erased=hole, parameters=self._search, presence=self._parameters.same.presence)

    def _counts(self, now: Observation, hole: BoolArray | None) -> bool:
        p = self._parameters
        self._somebody = True
        if not all(self._at(now.mask, point, around=1) for point in self._plus):
            return False
        self._with_points = True
        if any(self._at(now.mask, point, around=0) for point in self._minus):
            return False
        if any(same_person(now.mask, mask, p.same) for mask in self._masks.values()):
            return False
        return hole is None or self._observer.seen_again(self._eye, now, erased=hole, least=p.occlusion.cover_iou, fill=cover)

    def _at(self, mask: BoolArray, point: Point, *, around: int) -> bool:
        """Whether a mask on the canvas has a place of the eye, or one so many of its coarse pixels from there."""
        canvas, whole = self._observer.canvas, self._projection
        x, y = int(point[0] * canvas.width / whole.width), int(point[1] * canvas.height / whole.height)
        part = mask[max(y - around, 0) : y + around + 1, max(x - around, 0) : x + around + 1]
        return bool(part.any())

    # messages ----------------------------------------------------------------------------------------------------

    def why_nobody(self, names: Mapping[int, str]) -> str:
        """What to tell whoever gave the points."""
        shown = " and ".join(_shown(p) for p in self._plus)
        theirs = [names.get(i, f"person {i}") for i, mask in self._masks.items() if all(self._at(mask, p, around=0) for p in self._plus)]
        box = "give a box around the whole person: left,top,right,bottom"
        if theirs:
            return f"at {shown} is {' and '.join(theirs)}, who is in the plan already; if it is somebody else, {box}"
        if self._with_points and self._minus:
            return f"whoever is at {shown} has a minus point on them as well, or is known already; move the points, or {box}"
        if self._somebody and len(self._plus) > 1:
            return f"no one person is at {shown}; points in the middle of the chest and of the hips help; or {box}"
        return f"nobody is found at {shown}; points in the middle of the chest and of the hips help; or {box}"


def _shown(point: Point) -> str:
    return f"{point[0]:g},{point[1]:g}"
