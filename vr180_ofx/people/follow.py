"""Somebody who was pointed out by hand, before and after that frame, in both eyes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vr180_ofx.errors import FrameError
from vr180_ofx.media.contract import Clip, SourceFrame
from vr180_ofx.people.analyse import reduction
from vr180_ofx.people.contract import Segmenter
from vr180_ofx.people.observe import Observer
from vr180_ofx.people.parameters import FOLLOW, PLAN, FollowParameters, PlanParameters, SamePersonParameters
from vr180_ofx.people.person import Entry
from vr180_ofx.people.tracklet import Eyes, in_other_eye, steady
from vr180_ofx.people.trajectory import Shot
from vr180_ofx.vr180.body import Body
from vr180_ofx.vr180.layout import RIGHT


def follow_person(
    clip: Clip, body: Body, view: str, n: int, within: Shot, *, segmenter: Segmenter, parameters: PlanParameters = PLAN,
    following: FollowParameters = FOLLOW,
) -> dict[str, dict[int, Entry]]:  # fmt: skip
    """Where somebody is whom the eye ``view`` shows at ``body`` in frame ``n``: view -> frame -> entry; not that frame in that eye.

    The segmenter follows them to both ends of ``within``, or until they are gone. Frames that cannot be decoded are passed over.
    """
    observer = Observer(segmenter, clip.projection, parameters.observe)
    stride = max(1, round(float(clip.fps) / parameters.looks_per_s))
    factor = reduction(clip, parameters)
    found: dict[str, dict[int, Entry]] = {v: {} for v in clip.views}
    reader = clip.reopen(fast=True)
    try:
        for step in (stride, -stride):
            bodies, missed = {view: body}, 0
            for frame in _frames(reader, n, within, step):
                eyes = {v: frame.eyes[v].reduced(factor) for v in (view, *(o for o in clip.views if o != view))}
                now = _look(observer, eyes, bodies, parameters.same, first=frame.index == n)
                bodies |= {v: entry.body for v, entry in now.items()}
                for v, entry in now.items():
                    if not (frame.index == n and v == view):
                        found[v][frame.index] = entry
                missed = 0 if now else missed + 1
                if missed >= following.patience:
                    break
    finally:
        reader.close()
    return {v: entries for v, entries in found.items() if entries}


def _frames(reader: Clip, n: int, within: Shot, step: int) -> Iterator[SourceFrame]:
    for k in range(n, within[1] + 1 if step > 0 else within[0] - 1, step):
        try:
            frame = reader.frame(k)
        except FrameError:
            continue
        yield frame


def _look(
    observer: Observer, eyes: Eyes, bodies: Mapping[str, Body], same: SamePersonParameters, *, first: bool
) -> dict[str, Entry]:  # fmt: skip
    """The person in the eyes of a frame, in this order. bodies: view -> where they were. first: in the frame in which they were
    pointed out, which may be roughly.
    """
    now: dict[str, Entry] = {}
    for view, eye in eyes.items():
        known = {**bodies, **{v: entry.body for v, entry in now.items()}}
        # the other eye should see them where it sees somebody of their size
        at = known[view] if view in known else in_other_eye(next(iter(known.values())), to_the_right=view == RIGHT)
        seen = observer.observe(eye, at, rounds=2 if first else 1)
        if seen is not None and (first or view not in bodies or steady(at, seen, same)):
            now[view] = Entry(seen.body, seen.box, float(seen.presence))
    return now
