"""Two people are not one because one leaves as the other comes: tracklets are looked through for a change of person, by their looks.

Pure functions of tracklets. While somebody is followed, place and size alone say who they are (`people.associate`); here, when
everything is known, the looks before and after every frame are compared.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from vr180_ofx.people.doubts import Doubt
from vr180_ofx.people.look import Look, difference, typical_look
from vr180_ofx.people.parameters import IdentityParameters
from vr180_ofx.people.person import Entry
from vr180_ofx.people.tracklet import Tracklet, moved
from vr180_ofx.vr180.body import Body


@dataclass(frozen=True, slots=True)
class Change:
    """A frame from which on somebody may be somebody else. last, frame: the last one before and the first one after.

    evidence: how different the typical looks of both sides are, see `apart`. fewest: frames of the side with fewer. broken: whether they
    were out of sight in between, or jumped. possible: whether somebody else can have been taken for them about then: they were out of
    sight, or jumped, or were beside somebody.
    """

    last: int
    frame: int
    evidence: float
    fewest: int
    broken: bool
    possible: bool


#: (view, frame) -> where others are.
Bodies = Mapping[tuple[str, int], Sequence[Body]]


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at somebody in one eye."""

    n: int
    view: str
    entry: Entry
    look: Look


def seen_of(t: Tracklet) -> list[Seen]:
    """All looks at somebody, eye by eye."""
    return [Seen(n, view, e, e.look) for view, own in t.entries.items() for n, e in sorted(own.items()) if e.look is not None]


def apart(one: Sequence[Look], other: Sequence[Look], p: IdentityParameters) -> float:
    """How surely two groups of looks are of two people: the distance of what is typical of each, in units of how far the looks of one
    person lie apart (the sensitivity index d' of signal detection, Green and Swets 1966). That is measured here and now, since it depends
    on movement, occlusion and light, and is at least ``p.spread``. 0 where too little of the bodies can be compared.
    """
    a, b = typical_look(one), typical_look(other)
    value, common = difference(a, b)
    if common < p.common:
        return 0.0
    spread = max(float(np.median([difference(x, typical)[0] for x in own])) for own, typical in ((one, a), (other, b)))
    return value / math.hypot(spread, p.spread)


def changes(seen: Sequence[Seen], others: Bodies, stride: int, p: IdentityParameters) -> Iterator[Change]:
    """Between every two frames where it may be: how the looks on both sides differ, over ``p.looks`` frames each; ``p.fewest`` at least."""
    by_frame: dict[int, list[Seen]] = {}
    for s in seen:
        by_frame.setdefault(s.n, []).append(s)
    frames = sorted(by_frame)
    broken = [_broken(by_frame[a], by_frame[b], stride, p) for a, b in pairwise(frames)]
    for k in _worth_a_look([[s.look for s in by_frame[n]] for n in frames], p):
        before, after = frames[max(0, k - p.looks) : k], frames[k : k + p.looks]
        evidence = apart([s.look for n in before for s in by_frame[n]], [s.look for n in after for s in by_frame[n]], p)
        # the looks of a moment are not quite theirs when somebody comes into sight, so it may be a little later, or earlier
        about = range(max(0, k - 1 - p.about), min(len(broken), k + p.about))
        possible = any(broken[j] for j in about) or _beside(by_frame[frames[k - 1]], others, p) or _beside(by_frame[frames[k]], others, p)
        yield Change(frames[k - 1], frames[k], evidence, min(k, len(frames) - k), broken[k - 1], possible)


def _worth_a_look(looks: Sequence[Sequence[Look]], p: IdentityParameters) -> list[int]:
    """Before which frames somebody may have changed: where running means of both sides differ by half of what is needed. Medians would
    take a minute for somebody who is there for an hour. looks: of each frame.
    """
    if len(looks) < 2 * p.fewest:
        return []
    # of each frame: the sums of its looks' colours, in how many of them each part was seen, and how much of the body it is
    colours = np.array([np.sum([x.colours.astype(np.float32) * (x.shares > 0)[:, None, None] for x in own], axis=0) for own in looks])
    counts = np.array([np.sum([x.shares > 0 for x in own], axis=0) for own in looks])
    shares = np.array([np.mean([x.shares for x in own], axis=0) for own in looks])
    sums = [np.concatenate([np.zeros_like(a[:1], np.float64), np.cumsum(a, axis=0, dtype=np.float64)]) for a in (colours, counts, shares)]
    here = np.arange(p.fewest, len(looks) - p.fewest + 1)
    sides = []
    for first, last in ((np.maximum(here - p.looks, 0), here), (here, np.minimum(here + p.looks, len(looks)))):
        total, seen, share = (a[last] - a[first] for a in sums)
        sides.append((total / np.maximum(seen, 1)[..., None, None], share / (last - first)[:, None]))
    both = np.minimum(sides[0][1], sides[1][1])
    squares = ((sides[0][0] - sides[1][0]) ** 2).sum(axis=2).mean(axis=2)
    value = np.sqrt((squares * both).sum(axis=1) / np.maximum(both.sum(axis=1), 1e-6))
    return [int(k) for k in here[value > 0.5 * p.unsure * p.spread]]


def _broken(before: Sequence[Seen], after: Sequence[Seen], stride: int, p: IdentityParameters) -> bool:
    """Whether somebody was out of sight between two frames, or did not get from one place to the other by moving, in any eye."""
    then = {s.view: s.entry for s in before}
    both = [(then[s.view], s.entry) for s in after if s.view in then]
    return after[0].n - before[0].n > stride or not both or any(_jumped(a, b, p) for a, b in both)


def _beside(seen: Sequence[Seen], others: Bodies, p: IdentityParameters) -> bool:
    """Whether somebody was near somebody else in a frame, in any eye."""
    return any(
        s.entry.body.angle_to(o) < p.beside_reaches * max(s.entry.body.reach, o.reach) for s in seen for o in others.get((s.view, s.n), ())
    )


def _jumped(a: Entry, b: Entry, p: IdentityParameters) -> bool:
    return moved(a.body, b.body) > p.jump_reaches or abs(math.log(a.body.reach / b.body.reach)) > math.log(p.jump_size)


@dataclass(frozen=True, slots=True)
class _Part:
    """A stretch of a tracklet in which they are one person. cut_before, cut_after: whether it begins, or ends, with somebody else."""

    tracklet: Tracklet
    cut_before: bool = False
    cut_after: bool = False

    @property
    def frames(self) -> list[int]:
        """Those in which they were seen, in order."""
        return sorted({n for own in self.tracklet.entries.values() for n in own})


def told_apart(people: Sequence[Tracklet], *, stride: int, gap: float, p: IdentityParameters) -> list[Tracklet]:
    """The people of a shot, each of them one person as far as their looks say, with doubts where these are not clear.

    Where the evidence is clear and there was an interruption, somebody is split; the one who comes gets a new number. Parts that were cut,
    and look alike, are joined, so that two who changed numbers behind each other change them back. stride: frames from one look to the
    next. gap: frames out of sight up to which somebody is taken for present.
    """
    parts = [part for t in people for part in _parts(t, _bodies(o for o in people if o is not t), stride, gap, p)]
    following = _links(parts, p)
    free = max((t.id for t in people), default=0) + 1
    made: list[Tracklet] = []
    numbers: dict[int, list[tuple[int, int]]] = {}
    for k, part in enumerate(parts):
        if k in following.values():
            continue
        chain = [k]
        while chain[-1] in following:
            chain.append(following[chain[-1]])
        number = before = part.tracklet.id
        whole = part.tracklet
        if any(t.id == before for t in made):
            number, free = free, free + 1
            whole = replace(whole, id=number, taken_for=before)
        for j in chain:
            numbers.setdefault(parts[j].tracklet.id, []).append((parts[j].frames[0], number))
        for j in chain[1:]:
            whole = whole.with_past(parts[j].tracklet)
        made.append(whole)
    if len(parts) > len(people):
        made = [t.with_numbers(numbers) for t in made]
    return [_with_eyes_compared(t, p) for t in made]


def _bodies(people: Iterable[Tracklet]) -> Bodies:
    found: dict[tuple[str, int], list[Body]] = {}
    for t in people:
        for view, own in t.entries.items():
            for n, entry in own.items():
                found.setdefault((view, n), []).append(entry.body)
    return found


def _parts(t: Tracklet, others: Bodies, stride: int, gap: float, p: IdentityParameters) -> list[_Part]:
    """A tracklet, cut where the evidence is clear, with doubts where it is not; in order."""
    done: list[_Part] = []
    waiting = [_Part(t)]
    while waiting:
        part = waiting.pop()
        # whoever is alone, and in sight all the time, stays who they are, but for a change that is beyond doubt
        found = [c for c in changes(seen_of(part.tracklet), others, stride, p) if c.evidence >= (p.unsure if c.possible else p.sure)]
        sure = [c for c in found if c.evidence >= p.sure and c.possible and c.fewest >= p.sure_frames]
        change = max(sure or found, key=lambda c: c.evidence, default=None)
        if change is not None:
            reach = p.about * stride
            nearby = [c for c in found if c.broken and c.frame >= change.last - reach and c.last <= change.frame + reach]
            change = max(nearby, key=lambda c: c.evidence, default=change)
        if change is None:
            done.append(part)
        elif sure:
            earlier, later = part.tracklet.between(0, change.last), part.tracklet.between(change.frame, math.inf)
            if change.frame - change.last <= gap:
                # taken for present in between: each of them up to the middle, where they were seen
                middle = (change.last + change.frame + 1) // 2
                earlier, later = earlier.holding(change.last, middle - 1), later.holding(change.frame, middle)
            # the later one is looked at first: it is put aside last
            waiting += [_Part(earlier, part.cut_before, cut_after=True), _Part(later, cut_before=True, cut_after=part.cut_after)]
        else:
            # the other one comes somewhere between the two looks
            done.append(replace(part, tracklet=part.tracklet.with_doubt(Doubt((change.last + change.frame + 1) // 2))))
    return done[::-1]


def _links(parts: Sequence[_Part], p: IdentityParameters) -> dict[int, int]:
    """Part -> the part that goes on with it: of those that were cut there, the most alike first."""
    pairs = []
    for j, a in enumerate(parts):
        for k, b in enumerate(parts):
            if not (a.cut_after and b.cut_before) or a.frames[-1] >= b.frames[0]:
                continue
            ends = _looks(a.tracklet, p.looks, last=True), _looks(b.tracklet, p.looks, last=False)
            value = apart(*ends, p)
            if 0 < value <= p.alike:
                pairs.append((value, j, k))
    following: dict[int, int] = {}
    for _, j, k in sorted(pairs):
        if j not in following and k not in following.values():
            following[j] = k
    return following


def _looks(t: Tracklet, count: int, *, last: bool) -> list[Look]:
    """The looks of somebody's last frames, or of the first ones, so many of them."""
    seen = seen_of(t)
    frames = sorted({s.n for s in seen})
    own = set(frames[-count:] if last else frames[:count])
    return [s.look for s in seen if s.n in own]


def _with_eyes_compared(t: Tracklet, p: IdentityParameters) -> Tracklet:
    """With a doubt where the eyes begin to show two people."""
    views = [dict(own) for own in t.entries.values()]
    if len(views) != 2:
        return t
    both = sorted(n for n in views[0].keys() & views[1].keys() if views[0][n].look is not None and views[1][n].look is not None)
    for k in range(len(both) - p.looks + 1):
        left, right = ([look for n in both[k : k + p.looks] if (look := own[n].look) is not None] for own in views)
        if apart(left, right, p) >= p.sure:
            # medians turn when the other one has more than half of the frames
            return t.with_doubt(Doubt(both[k + p.looks // 2 - 1 if k else 0], "eyes"))
    return t
