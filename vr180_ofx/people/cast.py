"""Everybody in one shot: who was found, who is followed, who hides, and who is the same in both eyes."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace

from vr180_ofx.media.picture import EyeImage
from vr180_ofx.people.body import Body, expected_disparity
from vr180_ofx.people.detector import Candidate, Detector
from vr180_ofx.people.follow import BoolArray, Follower, Sighting, contained, mask_iou
from vr180_ofx.people.plan import Entry
from vr180_ofx.people.search import merge_sightings
from vr180_ofx.trackers.erase import cover, erase
from vr180_ofx.vr180.projection import Projection

#: The segmenter must be this sure that somebody is there.
PRESENCE = 0.5
#: Two masks that cover each other so far are one person seen twice.
SAME_MASK = 0.6
HIDDEN_MASK = 0.65
#: Somebody is behind others when these cover so much of the middle of the body.
_HIDDEN_ENOUGH = 0.08
#: What a detector must say of a picture with people taken out of it, and how widely it looks around each of them.
_HIDDEN_SCORE = 0.5
_AGAIN = 0.4
#: Measured: people 0.62 to 0.91; ghosts in fillings are not seen at all, or 0.2 to 0.5.
_PLAIN_IOU = 0.55
_HIDDEN_REACHES = (0.9, 1.2, 1.5, 2.0)
_JUMP = 0.5  # of the reach: nobody moves further between two looks
_RELINK_S = 3.0
_GLIMPSE_S = 0.4
_GLIMPSE_SCORE = 0.8

Eyes = dict[str, EyeImage]


@dataclass(slots=True)
class Member:
    """Somebody in the shot.

    bodies: view -> where they were seen last. entries: view -> frame -> what the plan will say.
    hits: how often a detector confirmed them. disparity: longitude in the left eye minus that in the right, radians.
    behind: view -> who stands before them there.
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

    @property
    def last_seen(self) -> int:
        return max(self.seen.values(), default=self.born)


@dataclass(slots=True)
class _Moment:
    """A frame that can be looked at again: for people who turn out to have been there before they were found."""

    n: int
    eyes: Eyes
    masks: dict[int, dict[str, BoolArray]]


class Cast:
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
        self.members: list[Member] = []
        self._past: deque[_Moment] = deque(maxlen=12)
        self.searches = 0
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
        looks = {m.id: self._look(m, eyes, first) for m in there if any(i == m.id for i, _ in first)}
        self._drop_doubles(looks)
        masks = {view: {i: found[view].mask for i, found in looks.items() if view in found} for view in self._views}
        for m in there:
            found = looks.get(m.id, {})
            if len(found) < len(self._views):
                self._look_behind(m, eyes, masks, found, {o.id for o in there})
            for view, s in found.items():
                masks[view][m.id] = s.mask
            if m.id in looks or found:
                gained = m.entries and any(view not in m.entries for view in found)
                self._note(m, n, found)
                if gained:
                    self._look_back(m, n)
        self._past.append(_Moment(n, eyes, {m.id: dict(m.masks) for m in self.members if n in m.seen.values()}))

    def _look_behind(
        self, m: Member, eyes: Eyes, masks: dict[str, dict[int, BoolArray]], found: dict[str, Sighting], known: set[int]
    ) -> None:
        """Adds to ``found`` what is to be seen of somebody behind others, once those are taken out of the picture."""
        for view, body in m.bodies.items():
            if view in found:
                continue
            others = {i: mask for i, mask in masks[view].items() if i != m.id and i in known and self._near(mask, body)}
            if not others:
                continue
            s = self._follower.look(eyes[view], body, rounds=1, erased=_union(others.values()))
            if s is None or not _steady(body, s) or any(_same(s.mask, o) for o in masks[view].values()):
                continue
            found[view] = s
            m.behind[view] = frozenset(others) if s.hidden > _HIDDEN_ENOUGH else frozenset()
        if len(self._views) == 2 and found:
            before = set(found)
            self._agree(m, eyes, found, masks)
            for view in set(found) - before:
                s = found[view]
                near = frozenset(i for i, mask in masks[view].items() if i != m.id and i in known and self._near(mask, s.body))
                m.behind[view] = near if s.hidden > _HIDDEN_ENOUGH else frozenset()

    def _near(self, mask: BoolArray, body: Body) -> bool:
        """Whether somebody's mask reaches into the square around a body."""
        rect = body.window(32, 0.8).bounds(self._follower.canvas)
        return bool(not rect.empty and mask[rect.slices].any())

    def _look(self, m: Member, eyes: Eyes, seen: dict[tuple[int, str], Sighting | None] | None = None) -> dict[str, Sighting]:
        """seen: what was found already where the person was before; looked for when it is not given."""
        found: dict[str, Sighting] = {}
        for view, body in m.bodies.items():
            if m.behind.get(view):
                continue
            sighting = seen[m.id, view] if seen is not None else self._follower.look(eyes[view], body)
            if sighting is not None and _steady(body, sighting):
                found[view] = sighting
        if len(self._views) == 2:
            self._agree(m, eyes, found)
        return found

    def _agree(self, m: Member, eyes: Eyes, found: dict[str, Sighting], masks: dict[str, dict[int, BoolArray]] | None = None) -> None:
        """Both eyes see the same person, at the same height and a plausible distance; the steadier eye corrects the other."""
        left, right = self._views
        if left in found and right in found:
            if self._plausible(m, found[left].body, found[right].body):
                return
            moved = {v: _moved(m.bodies[v], found[v].body) if v in m.bodies else math.inf for v in self._views}
            del found[max(self._views, key=lambda v: moved[v])]
        if len(found) != 1:
            return
        have = next(iter(found))
        lack = right if have == left else left
        if masks is None and m.behind.get(lack):
            return  # they are looked for behind others, later
        erased = None
        if masks is not None and m.id not in masks[lack]:
            erased = _union(mask for i, mask in masks[lack].items() if i != m.id)
        sighting = self.carry(m, found[have].body, have, eyes[lack], erased)
        if sighting is not None and not (erased is not None and _same(sighting.mask, erased)):
            found[lack] = sighting

    def carry(self, m: Member, body: Body, have: str, eye: EyeImage, erased: BoolArray | None = None) -> Sighting | None:
        """Looks in the other eye where the disparity puts the body."""
        guess = self._guess(m, body, have)
        if abs(guess.longitude) > math.pi * 0.6:
            return None
        sighting = self._follower.look(eye, guess, rounds=2, erased=erased)
        if sighting is None or sighting.presence < PRESENCE:
            return None
        pair = (body, sighting.body) if have == self._views[0] else (sighting.body, body)
        return sighting if self._plausible(m, *pair) else None

    def _guess(self, m: Member, body: Body, have: str) -> Body:
        disparity = m.disparity if m.disparity is not None else expected_disparity(body)
        return body.shifted(-disparity if have == self._views[0] else disparity)

    def _plausible(self, m: Member, left: Body, right: Body) -> bool:
        reach = max(left.reach, right.reach)
        if abs(left.latitude - right.latitude) > 0.12 * reach + math.radians(0.7):
            return False
        if not 0.6 < left.reach / right.reach < 1.67:
            return False
        disparity = math.remainder(left.longitude - right.longitude, math.tau)
        if not -math.radians(1.5) - 0.1 * reach < disparity < math.radians(12):
            return False
        return m.disparity is None or abs(disparity - m.disparity) < 0.2 * reach + math.radians(1)

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

    def _loyalty(self, m: Member, view: str, s: Sighting) -> float:
        before = m.masks.get(view)
        overlap = mask_iou(before, s.mask) if before is not None else 0.0
        return overlap + 0.02 * min(m.hits, 10)

    def _note(self, m: Member, n: int, found: dict[str, Sighting], source: str = "tracked") -> None:
        for view, s in found.items():
            m.bodies[view] = s.body
            m.masks[view] = s.mask
            m.seen[view] = n
            m.entries.setdefault(view, {})[n] = Entry(s.body, s.box, s.presence, source, tuple(sorted(m.behind.get(view, ()))))
        if len(self._views) == 2 and len(found) == 2:
            left, right = (found[v].body for v in self._views)
            disparity = math.remainder(left.longitude - right.longitude, math.tau)
            m.disparity = disparity if m.disparity is None else 0.7 * m.disparity + 0.3 * disparity

    # what a search found -----------------------------------------------------------------------------------------

    def meet(self, n: int, eyes: Eyes, view: str, candidates: Iterable[Candidate]) -> None:
        """Tells the people that a search of one eye found: known ones are confirmed, new ones join."""
        candidates = list(candidates)
        self.searches += 1
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
            if s is None or s.presence < PRESENCE or _moved(c.body, s.body) > 0.6:
                continue
            others = [m.masks[view] for m in self.members if m.seen.get(view) == n]
            if any(_same(s.mask, o) for o in others):
                continue
            self._join(n, eyes, view, c, s)

    def meet_hidden(self, n: int, eyes: Eyes, view: str, detector: Detector, local: Projection) -> None:
        """Takes everybody who is known out of the picture and looks again around them: who stands behind?"""
        masks = {m.id: m.masks[view] for m in self.members if m.seen.get(view) == n}
        if not masks:
            return
        everybody = _union(masks.values())
        assert everybody is not None
        around = [m.bodies[view] for m in self.members if m.id in masks and not m.behind.get(view)]

        def search(place: tuple[Body, float]) -> list[Candidate]:
            window = place[0].window(detector.size, place[1])
            picture = erase(eyes[view].sample(window.grid(local)).rgb, self._follower.in_window(everybody, window))
            return detector.find(picture, window, _HIDDEN_SCORE)

        found = [c for group in self._map(search, [(body, reaches) for body in around for reaches in _HIDDEN_REACHES]) for c in group]
        for c in merge_sightings(found):
            s = self._follower.look(eyes[view], c.body, rounds=2, erased=everybody)
            if s is None or s.presence < PRESENCE or _moved(c.body, s.body) > 0.6:
                continue
            others = {m.id: m.masks[view] for m in self.members if m.seen.get(view) == n}
            again = [m for m in self.members if m.behind.get(view) and m.id in others and mask_iou(s.mask, others[m.id]) > _AGAIN]
            for m in again:
                m.hits += 1
                m.best_score = max(m.best_score, c.score)
            if again or any(_same(s.mask, o) for o in others.values()):
                continue
            # a filling can look like somebody; a person is still there behind a plain cover
            plain = self._follower.look(eyes[view], s.body, erased=everybody, fill=cover)
            if plain is None or mask_iou(plain.mask, s.mask) < _PLAIN_IOU:
                continue
            # a second eye that sees them too is worth a good score
            if len(self._views) == 1 and c.score < self._threshold:
                continue
            near = frozenset(i for i, mask in masks.items() if self._near(mask, s.body))
            if near and s.hidden > _HIDDEN_ENOUGH:
                self._join(n, eyes, view, c, s, near)

    def _known(self, c: Candidate, view: str, n: int) -> Member | None:
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
            m = Member(self._next_id, n, {}, {}, behind={view: behind})
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
            partner, before, taken = self._partner(replace_disparity(m), n, s.body, view, eyes)
            if partner is not None and taken is None:
                found[self._other(view)] = partner
                m.behind[self._other(view)] = before
        m.behind[view] = behind
        new = any(v not in m.entries for v in found)
        m.hits += 1
        m.best_score = max(m.best_score, c.score)
        self._note(m, n, found, "found")
        if self._past and self._past[-1].n == n:
            self._past[-1].masks[m.id] = dict(m.masks)
        if new:
            self._look_back(m, n)

    def _other(self, view: str) -> str:
        return self._views[1] if view == self._views[0] else self._views[0]

    def _partner(self, m: Member, n: int, body: Body, have: str, eyes: Eyes) -> tuple[Sighting | None, frozenset[int], Member | None]:
        """Somebody whom one eye shows, in the other eye: how they look there, who stands before them there, and who it is if
        they are known already. First as the picture is, then with everybody near them taken out of it.
        """
        lack = self._other(have)
        best: tuple[Sighting | None, frozenset[int], Member | None] = (None, frozenset(), None)
        known = {o.id: o.masks[lack] for o in self.members if o.id != m.id and o.seen.get(lack) == n}
        near = frozenset(i for i, mask in known.items() if self._near(mask, self._guess(m, body, have)))
        theirs = frozenset().union(*m.behind.values()) & near
        for hiders in dict.fromkeys((theirs, near)):
            partner = self.carry(m, body, have, eyes[lack], _union(known[i] for i in hiders))
            if partner is None:
                continue
            before = hiders if partner.hidden > _HIDDEN_ENOUGH else frozenset()
            same = [o for o in self.members if o.id in known and _same(partner.mask, known[o.id])]
            if not same:
                return partner, before, None
            best = partner, before, same[0]
        return best

    def _returning(self, n: int, view: str, s: Sighting) -> Member | None:
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

    def _look_back(self, m: Member, n: int) -> None:
        """Follows a new person back to where they came from, as far as the frames are still at hand."""
        ahead = Member(m.id, n, dict(m.bodies), {}, dict(m.masks), dict(m.seen), m.best_score, m.hits, m.disparity, dict(m.behind))
        for moment in reversed(self._past):
            if moment.n >= n:
                continue
            masks = {v: {i: own[v] for i, own in moment.masks.items() if v in own and i != m.id} for v in self._views}
            found = self._look(ahead, moment.eyes)
            for view in list(found):
                if any(_same(found[view].mask, o) for o in masks[view].values()):
                    del found[view]
            if len(found) < len(ahead.bodies):
                self._look_behind(ahead, moment.eyes, masks, found, set(moment.masks) - {m.id})
            if not found:
                break
            self._note(ahead, moment.n, found)
            for view, s in found.items():
                moment.masks.setdefault(m.id, {}).setdefault(view, s.mask)
        for view, entries in ahead.entries.items():
            own = m.entries.setdefault(view, {})
            for k, entry in entries.items():
                own.setdefault(k, entry)

    # the end of the shot -----------------------------------------------------------------------------------------

    def _length(self) -> int:
        return self._last - self._first + 1

    def believed(self) -> list[Member]:
        """The members that are people: confirmed by more than one search when there was more than one to confirm them."""
        kept = []
        for m in self.members:
            frames = sorted({n for e in m.entries.values() for n in e})
            # nobody is asked for a good score who could only be seen in part
            wanted = _HIDDEN_SCORE if any(e.behind for own in m.entries.values() for e in own.values()) else self._threshold
            if not frames or m.best_score < wanted:
                continue
            # a glimpse in the middle of a long shot is a mistake more often than a person
            glimpse = frames[-1] - frames[0] < _GLIMPSE_S * self._fps and self._length() > 4 * _GLIMPSE_S * self._fps
            inside = frames[0] > self._first and frames[-1] < self._last - _GLIMPSE_S * self._fps
            # at its ends somebody may be coming or going: then the detector must be surer than usual
            if glimpse and (inside or m.best_score < max(_GLIMPSE_SCORE, self._threshold)):
                continue
            chances = sum(frames[0] <= n <= frames[-1] for n in self.search_frames)
            # what was only ever seen in pictures with others taken out must be seen twice, or by both eyes
            glimpsed = len(m.entries) < 2 and all(e.behind for own in m.entries.values() for e in own.values())
            if m.hits >= 2 or (chances <= 1 and not glimpsed):
                kept.append(m)
        return kept


def replace_disparity(m: Member) -> Member:
    """A copy that forgets its distance: after a while out of sight it may have changed."""
    return replace(m, disparity=None)


def _union(masks: Iterable[BoolArray]) -> BoolArray | None:
    total: BoolArray | None = None
    for mask in masks:
        total = mask.copy() if total is None else total | mask
    return total


def _same(new: BoolArray, known: BoolArray) -> bool:
    """Whether a mask shows somebody who is known already: a part of them, them with something more, or just them."""
    return contained(new, known) > HIDDEN_MASK or contained(known, new) > HIDDEN_MASK or mask_iou(new, known) > SAME_MASK


def _moved(a: Body, b: Body) -> float:
    return a.angle_to(b) / max(min(a.reach, b.reach), 1e-6)


def _steady(before: Body, s: Sighting) -> bool:
    return s.presence >= PRESENCE and _moved(before, s.body) < _JUMP and 0.6 < s.body.reach / before.reach < 1.67
