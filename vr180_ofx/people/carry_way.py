"""Somebody whom the network loses, carried one way: out of the frames in which they were found, through those in which nobody sees them."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.errors import FrameError
from vr180_ofx.imaging.logistic import sigmoid
from vr180_ofx.imaging.morphology import dilate, disc
from vr180_ofx.imaging.outlines import covered_by
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.contract import Clip, EyeImage
from vr180_ofx.people.carry_mask import Carried, carried_from, carry, ends, least_area, looked_at
from vr180_ofx.people.masks import union
from vr180_ofx.people.observe import Observer
from vr180_ofx.people.outline import polygons
from vr180_ofx.people.parameters import CarryParameters, PlanParameters
from vr180_ofx.people.person import Entry
from vr180_ofx.people.tracklet import same_person
from vr180_ofx.vr180.body import Body, body_from_directions
from vr180_ofx.vr180.projection import Projection

#: (frame, view) -> number -> body, of others who are in the plan there.
Known = Callable[[int, str], Mapping[int, Body]]
#: Nobody covers this.
_NOWHERE = -20.0
#: Reduced frames that are held, and so many are read at once on the way back: decoders go forwards.
_HELD, _BLOCK = 40, 16


@dataclass(frozen=True, slots=True)
class There:
    """Somebody in a frame to which they were carried. occluders: who surely stands right beside what is to be seen of them."""

    carried: Carried
    body: Body
    occluders: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """What was carried one way.

    made: frame -> what is there. start: the last frame in which they were found, and that agrees. sure: 0..1, how sure what was found
    there is. local: of the reduced eye.
    """

    made: Mapping[int, There]
    start: int
    local: Projection
    sure: float = 1.0

    def score(self, n: int, p: CarryParameters, fps: float) -> float:
        """How sure it is of a frame, no surer than what it was carried from."""
        return score_of(self.made[n].carried, abs(n - self.start), self.sure, p, fps)


def score_of(carried: Carried, far: int, sure: float, p: CarryParameters, fps: float) -> float:
    """0..1. far: frames from where they were found. sure: how sure what was found there is."""
    return float(sure * carried.sure * 0.5 ** (far / fps / p.falls_s))


class Walker:
    """Carries somebody in one eye. It has a reader of its own, so that several may walk at once."""

    def __init__(
        self, clip: Clip, view: str, observer: Observer, known: Known, *, parameters: PlanParameters, factor: int, carrying: CarryParameters
    ) -> None:  # fmt: skip
        self._reader = clip.reopen(fast=True)
        self._whole, self._fps = clip.projection, float(clip.fps)
        self._view = view
        self._observer = observer
        self._known = known
        self._parameters = parameters
        self._factor = factor
        self._carrying = carrying
        self._eyes: OrderedDict[int, EyeImage] = OrderedDict()

    def close(self) -> None:
        self._reader.close()

    def walk(
        self, found: Mapping[int, Entry], run: Sequence[int], gap: range, *, surer: Mapping[int, float], told: Callable[[], None]
    ) -> Way | None:  # fmt: skip
        """From the end of ``run`` on, through the frames of ``gap``; None where that gives nothing.

        run: in the order in which they are passed. surer: frame -> how sure what is known of it is: it ends where that is no less.
        told: called for each frame of the gap that was passed.
        """
        p = self._carrying
        # at the ends of shots the last look holds for what is left
        if len(gap) <= (abs(run[-1] - run[-2]) if len(run) > 1 else 0):
            return None
        made: dict[int, There] = {}

        def sure(k: int) -> float:
            # networks' scores say that somebody is there, and not what they cover
            return found[k].score if found[k].outline else 1.0

        try:
            begun = self._start(found, run, gap.step)
            if begun is None:
                return None
            start, now, reach = begun
            body, believed, area, said = found[start].body, start, now.area, bool(found[start].outline)
            then = self._eye(start, gap.step)
            local = self._local(then)
            most = gap[min(len(gap), round(p.most_s * self._fps)) - 1]
            for n in range(start + gap.step, most + gap.step, gap.step):
                eye = self._eye(n, gap.step)
                rect = looked_at(now, eye, reach, p)
                near = {i: self._observer.logits(eye, b, rect) for i, b in self._near(n, body).items()}
                now = carry(now, then, eye, rect, in_front=_highest(near), p=p)
                if ends(now, area, reach, p, said=said) is not None:
                    break
                if n in surer and surer[n] >= score_of(now, abs(n - believed), sure(believed), p, self._fps):
                    break
                body, then = self._shifted(body, now.moved), eye
                made[n] = There(now, body, _beside(now, near, rect, p.surely_in_front))
                if n in gap:
                    told()
                if n not in found:
                    continue
                look = self._believed(n, found[n], eye)
                agree = now.overlap(look)
                if found[n].source == "edited" or agree >= p.alike:
                    believed = n
                if found[n].source == "edited" or agree >= p.well_alike:
                    # what was seen there is nearer to the truth than what was carried to it
                    now, area, said = look, look.area, bool(found[n].outline)
        except FrameError:
            # as far as pictures are to be had
            if not made:
                return None
        # of the frames in which they were found, those after the last one that agrees
        kept = {n: v for n, v in made.items() if n in gap or (n - believed) * gap.step > 0}
        return Way(kept, believed, local, sure(believed)) if kept else None

    def _start(self, found: Mapping[int, Entry], run: Sequence[int], step: int) -> tuple[int, Carried, float] | None:
        """The frame from which they are carried out of a run, what they cover there, and the reach of the body in pixels: the last one that
        somebody corrected, or so many looks before its end; or the next one that shows enough of them, and nobody else. None: none does.
        Raises FrameError.
        """
        p = self._carrying
        last = run[-1 - p.looks :]
        corrected = [n for n in last if found[n].source == "edited"]
        for n in dict.fromkeys([*corrected[-1:], *last]):
            reach = found[n].body.reach_px(self._whole) / self._factor
            if math.isfinite(reach):
                seen = self._believed(n, found[n], self._eye(n, step))
                if seen.area >= max(1, least_area(seen.area, reach, p, said=bool(found[n].outline))):
                    return n, seen, reach
        return None

    def _believed(self, n: int, entry: Entry, eye: EyeImage) -> Carried:
        return believed(self._observer, eye, entry, self._near(n, entry.body), self._parameters)

    def _near(self, n: int, body: Body) -> dict[int, Body]:
        return {i: b for i, b in self._known(n, self._view).items() if b.may_touch(body)}

    def _shifted(self, body: Body, moved: tuple[float, float]) -> Body:
        """A body that moved by so many pixels of a reduced eye: as large as before, as far as its size can be told of a part of it."""
        projection = self._whole
        hips, top = projection.project(np.stack([np.array(body.direction), body.top()])) + np.array(moved) * self._factor
        directions = projection.unproject(np.stack([hips, top]))
        if not np.isfinite(directions).all():
            return body
        return replace(body_from_directions(*directions), reach=body.reach)

    # pictures ----------------------------------------------------------------------------------------------------

    def _local(self, eye: EyeImage) -> Projection:
        return self._whole.resized(eye.width, eye.height)

    def _eye(self, n: int, step: int) -> EyeImage:
        """Raises FrameError."""
        if n not in self._eyes:
            for k in _read_together(n, step):
                try:
                    frame = self._reader.frame(k)
                except FrameError:
                    if k == n:
                        raise
                    continue
                self._eyes[k] = frame.eyes[self._view].reduced(self._factor)
                while len(self._eyes) > _HELD:
                    self._eyes.popitem(last=False)
        return self._eyes[n]


def believed(observer: Observer, eye: EyeImage, entry: Entry, near: Mapping[int, Body], parameters: PlanParameters) -> Carried:
    """What is believed that somebody covers in a frame in which they were found, on the pixels of a reduced eye. near: others."""
    whole, rect = observer.projection, Rect.of_size(eye.width, eye.height)
    if entry.outline:
        scale = eye.width / whole.width
        return carried_from(covered_by([points * scale for points in polygons(entry.outline)], rect), rect)
    part = entry.body.window(observer.size, parameters.observe.square_reaches).bounds(whole.resized(eye.width, eye.height))
    part = part.clipped(eye.width, eye.height)
    seen = {i: observer.observe(eye, b) for i, b in near.items() if i in entry.occluders}
    hole = union(now.mask for now in seen.values() if now is not None)
    logits = observer.logits(eye, entry.body, part, erased=hole)
    theirs = {i: observer.logits(eye, b, part) for i, b in near.items()}
    # what those cover who stand in front is not to be seen, whatever the network makes of it once they are taken out
    for i in entry.occluders:
        logits = np.where(theirs.get(i, _NOWHERE) > 0, _NOWHERE, logits)
    own = logits > 0
    for i, others in theirs.items():
        if i not in entry.occluders and same_person(own, others > 0, parameters.same):
            # the network looked for the one and saw the other
            return carried_from(np.zeros_like(logits), part)
        # between two, the higher logit decides, as in mattes
        logits = np.where(np.maximum(others, 0) > logits, _NOWHERE, logits)
    return carried_from(sigmoid(logits), part)


def _read_together(n: int, step: int) -> Iterator[int]:
    yield from range(max(0, n - _BLOCK + 1), n + 1) if step < 0 else (n,)


def _highest(logits: Mapping[int, FloatArray]) -> FloatArray | None:
    """The highest logit of anybody; None where nobody is."""
    total: FloatArray | None = None
    for own in logits.values():
        total = own if total is None else np.maximum(total, own)
    return total


def _beside(carried: Carried, logits: Mapping[int, FloatArray], rect: Rect, sure: float) -> tuple[int, ...]:
    """Who surely stands right beside what is covered. logits: of others, in ``rect``."""
    around = dilate(carried.within(rect).mean(axis=-1) > 0.5, disc(3))
    return tuple(sorted(i for i, own in logits.items() if (around & (own > sure)).any()))
