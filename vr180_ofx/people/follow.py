"""Somebody who was pointed out by hand, before and after that frame, in both eyes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import replace

from vr180_ofx.arrays import BoolArray
from vr180_ofx.errors import FrameError
from vr180_ofx.media.contract import Clip, EyeImage, SourceFrame
from vr180_ofx.people.analyse import Progress, reduction
from vr180_ofx.people.contract import Segmenter
from vr180_ofx.people.identity import apart, seen_of
from vr180_ofx.people.look import light_of
from vr180_ofx.people.masks import mask_iou, union
from vr180_ofx.people.observe import Observation, Observer
from vr180_ofx.people.parameters import FOLLOW, PLAN, POINT_OUT, FollowParameters, PlanParameters, PointOutParameters
from vr180_ofx.people.person import Entry
from vr180_ofx.people.tracklet import Eyes, Tracklet, in_other_eye, moved, steady
from vr180_ofx.people.trajectory import Shot
from vr180_ofx.people.views import ViewObserver
from vr180_ofx.vr180.body import Body
from vr180_ofx.vr180.layout import RIGHT

#: (frame, view) -> number -> body, of those who are in the plan there.
Known = Callable[[int, str], Mapping[int, Body]]
#: People in plans have numbers from 1 on.
_NOBODY_YET = 0


def follow_person(
    clip: Clip, body: Body, view: str, n: int, within: Shot, *, segmenter: Segmenter, known: Known = lambda n, view: {},
    progress: Progress | None = None, executor: Executor | None = None, parameters: PlanParameters = PLAN,
    following: FollowParameters = FOLLOW,
) -> dict[str, dict[int, Entry]]:  # fmt: skip
    """Where somebody is whom the eye ``view`` shows at ``body`` in frame ``n``: view -> frame -> entry; not that frame in that eye.

    The segmenter follows them to both ends of ``within``, or until they are gone, and behind those who are ``known``: who becomes one
    with somebody of them is looked for with those taken out of the picture, as long as the analysis does it. Who was out of sight is
    looked for where they may have gone, and is them when they look like it and are still there at the next look. Frames that cannot
    be decoded are passed over.

    progress: called with frames done and frames in all. executor: where guesses are looked at at once; what comes of it is the same.
    """
    follower = _Follower(clip, segmenter, known, parameters, executor=executor)
    stride = max(1, round(float(clip.fps) / parameters.looks_per_s))
    longest = parameters.associate.lost_s * float(clip.fps) / stride
    factor = reduction(clip, parameters)
    found: dict[str, dict[int, Entry]] = {v: {} for v in clip.views}
    reader = clip.reopen(fast=True)
    done = 0
    try:
        for step in (stride, -stride):
            tracklet, missed = Tracklet(_NOBODY_YET, n, bodies={view: body}), 0
            returned: Tracklet | None = None
            ahead = within[1] - n if step > 0 else n - within[0]
            for frame in _frames(reader, n, within, step):
                if progress is not None:
                    progress(done + abs(frame.index - n), within[1] - within[0])
                eyes = {v: frame.eyes[v].reduced(factor) for v in (view, *(o for o in clip.views if o != view))}
                # up to here they are taken for present, and clearly different looks alone say that it is somebody else
                long = (missed + 1) * stride > parameters.trajectory.gap_s * float(clip.fps)
                if returned is not None:
                    again, _ = follower.look(returned, frame.index, eyes, first=None)
                    returned = None
                    if frame.index in again.seen.values() and follower.is_like(again, tracklet, frame.index, strict=long):
                        tracklet, missed = again, 0
                        continue
                now, hidden = follower.look(tracklet, frame.index, eyes, first=view if frame.index == n else None)
                gone = frame.index not in now.seen.values()
                if missed or gone:
                    if gone or not follower.is_like(now, tracklet, frame.index, strict=long):
                        missing_s = (missed + 1) * stride / float(clip.fps)
                        searched = missed % following.search_every == 0
                        now, gone = follower.search(tracklet, frame.index, eyes, missed=missing_s) if searched else tracklet, True
                    # one look alone is not believed: the next one decides
                    returned = now if frame.index in now.seen.values() else None
                    missed += 1
                else:
                    tracklet = now
                if returned is None and missed >= (longest if hidden else following.patience):
                    break
            done += ahead
            for v, entries in tracklet.entries.items():
                # a single look between losses is a mistake more often than a person (`ConfirmParameters`)
                looks, near = {*entries, n}, following.patience * stride
                found[v] |= {k: e for k, e in entries.items() if k == n or any(0 < abs(k - o) <= near for o in looks)}
    finally:
        reader.close()
    found[view].pop(n, None)
    return {v: entries for v, entries in found.items() if entries}


def _frames(reader: Clip, n: int, within: Shot, step: int) -> Iterator[SourceFrame]:
    for k in range(n, within[1] + 1 if step > 0 else within[0] - 1, step):
        try:
            frame = reader.frame(k)
        except FrameError:
            continue
        yield frame


class _Follower:
    """Looks at one person, frame by frame, among those who are known."""

    def __init__(
        self, clip: Clip, segmenter: Segmenter, known: Known, parameters: PlanParameters, *, executor: Executor | None = None,
        rest: PointOutParameters = POINT_OUT,
    ) -> None:  # fmt: skip
        self._map = map if executor is None else executor.map
        self._observer = Observer(segmenter, clip.projection, parameters.observe)
        self._views = ViewObserver(self._observer, clip.views, parameters)
        self._known = known
        self._same = parameters.same
        self._parameters = parameters
        self._rest = rest

    def look(self, tracklet: Tracklet, n: int, eyes: Eyes, *, first: str | None) -> tuple[Tracklet, bool]:
        """The person as of frame ``n``, and whether somebody may stand before them.

        first: the eye in which they were pointed out in this frame, perhaps roughly; None in other frames.
        """
        masks = {v: self._masks(n, v, eye, tracklet) for v, eye in eyes.items()}
        found = self._in_sight(tracklet.bodies, eyes, first=first is not None)
        # whoever was pointed out is somebody else, as a person said
        found = {v: now for v, now in found.items() if v == first or not self._views.is_somebody(now.mask, masks[v])}
        behind: dict[str, frozenset[int]] = {v: frozenset() for v in found}
        hidden = any(self._views.near(masks[v], body) for v, body in tracklet.bodies.items())
        if hidden and len(found) < len(tracklet.bodies):
            found, occluders = self._views.observe_occluded(
                tracklet, eyes, masks, found, frozenset().union(*masks.values()), backwards=True
            )
            behind |= occluders
        found = {v: self._under_light(now, eyes[v]) for v, now in found.items()}
        return tracklet.with_occluders(behind).with_observations(n, found, "tracked", self._same), hidden

    def search(self, tracklet: Tracklet, n: int, eyes: Eyes, *, missed: float) -> Tracklet:
        """Somebody who was lost, as of frame ``n``: with those near them taken out of the picture they are looked for around where they
        were, no further than they may have gone in ``missed`` seconds. Who is found is at rest where they are, looks like them, is nobody
        who is known, and is who most guesses came to. As they were, where nobody is.
        """
        p, around, found = self._parameters, self._parameters.occlusion, dict[str, Observation]()
        behind: dict[str, frozenset[int]] = {}
        for view, body in tracklet.bodies.items():
            masks = self._masks(n, view, eyes[view], tracklet)
            near = self._views.near(masks, body)
            hole = union(masks[i] for i in near)
            bodies = [replace(body.shifted(a * body.reach), reach=body.reach * s) for s in around.size for a in (0.0, *around.aside)]

            def at(guess: Body, eye: EyeImage = eyes[view], hole: BoolArray | None = hole) -> Observation | None:
                return self._observer.settled(eye, guess, erased=hole, parameters=self._rest, presence=p.same.presence)

            all_seen = [now for now in self._map(at, bodies) if now is not None and self._may_be(tracklet, view, now, masks, missed)]
            seen = [self._under_light(now, eyes[view]) for now in all_seen]
            if seen:
                same = p.same.same_iou
                best = max(seen, key=lambda o: (sum(mask_iou(o.mask, other.mask) >= same for other in seen), o.presence))
                found[view], behind[view] = best, self._views.occluders(best, near)
        made = tracklet.with_occluders(behind).with_observations(n, found, "tracked", p.same)
        return made if found and self.is_like(made, tracklet, n, strict=True) else tracklet

    def _may_be(self, tracklet: Tracklet, view: str, now: Observation, masks: Mapping[int, BoolArray], missed: float) -> bool:
        """Whether somebody who is found can have come there, and is nobody else."""
        p, before = self._parameters.associate, tracklet.bodies[view]
        return (
            moved(before, now.body) <= p.return_reaches + p.return_reaches_per_s * missed
            and p.return_size[0] < now.body.reach / before.reach < p.return_size[1]
            and not self._views.is_somebody(now.mask, masks)
        )

    def is_like(self, now: Tracklet, before: Tracklet, n: int, *, strict: bool) -> bool:
        """Whether who is seen in frame ``n`` looks like who was followed: in plain sight, as far as they ever were. strict: they must
        look like one person, not only not like two, and enough of them must be seen to tell.
        """
        p, known = self._parameters.change, seen_of(before)
        plain = [s.look for s in known if not s.entry.occluders] or [s.look for s in known]
        new = [e.look for own in now.entries.values() if (e := own.get(n)) is not None and e.look is not None]
        if not new or not plain:
            return not strict
        value = apart(plain, new, p)
        return 0 < value <= p.alike if strict else value < p.unsure

    def _under_light(self, now: Observation, eye: EyeImage) -> Observation:
        """With its look as it would be under even light."""
        return replace(now, look=now.look.under(light_of(eye))) if now.look is not None else now

    def _masks(self, n: int, view: str, eye: EyeImage, tracklet: Tracklet) -> dict[int, BoolArray]:
        """What those cover who are near: two bodies that far apart do not touch."""
        bodies = list(tracklet.bodies.values())
        near = {i: b for i, b in self._known(n, view).items() if any(b.may_touch(o) for o in bodies)}
        seen = {i: self._observer.observe(eye, b) for i, b in near.items()}
        return {i: now.mask for i, now in seen.items() if now is not None and now.presence >= self._same.presence}

    def _in_sight(self, bodies: Mapping[str, Body], eyes: Eyes, *, first: bool) -> dict[str, Observation]:
        """The person in the eyes of a frame, in this order. bodies: view -> where they were."""
        found: dict[str, Observation] = {}
        for view, eye in eyes.items():
            known = {**bodies, **{v: now.body for v, now in found.items()}}
            # the other eye should see them where it sees somebody of their size
            at = known[view] if view in known else in_other_eye(next(iter(known.values())), to_the_right=view == RIGHT)
            seen = self._observer.observe(eye, at, rounds=2 if first else 1)
            if seen is not None and (first or view not in bodies or steady(at, seen, self._same)):
                found[view] = seen
        return found
