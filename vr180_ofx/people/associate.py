"""Everybody in one shot: who was found, who is followed, who hides, and who is the same in both eyes."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import replace

import numpy as np

from vr180_ofx.arrays import BoolArray, FloatArray
from vr180_ofx.imaging.inpaint import cover, erase
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.people.contract import Candidate, Detector
from vr180_ofx.people.follow import Follower, Sighting
from vr180_ofx.people.masks import contained, mask_iou, union
from vr180_ofx.people.person import Entry
from vr180_ofx.people.search import merge_sightings
from vr180_ofx.people.tracklet import HIDDEN_SCORE, PRESENCE, SAME_MASK, Eyes, Moment, Tracklet, moved, same_person, steady
from vr180_ofx.stereo.distance import whole_shift
from vr180_ofx.vr180.body import Body
from vr180_ofx.vr180.layout import LEFT, RIGHT
from vr180_ofx.vr180.projection import Projection

#: Somebody is behind others when these cover so much of the middle of the body.
_HIDDEN_ENOUGH = 0.08
#: How widely a detector looks around each of those who were taken out of the picture.
_HIDDEN_REACHES = (0.9, 1.2, 1.5, 2.0)
#: Where else somebody may stand behind them: how many of their reaches to the side, and how large in comparison.
_GUESSES = tuple((aside, size) for aside in (-0.35, 0.35, -0.7, 0.7) for size in (0.65, 1.0))
_AGAIN = 0.4
#: Measured: people 0.62 to 0.91; ghosts in fillings are not seen at all, or 0.2 to 0.5.
_PLAIN_IOU = 0.55
#: For those who are known already, and come to stand behind somebody.
_STILL_PLAIN_IOU = 0.3
#: Measured: people beside others 0.8 to 0.96; those made of parts of two are not seen at all.
_ALONE_IOU = 0.5
_RELINK_S = 3.0


class ShotTracker:
    """The people of one shot, fed with frames in order."""

    def __init__(
        self, follower: Follower, views: tuple[str, ...], fps: float, threshold: float, first_id: int, executor: Executor | None = None
    ) -> None:
        self._follower = follower
        self._map = executor.map if executor is not None else map
        self._views = views
        self._fps = fps
        self._threshold = threshold
        self._next_id = first_id
        self.members: list[Tracklet] = []
        self._past: deque[Moment] = deque(maxlen=12)
        self.search_frames: list[int] = []
        self._first = self._last = -1

    # one frame -------------------------------------------------------------------------------------------------

    def step(self, n: int, eyes: Eyes) -> None:
        """Follows everybody who was there to frame ``n``: first those whom nobody hides, then those behind them."""
        self._first = n if self._first < 0 else self._first
        self._last = n
        there = [m for m in self.members if n - m.last_seen <= _RELINK_S * self._fps]
        # everybody in every eye at once; the result does not depend on who is first
        pairs = [(m, view) for m in there for view in m.bodies if not m.behind.get(view)]
        seen = self._map(lambda p: self._follower.look(eyes[p[1]], p[0].bodies[p[1]]), pairs)
        first = {(m.id, view): s for (m, view), s in zip(pairs, seen, strict=True)}
        looks = {m.id: self._look(m, eyes, first) for m in there}
        self._drop_doubles(looks)
        masks = {view: {i: found[view].mask for i, found in looks.items() if view in found} for view in self._views}
        for m in there:
            found = looks[m.id]
            if len(found) < len(self._views):
                self._look_behind(m, eyes, masks, found, {o.id for o in there})
            for view, s in found.items():
                masks[view][m.id] = s.mask
            gained = m.entries and any(view not in m.entries for view in found)
            self._note(m, n, found)
            self._range(m, n, eyes, found)
            if gained:
                self._look_back(m, n)
        self._past.append(Moment(n, eyes, {m.id: dict(m.masks) for m in self.members if n in m.seen.values()}))

    def _look_behind(
        self,
        m: Tracklet,
        eyes: Eyes,
        masks: dict[str, dict[int, BoolArray]],
        found: dict[str, Sighting],
        known: set[int],
        back: bool = False,
    ) -> None:
        """Adds to ``found`` what is to be seen of somebody behind others, once those are taken out of the picture.

        back: whether time runs backwards.
        """
        for view, body in m.bodies.items():
            if view in found:
                continue
            near = self._near({i: mask for i, mask in masks[view].items() if i != m.id and i in known}, body)
            if not near:
                continue
            erased = union(masks[view][i] for i in near)
            s = self._follower.look(eyes[view], body, rounds=1, erased=erased)
            if s is None or not steady(body, s) or any(same_person(s.mask, o) for o in masks[view].values()):
                continue
            # where they came from needs no second look: they were seen later, for sure
            if not back and not self._seen_again(eyes[view], s.body, s.mask, erased, _STILL_PLAIN_IOU, cover):
                continue
            found[view] = s
            m.behind[view] = _hiding(s, near)
        if len(self._views) == 2 and found:
            before = set(found)
            self._agree(m, eyes, found, masks)
            for view in set(found) - before:
                s = found[view]
                near = self._near({i: mask for i, mask in masks[view].items() if i != m.id and i in known}, s.body)
                m.behind[view] = _hiding(s, near)

    def _seen_again(
        self, eye: EyeImage, body: Body, own: BoolArray, erased: BoolArray | None, least: float,
        fill: Callable[[FloatArray, BoolArray], FloatArray] = erase,
    ) -> bool:  # fmt: skip
        """Whether somebody who covers ``own`` is still there when others are taken out of the picture, by ``fill``. A filling can look like
        somebody; a person is still there behind a plain cover.
        """
        again = self._follower.look(eye, body, erased=erased, fill=fill)
        return again is not None and mask_iou(again.mask, own) >= least

    def _near(self, masks: dict[int, BoolArray], body: Body) -> frozenset[int]:
        """Those whose masks reach into the square around a body."""
        rect = body.window(32, 0.8).bounds(self._follower.canvas)
        return frozenset(i for i, mask in masks.items() if mask[rect.slices].any())

    def _masks(self, n: int, view: str) -> dict[int, BoolArray]:
        """What those cover who were seen in this eye at frame ``n``."""
        return {m.id: m.masks[view] for m in self.members if m.seen.get(view) == n}

    def _look(self, m: Tracklet, eyes: Eyes, seen: dict[tuple[int, str], Sighting | None] | None = None) -> dict[str, Sighting]:
        """seen: what was found already where the person was before; looked for when it is not given."""
        found: dict[str, Sighting] = {}
        for view, body in m.bodies.items():
            if m.behind.get(view):
                continue
            sighting = seen[m.id, view] if seen is not None else self._follower.look(eyes[view], body)
            if sighting is not None and steady(body, sighting):
                found[view] = sighting
        if len(self._views) == 2:
            self._agree(m, eyes, found)
        return found

    def _agree(self, m: Tracklet, eyes: Eyes, found: dict[str, Sighting], masks: dict[str, dict[int, BoolArray]] | None = None) -> None:
        """Both eyes see the same person, at the same height and a plausible distance; the steadier eye corrects the other."""
        left, right = self._views
        if len(found) == 2:
            if m.plausible(found[left].body, found[right].body):
                return
            jumps = {v: moved(m.bodies[v], found[v].body) if v in m.bodies else math.inf for v in self._views}
            del found[max(self._views, key=lambda v: jumps[v])]
        if len(found) != 1:
            return
        have = next(iter(found))
        lack = self._other(have)
        if masks is None and m.behind.get(lack):
            return  # they are looked for behind others, later
        erased = None
        if masks is not None and m.id not in masks[lack]:
            erased = union(mask for i, mask in masks[lack].items() if i != m.id)
        sighting = self.carry(m, found[have].body, have, eyes[lack], erased)
        if sighting is not None and not (erased is not None and same_person(sighting.mask, erased)):
            found[lack] = sighting

    def carry(self, m: Tracklet, body: Body, have: str, eye: EyeImage, erased: BoolArray | None = None) -> Sighting | None:
        """Looks in the other eye where the disparity puts the body."""
        guess = m.in_other_eye(body, have == self._views[0])
        if abs(guess.longitude) > math.pi * 0.6:
            return None
        sighting = self._follower.look(eye, guess, rounds=2, erased=erased)
        if sighting is None or sighting.presence < PRESENCE:
            return None
        pair = (body, sighting.body) if have == self._views[0] else (sighting.body, body)
        return sighting if m.plausible(*pair) else None

    def _drop_doubles(self, looks: dict[int, dict[str, Sighting]]) -> None:
        """When two people's masks become one, the one whose mask changed more has jumped onto the other."""
        by_id = {m.id: m for m in self.members}
        for view in self._views:
            ids = [i for i in looks if view in looks[i]]
            for a in ids:
                for b in ids:
                    if a >= b or view not in looks[a] or view not in looks[b]:
                        continue
                    sa, sb = looks[a][view], looks[b][view]
                    if (
                        max(contained(sa.mask, sb.mask), contained(sb.mask, sa.mask)) < SAME_MASK + 0.15
                        and mask_iou(sa.mask, sb.mask) < SAME_MASK
                    ):
                        continue
                    loyal = {i: self._loyalty(by_id[i], view, looks[i][view]) for i in (a, b)}
                    del looks[min((a, b), key=lambda i: loyal[i])][view]

    def _loyalty(self, m: Tracklet, view: str, s: Sighting) -> float:
        before = m.masks.get(view)
        overlap = mask_iou(before, s.mask) if before is not None else 0.0
        return overlap + 0.02 * min(m.hits, 10)

    def _note(self, m: Tracklet, n: int, found: dict[str, Sighting], source: str = "tracked") -> None:
        for view, s in found.items():
            m.bodies[view] = s.body
            m.masks[view] = s.mask
            m.seen[view] = n
            m.entries.setdefault(view, {})[n] = Entry(s.body, s.box, s.presence, source, tuple(sorted(m.behind.get(view, ()))))
        if len(self._views) == 2 and len(found) == 2:
            left, right = (found[v].body for v in self._views)
            disparity = math.remainder(left.longitude - right.longitude, math.tau)
            m.disparity = disparity if m.disparity is None else 0.7 * m.disparity + 0.3 * disparity

    def _range(self, m: Tracklet, n: int, eyes: Eyes, found: dict[str, Sighting]) -> None:
        """Measures how far away somebody is whom both eyes see."""
        if len(found) < 2 or LEFT not in found:
            return
        eye = eyes[LEFT]
        local = self._follower.projection.resized(eye.width, eye.height)
        match = whole_shift(eye, eyes[RIGHT], np.array(found[LEFT].body.direction), found[RIGHT].mask, local)
        if match is not None:
            m.matches[n] = match

    # what a search found -----------------------------------------------------------------------------------------

    def meet(self, n: int, eyes: Eyes, view: str, candidates: Iterable[Candidate]) -> None:
        """Tells the people that a search of one eye found: known ones are confirmed, new ones join."""
        candidates = list(candidates)
        self.search_frames.append(n)
        known: set[int] = set()
        for c in candidates:
            m = self._known(c, view, n)
            if m is not None:
                if m.id not in known:
                    m.hits += 1
                    known.add(m.id)
                m.best_score = max(m.best_score, c.score)
        for c in candidates:
            if c.score < self._threshold or self._known(c, view, n) is not None:
                continue
            s = self._follower.look(eyes[view], c.body, rounds=2)
            if s is None or s.presence < PRESENCE or moved(c.body, s.body) > 0.6:
                continue
            masks = self._masks(n, view)
            if any(same_person(s.mask, o) for o in masks.values()):
                continue
            beside = union(masks[i] for i in self._near(masks, s.body))
            if beside is not None and not self._seen_again(eyes[view], s.body, s.mask & ~beside, beside, _ALONE_IOU):
                continue  # parts of two people, or of one and something; who stands behind is looked for by `meet_hidden`
            self._join(n, eyes, view, c, s)

    def meet_hidden(self, n: int, eyes: Eyes, view: str, detector: Detector, local: Projection) -> None:
        """Takes everybody who is known out of the picture and looks again around them: who stands behind?"""
        masks = self._masks(n, view)
        everybody = union(masks.values())
        if everybody is None:
            return
        around = [m.bodies[view] for m in self.members if m.id in masks and not m.behind.get(view)]

        def search(place: tuple[Body, float]) -> list[Candidate]:
            window = place[0].window(detector.size, place[1])
            picture = erase(eyes[view].sample(window.grid(local)).rgb, self._follower.in_window(everybody, window))
            return detector.find(picture, window, HIDDEN_SCORE)

        found = [c for group in self._map(search, [(body, reaches) for body in around for reaches in _HIDDEN_REACHES]) for c in group]
        # of somebody of whom parts are to be seen here and there the detector has little to say; what the segmenter finds must stand
        # up to a plain cover, and to the other eye, all the same
        guessed = [replace(b.shifted(aside * b.reach), reach=b.reach * size) for b in around for aside, size in _GUESSES]
        candidates = [*merge_sightings(found), *(Candidate(body, HIDDEN_SCORE) for body in guessed)]
        # who joins below changes nothing of what is seen: all of them at once
        sightings = self._map(lambda c: self._follower.look(eyes[view], c.body, rounds=2, erased=everybody), candidates)
        for c, s in zip(candidates, sightings, strict=True):
            if s is None or s.presence < PRESENCE or moved(c.body, s.body) > 0.6:
                continue
            others = self._masks(n, view)
            again = [m for m in self.members if m.behind.get(view) and m.id in others and mask_iou(s.mask, others[m.id]) > _AGAIN]
            for m in again:
                m.hits += 1
                m.best_score = max(m.best_score, c.score)
            if again or any(same_person(s.mask, o) for o in others.values()):
                continue
            if not self._seen_again(eyes[view], s.body, s.mask, everybody, _PLAIN_IOU, cover):
                continue
            # a second eye that sees them too is worth a good score
            if len(self._views) == 1 and c.score < self._threshold:
                continue
            near = self._near(masks, s.body)
            if near and s.hidden > _HIDDEN_ENOUGH:
                self._join(n, eyes, view, c, s, near)

    def _known(self, c: Candidate, view: str, n: int) -> Tracklet | None:
        best, nearest = None, 1.0
        for m in self.members:
            if m.seen.get(view) != n:
                continue
            body = m.bodies[view]
            distance = body.angle_to(c.body) / (0.5 * min(body.reach, c.body.reach))
            if distance < nearest and 0.5 < c.body.reach / body.reach < 2:
                best, nearest = m, distance
        return best

    def _join(self, n: int, eyes: Eyes, view: str, c: Candidate, s: Sighting, behind: frozenset[int] = frozenset()) -> None:
        m = self._returning(n, view, s)
        found = {view: s}
        if m is None:
            m = Tracklet(self._next_id, n, {}, {}, behind={view: behind})
            if len(self._views) == 2:
                other = self._other(view)
                partner, before, taken = self._partner(m, n, s.body, view, eyes)
                sure = taken is not None and (
                    bool(before) or (partner is not None and mask_iou(partner.mask, taken.masks[other]) > SAME_MASK)
                )
                if taken is not None and (taken.seen.get(view) == n or not sure):
                    partner = None
                elif taken is not None:
                    # the other eye knows this person and had not found them here; it may have taken their pose for another
                    m = taken
                if partner is not None:
                    found[other] = partner
                    m.behind[other] = before
                elif behind:
                    return  # what only one eye sees in a filled picture is not to be believed
            if m.id == self._next_id:
                self._next_id += 1
                self.members.append(m)
        elif len(self._views) == 2 and m.seen.get(self._other(view)) != n:
            partner, before, taken = self._partner(m.forgetting_distance(), n, s.body, view, eyes)
            if partner is not None and taken is None:
                found[self._other(view)] = partner
                m.behind[self._other(view)] = before
        m.behind[view] = behind
        new = any(v not in m.entries for v in found)
        m.hits += 1
        m.best_score = max(m.best_score, c.score)
        self._note(m, n, found, "found")
        self._range(m, n, eyes, found)
        if self._past and self._past[-1].n == n:
            self._past[-1].masks[m.id] = dict(m.masks)
        if new:
            self._look_back(m, n)

    def _other(self, view: str) -> str:
        return self._views[1] if view == self._views[0] else self._views[0]

    def _partner(self, m: Tracklet, n: int, body: Body, have: str, eyes: Eyes) -> tuple[Sighting | None, frozenset[int], Tracklet | None]:
        """Somebody whom one eye shows, in the other eye: how they look there, who stands before them there, and who it is if
        they are known already. First as the picture is, then with everybody near them taken out of it.
        """
        lack = self._other(have)
        best: tuple[Sighting | None, frozenset[int], Tracklet | None] = (None, frozenset(), None)
        known = {i: mask for i, mask in self._masks(n, lack).items() if i != m.id}
        near = self._near(known, m.in_other_eye(body, have == self._views[0]))
        theirs = frozenset().union(*m.behind.values()) & near
        for hiders in dict.fromkeys((theirs, near)):
            partner = self.carry(m, body, have, eyes[lack], union(known[i] for i in hiders))
            if partner is None:
                continue
            before = _hiding(partner, hiders)
            same = [o for o in self.members if o.id in known and same_person(partner.mask, known[o.id])]
            if not same:
                return partner, before, None
            best = partner, before, same[0]
        return best

    def _returning(self, n: int, view: str, s: Sighting) -> Tracklet | None:
        """Somebody who was lost not long ago and not far from here."""
        best, nearest = None, 1.0
        for m in self.members:
            seen = m.seen.get(view)
            if seen is None or seen == n or n - seen > _RELINK_S * self._fps:
                continue
            body = m.bodies[view]
            # the longer out of sight, the further they may have gone
            allowed = body.reach * (0.6 + 0.8 * (n - seen) / self._fps)
            distance = body.angle_to(s.body) / allowed
            if distance < nearest and 0.55 < s.body.reach / body.reach < 1.8:
                best, nearest = m, distance
        return best

    def _look_back(self, m: Tracklet, n: int) -> None:
        """Follows a new person back to where they came from, as far as the frames are still at hand."""
        ahead = Tracklet(m.id, n, dict(m.bodies), {}, dict(m.masks), dict(m.seen), m.best_score, m.hits, m.disparity, dict(m.behind))
        for moment in reversed(self._past):
            if moment.n >= n:
                continue
            masks = {v: {i: own[v] for i, own in moment.masks.items() if v in own and i != m.id} for v in self._views}
            found = self._look(ahead, moment.eyes)
            for view in list(found):
                if any(same_person(found[view].mask, o) for o in masks[view].values()):
                    del found[view]
            if len(found) < len(ahead.bodies):
                self._look_behind(ahead, moment.eyes, masks, found, set(moment.masks) - {m.id}, back=True)
            if not found:
                continue  # out of sight for a moment, perhaps; `steady` sees to it that nobody else is taken for them
            self._note(ahead, moment.n, found)
            self._range(ahead, moment.n, moment.eyes, found)
            for view, s in found.items():
                moment.masks.setdefault(m.id, {}).setdefault(view, s.mask)
        for view, entries in ahead.entries.items():
            own = m.entries.setdefault(view, {})
            for k, entry in entries.items():
                own.setdefault(k, entry)
        for k, match in ahead.matches.items():
            m.matches.setdefault(k, match)

    def believed(self) -> list[Tracklet]:
        """The members that are people, at the end of the shot."""
        return [m for m in self.members if m.believable(self._first, self._last, self._fps, self.search_frames, self._threshold)]


def _hiding(s: Sighting, near: frozenset[int]) -> frozenset[int]:
    """Who of those near somebody stands before them."""
    return near if s.hidden > _HIDDEN_ENOUGH else frozenset()
