"""One person in every eye of a frame: both see the same body, at one height and a plausible distance.

What is looked at here is a function of the pictures, of the tracklet and of the masks of others; nothing is remembered.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from dataclasses import dataclass

import numpy as np

from vr180_ofx.arrays import BoolArray
from vr180_ofx.imaging.inpaint import cover
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.people.masks import union
from vr180_ofx.people.observe import Observation, Observer
from vr180_ofx.people.parameters import PlanParameters
from vr180_ofx.people.tracklet import Eyes, Observations, Tracklet, moved, same_person, steady
from vr180_ofx.stereo.distance import Match, whole_shift
from vr180_ofx.vr180.body import Body
from vr180_ofx.vr180.layout import LEFT, RIGHT

#: View -> person -> what they cover, (h, w) on the canvas.
ViewMasks = Mapping[str, Mapping[int, BoolArray]]
#: View -> who stands before somebody there.
Occluders = dict[str, frozenset[int]]


@dataclass(frozen=True, slots=True)
class Counterpart:
    """Somebody whom one eye shows, in the other eye.

    observation: how they look there; None when they are not to be seen. occluders: who stands before them there.
    known: who it is, if they are known there already.
    """

    observation: Observation | None = None
    occluders: frozenset[int] = frozenset()
    known: Tracklet | None = None


class ViewObserver:
    """Looks at people in all eyes of a frame. views: the eyes, left first."""

    def __init__(self, observer: Observer, views: tuple[str, ...], parameters: PlanParameters) -> None:
        self.observer = observer
        self.views = views
        self._same = parameters.same
        self._occlusion = parameters.occlusion
        self._distance = parameters.distance

    def other(self, view: str) -> str:
        """The other of two eyes."""
        return self.views[1] if view == self.views[0] else self.views[0]

    # in plain sight ----------------------------------------------------------------------------------------------

    def observe(
        self, tracklet: Tracklet, eyes: Eyes, seen: Mapping[tuple[int, str], Observation | None] | None = None
    ) -> dict[str, Observation]:  # fmt: skip
        """Where somebody is who was there before, in the eyes in which nobody stood before them.

        seen: (person, view) -> what was found already where the person was before; looked for when it is not given.
        """
        found: dict[str, Observation] = {}
        for view, body in tracklet.bodies.items():
            if tracklet.occluders.get(view):
                continue
            now = seen[tracklet.id, view] if seen is not None else self.observer.observe(eyes[view], body)
            if now is not None and steady(body, now, self._same):
                found[view] = now
        return self._agreed(tracklet, eyes, found) if len(self.views) == 2 else found

    def _agreed(self, tracklet: Tracklet, eyes: Eyes, found: Observations, masks: ViewMasks | None = None) -> dict[str, Observation]:
        """Both eyes see the same person, at the same height and a plausible distance; the steadier eye corrects the other.

        masks: of everybody, when people who stand before them may be taken out of the picture.
        """
        found = dict(found)
        left, right = self.views
        if len(found) == 2:
            if tracklet.plausible(found[left].body, found[right].body, self._same):
                return found
            jumps = {v: moved(tracklet.bodies[v], found[v].body) if v in tracklet.bodies else math.inf for v in self.views}
            del found[max(self.views, key=lambda v: jumps[v])]
        if len(found) != 1:
            return found
        have = next(iter(found))
        lack = self.other(have)
        if masks is None and tracklet.occluders.get(lack):
            return found  # they are looked for behind others, later
        erased = None
        if masks is not None and tracklet.id not in masks[lack]:
            erased = union(mask for i, mask in masks[lack].items() if i != tracklet.id)
        there = self.transferred(tracklet, found[have].body, have, eyes[lack], erased)
        if there is not None and not (erased is not None and same_person(there.mask, erased, self._same)):
            found[lack] = there
        return found

    def transferred(
        self, tracklet: Tracklet, body: Body, have: str, eye: EyeImage, erased: BoolArray | None = None
    ) -> Observation | None:  # fmt: skip
        """Looks in the other eye, whose picture ``eye`` is, where the disparity puts a body that the eye ``have`` sees."""
        to_the_right = have == self.views[0]
        guess = tracklet.in_other_eye(body, to_the_right=to_the_right)
        if abs(guess.longitude) > self._same.most_longitude:
            return None
        there = self.observer.observe(eye, guess, rounds=2, erased=erased)
        if there is None or there.presence < self._same.presence:
            return None
        pair = (body, there.body) if to_the_right else (there.body, body)
        return there if tracklet.plausible(*pair, self._same) else None

    # behind others -----------------------------------------------------------------------------------------------

    def observe_occluded(
        self, tracklet: Tracklet, eyes: Eyes, masks: ViewMasks, found: Observations, known: Set[int], *, backwards: bool = False
    ) -> tuple[dict[str, Observation], Occluders]:  # fmt: skip
        """``found`` with what is to be seen of somebody behind others, once those are taken out of the picture; and who they are.

        known: those of whom ``masks`` are who may stand before them. backwards: whether time runs backwards.
        """
        found = dict(found)
        occluders: Occluders = {}
        for view, body in tracklet.bodies.items():
            if view in found:
                continue
            near = self._near(tracklet, masks[view], known, body)
            if not near:
                continue
            erased = union(masks[view][i] for i in near)
            now = self.observer.observe(eyes[view], body, erased=erased)
            if now is None or not steady(body, now, self._same) or self.is_somebody(now.mask, masks[view]):
                continue
            # where they came from needs no second look: they were seen later, for sure
            if not backwards and not self.observer.seen_again(
                eyes[view], now, erased=erased, least=self._occlusion.known_cover_iou, fill=cover
            ):
                continue
            found[view] = now
            occluders[view] = self.occluders(now, near)
        if len(self.views) == 2 and found:
            before = set(found)
            found = self._agreed(tracklet, eyes, found, masks)
            for view in set(found) - before:
                now = found[view]
                occluders[view] = self.occluders(now, self._near(tracklet, masks[view], known, now.body))
        return found, occluders

    def _near(self, tracklet: Tracklet, masks: Mapping[int, BoolArray], known: Set[int], body: Body) -> frozenset[int]:
        return self.near({i: mask for i, mask in masks.items() if i != tracklet.id and i in known}, body)

    def near(self, masks: Mapping[int, BoolArray], body: Body) -> frozenset[int]:
        """Those who may stand before a body: their masks reach into the square around it."""
        return self.observer.near(masks, body, self._occlusion.near_reaches)

    def occluders(self, now: Observation, near: frozenset[int]) -> frozenset[int]:
        """Who of those near somebody stands before them."""
        return near if now.occluded > self._occlusion.occluded else frozenset()

    def is_somebody(self, mask: BoolArray, masks: Mapping[int, BoolArray]) -> bool:
        """Whether a mask is of somebody whose mask is known."""
        return any(same_person(mask, known, self._same) for known in masks.values())

    # across eyes -------------------------------------------------------------------------------------------------

    def counterpart(
        self, tracklet: Tracklet, body: Body, have: str, eyes: Eyes, *, masks: Mapping[int, BoolArray], others: tuple[Tracklet, ...]
    ) -> Counterpart:  # fmt: skip
        """Somebody whom the eye ``have`` shows at ``body``, in the other one. First as the picture is, then with everybody near
        them taken out of it.

        masks: of ``others`` who are to be seen in the other eye.
        """
        lack = self.other(have)
        best = Counterpart()
        known = {i: mask for i, mask in masks.items() if i != tracklet.id}
        near = self.near(known, tracklet.in_other_eye(body, to_the_right=have == self.views[0]))
        theirs = frozenset().union(*tracklet.occluders.values()) & near
        for before in dict.fromkeys((theirs, near)):
            there = self.transferred(tracklet, body, have, eyes[lack], union(known[i] for i in before))
            if there is None:
                continue
            same = [o for o in others if o.id in known and same_person(there.mask, known[o.id], self._same)]
            best = Counterpart(there, self.occluders(there, before), same[0] if same else None)
            if not same:
                break
        return best

    def distance(self, eyes: Eyes, found: Observations) -> Match | None:
        """How far away somebody is whom both eyes see."""
        if LEFT not in found or RIGHT not in found:
            return None
        eye = eyes[LEFT]
        local = self.observer.projection.resized(eye.width, eye.height)
        return whole_shift(eye, eyes[RIGHT], np.array(found[LEFT].body.direction), found[RIGHT].mask, local, parameters=self._distance)
