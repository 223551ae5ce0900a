"""Who is who in a shot: pure functions of a state and of what was seen, to another state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from vr180_ofx.arrays import BoolArray
from vr180_ofx.people.contract import Candidate
from vr180_ofx.people.masks import contained, mask_iou
from vr180_ofx.people.observe import Observation
from vr180_ofx.people.parameters import AssociateParameters, SamePersonParameters
from vr180_ofx.people.tracklet import Eyes, Observations, Tracklet


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PastFrame:
    """A frame that can be looked at again: for people who turn out to have been there before they were found.

    masks: person -> view -> what they cover, (h, w) on the canvas.
    """

    n: int
    eyes: Eyes
    masks: Mapping[int, Mapping[str, BoolArray]]

    def __repr__(self) -> str:
        return f"PastFrame({self.n}, people {sorted(self.masks)})"

    def with_masks(self, person: int, masks: Mapping[str, BoolArray]) -> PastFrame:
        """With what somebody covers; in views where it was known already it stays as it was."""
        return replace(self, masks={**self.masks, person: {**masks, **self.masks.get(person, {})}})

    def without(self, person: int) -> dict[str, dict[int, BoolArray]]:
        """View -> person -> mask, of everybody else."""
        found: dict[str, dict[int, BoolArray]] = {view: {} for view in self.eyes}
        for i, own in self.masks.items():
            if i != person:
                for view, mask in own.items():
                    found[view][i] = mask
        return found


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ShotState:
    """Everybody in a shot, after a frame.

    tracklets: in the order in which they were found. next_id: the number of whoever is found next. past: the last frames, oldest
    first. searched: frames in which a detector looked, one for each look. first, last: frames that were seen; -1 before any.
    """

    next_id: int
    tracklets: tuple[Tracklet, ...] = ()
    past: tuple[PastFrame, ...] = ()
    searched: tuple[int, ...] = ()
    first: int = -1
    last: int = -1

    def __repr__(self) -> str:
        return f"ShotState(frames {self.first} to {self.last}, {list(self.tracklets)})"

    def __getitem__(self, number: int) -> Tracklet:
        """Somebody by their number."""
        return next(t for t in self.tracklets if t.id == number)

    def at(self, n: int) -> ShotState:
        """Frame ``n`` is looked at."""
        return replace(self, first=n if self.first < 0 else self.first, last=n)

    def with_search(self, n: int) -> ShotState:
        """A detector looked at frame ``n``."""
        return replace(self, searched=(*self.searched, n))

    def with_tracklet(self, tracklet: Tracklet) -> ShotState:
        """Somebody as they are now; or somebody new, whose number is ``next_id``."""
        if tracklet.id == self.next_id:
            return replace(self, tracklets=(*self.tracklets, tracklet), next_id=self.next_id + 1)
        return replace(self, tracklets=tuple(tracklet if t.id == tracklet.id else t for t in self.tracklets))

    def with_frame(self, n: int, eyes: Eyes, history: int) -> ShotState:
        """Remembers frame ``n``, in which everybody was looked at, among the last ``history`` ones."""
        masks = {t.id: t.masks for t in self.tracklets if n in t.seen.values()}
        return replace(self, past=(*self.past, PastFrame(n, eyes, masks))[-history:])

    def with_past_masks(self, n: int, tracklet: Tracklet) -> ShotState:
        """Somebody was found in frame ``n`` after it was remembered."""
        if not self.past or self.past[-1].n != n:
            return self
        last = self.past[-1]
        return replace(self, past=(*self.past[:-1], replace(last, masks={**last.masks, tracklet.id: tracklet.masks})))

    def masks(self, n: int, view: str) -> dict[int, BoolArray]:
        """What those cover who were seen in this eye at frame ``n``: person -> mask."""
        return {t.id: t.masks[view] for t in self.tracklets if t.seen.get(view) == n}

    def there(self, n: int, lost: float) -> tuple[Tracklet, ...]:
        """Who was seen not more than ``lost`` frames ago."""
        return tuple(t for t in self.tracklets if n - t.last_seen <= lost)


def known_as(state: ShotState, c: Candidate, view: str, n: int, p: AssociateParameters) -> Tracklet | None:
    """Who it is, of those seen in this eye at frame ``n``, that a detector saw; None when it is nobody of them."""
    best, nearest = None, 1.0
    for t in state.tracklets:
        if t.seen.get(view) != n:
            continue
        body = t.bodies[view]
        distance = body.angle_to(c.body) / (p.known_reaches * min(body.reach, c.body.reach))
        if distance < nearest and p.known_size[0] < c.body.reach / body.reach < p.known_size[1]:
            best, nearest = t, distance
    return best


def confirmed(state: ShotState, candidates: Iterable[Candidate], view: str, n: int, p: AssociateParameters) -> ShotState:
    """A search of one eye confirms those who are known, each of them once."""
    hit: set[int] = set()
    for c in candidates:
        t = known_as(state, c, view, n, p)
        if t is not None:
            state = state.with_tracklet(t.with_score(c.score) if t.id in hit else t.with_hit(c.score))
            hit.add(t.id)
    return state


def occluded_as(state: ShotState, found: Observation, view: str, n: int, least_iou: float) -> tuple[Tracklet, ...]:
    """Those behind others, seen in this eye at frame ``n``, who are seen as ``found`` again."""
    return tuple(
        t for t in state.tracklets if t.occluders.get(view) and t.seen.get(view) == n and mask_iou(found.mask, t.masks[view]) > least_iou
    )


def reidentified(state: ShotState, found: Observation, view: str, n: int, *, fps: float, p: AssociateParameters) -> Tracklet | None:
    """Somebody who was lost in this eye not long ago and not far from here; None when it is nobody of them."""
    best, nearest = None, 1.0
    for t in state.tracklets:
        seen = t.seen.get(view)
        if seen is None or seen == n or n - seen > p.lost_s * fps:
            continue
        body = t.bodies[view]
        # the longer out of sight, the further they may have gone
        allowed = body.reach * (p.return_reaches + p.return_reaches_per_s * (n - seen) / fps)
        distance = body.angle_to(found.body) / allowed
        if distance < nearest and p.return_size[0] < found.body.reach / body.reach < p.return_size[1]:
            best, nearest = t, distance
    return best


def without_doubles(
    tracklets: Iterable[Tracklet], looks: Mapping[int, Observations], views: Iterable[str], *, p: AssociateParameters,
    same: SamePersonParameters,
) -> dict[int, dict[str, Observation]]:  # fmt: skip
    """What was seen of everybody, each mask by one of them only: when two people's masks become one, the one whose mask changed
    more has jumped onto the other.

    looks: person -> view -> what was seen.
    """
    left = {i: dict(found) for i, found in looks.items()}
    by_id = {t.id: t for t in tracklets}
    for view in views:
        ids = [i for i in left if view in left[i]]
        for a in ids:
            for b in ids:
                if a >= b or view not in left[a] or view not in left[b]:
                    continue
                if _one_mask(left[a][view].mask, left[b][view].mask, p, same):
                    affinity = {i: _affinity(by_id[i], view, left[i][view], p) for i in (a, b)}
                    del left[min((a, b), key=lambda i: affinity[i])][view]
    return left


def _one_mask(a: BoolArray, b: BoolArray, p: AssociateParameters, same: SamePersonParameters) -> bool:
    return max(contained(a, b), contained(b, a)) >= same.same_iou + p.double_margin or mask_iou(a, b) >= same.same_iou


def _affinity(t: Tracklet, view: str, found: Observation, p: AssociateParameters) -> float:
    """How much a mask is somebody's own: as it was before, and as often as they were confirmed."""
    before = t.masks.get(view)
    overlap = mask_iou(before, found.mask) if before is not None else 0.0
    return overlap + p.hit_affinity * min(t.hits, p.most_hits)
