"""Everybody in one shot: who was found, who is followed, who hides, and who is the same in both eyes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import replace

from vr180_ofx.arrays import BoolArray, FloatArray
from vr180_ofx.imaging.inpaint import cover, erase
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.people import associate
from vr180_ofx.people.associate import PastFrame, ShotState
from vr180_ofx.people.contract import Candidate, Detector
from vr180_ofx.people.detect import merge_detections
from vr180_ofx.people.look import light_of
from vr180_ofx.people.masks import mask_iou, union
from vr180_ofx.people.observe import Observation, Observer
from vr180_ofx.people.parameters import PLAN, PlanParameters
from vr180_ofx.people.settle import quality, settled
from vr180_ofx.people.tracklet import Eyes, Observations, Tracklet, moved, same_person
from vr180_ofx.people.views import Counterpart, Occluders, ViewMasks, ViewObserver
from vr180_ofx.vr180.body import Body
from vr180_ofx.vr180.projection import Projection


class ShotTracker:
    """The people of one shot, fed with frames in order. It asks the networks; who is who is decided in `people.associate`.

    state: everybody as of now, a value.
    """

    def __init__(
        self, observer: Observer, views: tuple[str, ...], fps: float, *, threshold: float, first_id: int = 1,
        executor: Executor | None = None, parameters: PlanParameters = PLAN,
    ) -> None:  # fmt: skip
        """threshold: how sure a detector must be of somebody in plain sight, 0..1. executor: where windows are looked at, all at once."""
        self.state = ShotState(first_id)
        self._observer = observer
        self._views = ViewObserver(observer, views, parameters)
        self._map = executor.map if executor is not None else map
        self._fps = fps
        self._threshold = threshold
        self._parameters = parameters
        self._lights: dict[tuple[int, str], FloatArray] = {}

    # one frame -------------------------------------------------------------------------------------------------

    def step(self, n: int, eyes: Eyes, *, ask: bool = False) -> None:
        """Follows everybody who was there to frame ``n``: first those whom nobody hides, then those behind them.

        ask: whether the networks are asked if these are people; those who were asked of seldom always are.
        """
        p, views = self._parameters, self._views.views
        state = self.state.at(n)
        there = state.there(n, p.associate.lost_s * self._fps)
        # everybody in every eye at once; the result does not depend on who is first
        pairs = [(t, view) for t in there for view in t.bodies if not t.occluders.get(view)]
        seen = self._map(lambda pair: self._observer.observe(eyes[pair[1]], pair[0].bodies[pair[1]]), pairs)
        first = {(t.id, view): now for (t, view), now in zip(pairs, seen, strict=True)}
        looks = {t.id: self._views.observe(t, eyes, first) for t in there}
        looks = associate.without_doubles(there, looks, views, p=p.associate, same=p.same)
        masks = {view: {i: found[view].mask for i, found in looks.items() if view in found} for view in views}
        for t in there:
            found, occluders = looks[t.id], Occluders()
            if len(found) < len(views):
                found, occluders = self._views.observe_occluded(t, eyes, masks, found, looks.keys())
            for view, now in found.items():
                masks[view][t.id] = now.mask
            gained = bool(t.entries) and any(view not in t.entries for view in found)
            state = state.with_tracklet(
                self._observed(
                    t.with_occluders(occluders), n, eyes, found, source="tracked", masks=masks, ask=ask or t.asked < p.confirm.asked
                )
            )
            if gained:
                state = self._look_back(state, t.id, n)
        self.state = state.with_frame(n, eyes, p.associate.history)

    def _observed(self, t: Tracklet, n: int, eyes: Eyes, found: Observations, *, source: str, masks: ViewMasks, ask: bool) -> Tracklet:
        """Somebody as they are seen now. masks: of everybody in that frame. ask: whether two networks say if they are somebody."""

        def agreement(view: str) -> float | None:
            others = union(mask for i, mask in masks[view].items() if i != t.id)
            return self._observer.agreement(eyes[view], found[view], others)

        agreed = self._map(agreement, found) if ask else [None] * len(found)
        found = {
            view: replace(now, look=now.look and now.look.under(self._light(n, view, eyes)), agreed=share)
            for (view, now), share in zip(found.items(), agreed, strict=True)
        }
        return t.with_observations(n, found, source, self._parameters.same).with_match(n, self._views.distance(eyes, found))

    def _light(self, n: int, view: str, eyes: Eyes) -> FloatArray:
        """The light of a frame in an eye, measured once."""
        if (n, view) not in self._lights:
            # of the frames that may be looked at again
            while len(self._lights) > 2 * len(eyes) * self._parameters.associate.history:
                del self._lights[next(iter(self._lights))]
            self._lights[n, view] = light_of(eyes[view])
        return self._lights[n, view]

    def _look_back(self, state: ShotState, person: int, n: int) -> ShotState:
        """Follows a new person back to where they came from, as far as the frames are still at hand."""
        back = state[person].from_here(n)
        past: list[PastFrame] = []
        for frame in reversed(state.past):
            if frame.n < n:
                back, frame = self._step_back(back, frame)
            past.append(frame)
        return replace(state, past=tuple(reversed(past))).with_tracklet(state[person].with_past(back))

    def _step_back(self, back: Tracklet, frame: PastFrame) -> tuple[Tracklet, PastFrame]:
        masks = frame.without(back.id)
        found = self._views.observe(back, frame.eyes)
        found = {view: now for view, now in found.items() if not self._views.is_somebody(now.mask, masks[view])}
        if len(found) < len(back.bodies):
            known = frame.masks.keys() - {back.id}
            found, occluders = self._views.observe_occluded(back, frame.eyes, masks, found, known, backwards=True)
            back = back.with_occluders(occluders)
        if not found:
            # out of sight for a moment, perhaps; `tracklet.steady` sees to it that nobody else is taken for them
            return back, frame
        seen = {view: now.mask for view, now in found.items()}
        return self._observed(back, frame.n, frame.eyes, found, source="tracked", masks=masks, ask=False), frame.with_masks(back.id, seen)

    # what a search found -----------------------------------------------------------------------------------------

    def associate(self, n: int, eyes: Eyes, view: str, candidates: Iterable[Candidate], *, deep: bool = False) -> None:
        """Takes the people that a search of one eye found: known ones are confirmed, new ones join.

        deep: whether ``candidates`` are all that the detector would not rule out, and those who are known are looked at afresh, too.
        """
        p, candidates = self._parameters, list(candidates)
        likely = [c for c in candidates if c.score >= p.candidate_score]
        state = associate.confirmed(self.state.with_search(n), likely, view, n, p.associate)
        fresh = [c for c in candidates if deep or associate.known_as(state, c, view, n, p.associate) is None]
        for find in settled(self._observer, eyes[view], fresh, run=self._map, parameters=p):
            if find.support < self._threshold:
                continue
            now, masks = find.observation, state.masks(n, view)
            if self._views.is_somebody(now.mask, masks):
                if deep:
                    state = self._seen_better(state, n, eyes, view, now)
                continue
            beside = union(masks[i] for i in self._views.near(masks, now.body))
            if beside is not None and not self._observer.seen_again(
                eyes[view], now, erased=beside, least=p.occlusion.alone_iou, own=now.mask & ~beside
            ):
                continue  # parts of two people, or of one and something; who stands behind is looked for by `detect_occluded`
            state = self._join(state, n, eyes, view, find.candidate, now=now)
        self.state = state

    def _seen_better(self, state: ShotState, n: int, eyes: Eyes, view: str, now: Observation) -> ShotState:
        """Somebody who is followed the wrong way round, with half a mask, is seen as ``now`` from here on."""
        for t in state.tracklets:
            entry = t.entries.get(view, {}).get(n)
            if entry is None or t.occluders.get(view) or not same_person(now.mask, t.masks[view], self._parameters.same):
                continue
            before = Observation(entry.body, entry.box, entry.score, t.masks[view])
            if math.cos(now.body.roll - entry.body.roll) < 0 and quality(now) > quality(before):
                return state.with_tracklet(
                    self._observed(t, n, eyes, {view: now}, source="found", masks={view: state.masks(n, view)}, ask=True)
                )
        return state

    def detect_occluded(self, n: int, eyes: Eyes, view: str, detector: Detector, local: Projection) -> None:
        """Takes everybody who is known out of the picture and looks again around them: who stands behind?

        local: the projection of the eye's picture.
        """
        p, state = self._parameters.occlusion, self.state
        masks = state.masks(n, view)
        everybody = union(masks.values())
        if everybody is None:
            return
        around = [t.bodies[view] for t in state.tracklets if t.id in masks and not t.occluders.get(view)]

        def search(place: tuple[Body, float]) -> list[Candidate]:
            window = place[0].window(detector.size, place[1])
            hole = self._observer.in_window(everybody, window)
            picture = erase(eyes[view].sample(window.grid(local)).rgb, hole, self._parameters.observe.erase)
            return detector.find(picture, window, p.score)

        found = [c for group in self._map(search, [(body, reaches) for body in around for reaches in p.window_reaches]) for c in group]
        # of somebody of whom parts are to be seen here and there the detector has little to say; what the segmenter finds must stand
        # up to a plain cover, and to the other eye, all the same
        guessed = [replace(b.shifted(aside * b.reach), reach=b.reach * size) for b in around for aside in p.aside for size in p.size]
        candidates = [*merge_detections(found, self._parameters.detect), *(Candidate(body, p.score) for body in guessed)]
        # who joins below changes nothing of what is seen: all of them at once
        seen = self._map(lambda c: self._observer.observe(eyes[view], c.body, rounds=2, erased=everybody), candidates)
        for c, now in zip(candidates, seen, strict=True):
            if now is None or not self._is_there(c, now):
                continue
            again = associate.occluded_as(state, now, view, n, p.again_iou)
            for t in again:
                state = state.with_tracklet(t.with_hit(c.score))
            if again or self._views.is_somebody(now.mask, state.masks(n, view)):
                continue
            if not self._observer.seen_again(eyes[view], now, erased=everybody, least=p.cover_iou, fill=cover):
                continue
            # a second eye that sees them too is worth a good score
            if len(self._views.views) == 1 and c.score < self._threshold:
                continue
            near = self._views.near(masks, now.body)
            if near and now.occluded > p.occluded and self._is_agreed(eyes[view], now, everybody):
                state = self._join(state, n, eyes, view, c, now=now, behind=near)
        self.state = state

    def _is_there(self, c: Candidate, now: Observation) -> bool:
        same = self._parameters.same
        return now.presence >= same.presence and moved(c.body, now.body) <= same.near_reaches

    def _is_agreed(self, eye: EyeImage, now: Observation, others: BoolArray) -> bool:
        """Whether another network sees them, too, as far as it is asked. others: what everybody else covers."""
        share = self._observer.agreement(eye, now, others)
        return share is None or share >= self._parameters.confirm.least_agreed

    def _join(
        self, state: ShotState, n: int, eyes: Eyes, view: str, c: Candidate, *, now: Observation, behind: frozenset[int] = frozenset()
    ) -> ShotState:  # fmt: skip
        """Somebody who was seen, and is nobody whom this eye knows at frame ``n``. behind: who stands before them."""
        p, stereo = self._parameters, len(self._views.views) == 2
        other = self._views.other(view) if stereo else ""
        found: dict[str, Observation] = {view: now}
        occluders: Occluders = {view: behind}

        def across(t: Tracklet) -> Counterpart:
            return self._views.counterpart(t, now.body, view, eyes, masks=state.masks(n, other), others=state.tracklets)

        t = associate.reidentified(state, now, view, n, fps=self._fps, p=p.associate)
        if t is None:
            t = Tracklet(state.next_id, n, occluders={view: behind})
            if stereo:
                there = across(t)
                seen, known = there.observation, there.known
                sure = known is not None and (
                    bool(there.occluders) or (seen is not None and mask_iou(seen.mask, known.masks[other]) > p.same.same_iou)
                )
                if known is not None and (known.seen.get(view) == n or not sure):
                    seen = None
                elif known is not None:
                    # the other eye knows this person and had not found them here; it may have taken their pose for another
                    t = known
                if seen is not None:
                    found[other], occluders[other] = seen, there.occluders
                elif behind:
                    return state  # what only one eye sees in a filled picture is not to be believed
        elif stereo and t.seen.get(other) != n:
            there = across(t.forgetting_distance())
            if there.observation is not None and there.known is None:
                found[other], occluders[other] = there.observation, there.occluders
        new = any(v not in t.entries for v in found)
        masks = {v: state.masks(n, v) for v in found}
        t = self._observed(t.with_occluders(occluders).with_hit(c.score), n, eyes, found, source="found", masks=masks, ask=True)
        state = state.with_tracklet(t).with_past_masks(n, t)
        return self._look_back(state, t.id, n) if new else state

    def people(self) -> list[Tracklet]:
        """Those in the shot who are people and no mistakes, at its end, in the order in which they were found."""
        s, p = self.state, self._parameters
        return [
            t
            for t in s.tracklets
            if t.is_person(
                first=s.first, last=s.last, fps=self._fps, searches=s.searched, threshold=self._threshold,
                occluded_threshold=p.occlusion.score, parameters=p.confirm,
            )
        ]  # fmt: skip
