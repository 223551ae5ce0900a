"""Somebody whom the network loses and who is still partly to be seen: carried through those frames from where they were found last, and
back from where they are found again."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.errors import FrameError
from vr180_ofx.imaging.logistic import sigmoid
from vr180_ofx.imaging.morphology import dilate, disc
from vr180_ofx.imaging.outlines import covered_by
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.contract import Clip, EyeImage
from vr180_ofx.people.absence import Range, holds, shots_without
from vr180_ofx.people.carry_mask import Carried, carried_from, carry, ends, factor_of, least_area, looked_at, mixed, polygons_of
from vr180_ofx.people.contract import Segmenter
from vr180_ofx.people.masks import union
from vr180_ofx.people.observe import Observer
from vr180_ofx.people.outline import CARRIED, outline_from, polygons
from vr180_ofx.people.parameters import CARRY, PLAN, CarryParameters, PlanParameters
from vr180_ofx.people.person import Entry
from vr180_ofx.people.trajectory import Shot, runs
from vr180_ofx.vr180.body import Body, body_from_directions, bounds_in
from vr180_ofx.vr180.projection import Projection

#: (frame, view) -> number -> body, of others who are in the plan there.
Known = Callable[[int, str], Mapping[int, Body]]
#: Nobody covers this.
_NOWHERE = -20.0
#: Reduced frames that are held, and so many are read at once on the way back: decoders go forwards.
_HELD, _BLOCK = 40, 16


def carry_person(
    clip: Clip, views: Mapping[str, Mapping[int, Entry]], within: Shot, *, segmenter: Segmenter, known: Known = lambda n, view: {},
    absent: Mapping[str, Sequence[Range]] | None = None, parameters: PlanParameters = PLAN, carrying: CarryParameters = CARRY,
) -> dict[str, dict[int, Entry]]:  # fmt: skip
    """Where somebody is in frames of ``within`` in which nobody found them: view -> frame -> entry, with the source `outline.CARRIED`.

    known: others who are in the plan. absent: view -> ranges in which they are out of sight, as a person said: nobody is carried there.
    views: where they were found, or pointed out; what was carried before is forgotten. A look of the network that does not agree with
    what is carried over it from half a second before the loss is no longer believed, either: an entry of its frame is among those that
    are returned. Each eye is carried by itself. It ends where `carry_mask.ends` says so, where frames cannot be decoded, and where there
    is an entry again; from there they are carried back.
    """
    carrier = _Carrier(clip, segmenter, known, parameters, carrying)
    try:
        return {view: made for view, rows in views.items() if (made := carrier.view(view, rows, within, (absent or {}).get(view, ())))}
    finally:
        carrier.close()


@dataclass(frozen=True, slots=True)
class _Way:
    """What was carried one way.

    made: frame -> what is covered, and where the body is. start: the last frame in which they were found, and that agrees.
    sure: 0..1, how sure what was found there is.
    """

    made: Mapping[int, tuple[Carried, Body]]
    start: int
    sure: float = 1.0


def _at_outlines(run: Sequence[int], found: Mapping[int, Entry]) -> list[list[int]]:
    """A run in parts: beside a frame whose outline somebody gave the network sees nobody, so that they are carried there."""
    parts = [[run[0]]]
    for before, n in pairwise(run):
        if n - before > 1 and (found[before].outline or found[n].outline):
            parts.append([])
        parts[-1].append(n)
    return parts


class _Carrier:
    def __init__(
        self, clip: Clip, segmenter: Segmenter, known: Known, parameters: PlanParameters, carrying: CarryParameters
    ) -> None:  # fmt: skip
        self._clip = clip
        self._reader = clip.reopen(fast=True)
        self._observer = Observer(segmenter, clip.projection, parameters.observe)
        self._known = known
        self._parameters = parameters
        self._carrying = carrying
        self._eyes: OrderedDict[tuple[int, str, int], EyeImage] = OrderedDict()

    def close(self) -> None:
        self._reader.close()

    def view(self, view: str, rows: Mapping[int, Entry], within: Shot, absent: Sequence[Range]) -> dict[int, Entry]:
        """See `carry_person`, of one eye."""
        fps = float(self._clip.fps)
        found = {n: e for n, e in rows.items() if e.source != CARRIED and within[0] <= n <= within[1] and not holds(absent, n)}
        # all frames of somebody on pixels of one size: what comes from both sides meets
        reaches = [r for e in found.values() if math.isfinite(r := e.body.reach_px(self._clip.projection))]
        if not reaches:
            return {}
        factor = factor_of(float(np.median(reaches)), self._carrying)
        parts = shots_without([within], absent)
        whole = runs(sorted(found), parts, max(1.0, self._parameters.trajectory.gap_s * fps))
        times = [part for run in whole for part in _at_outlines(run, found)]
        ways: list[_Way] = []
        for k, run in enumerate(times):
            first, last = next(part for part in parts if part[0] <= run[0] <= part[1])
            before = max(times[k - 1][-1] if k else within[0] - 1, first - 1)
            after = min(times[k + 1][0] if k + 1 < len(times) else within[1] + 1, last + 1)
            ways.append(self._way(view, found, run, range(run[-1] + 1, after), factor))
            ways.append(self._way(view, found, run[::-1], range(run[0] - 1, before, -1), factor))
        return self._joined(view, [w for w in ways if w.made], factor)

    # one way -----------------------------------------------------------------------------------------------------

    def _way(self, view: str, found: Mapping[int, Entry], run: Sequence[int], gap: range, factor: int) -> _Way:
        """From the end of ``run`` on, through the frames of ``gap``. run: in the order in which they are passed."""
        p = self._carrying
        start = self._start(found, run)

        def sure(k: int) -> float:
            # networks' scores say that somebody is there, and not what they cover
            return found[k].score if found[k].outline else 1.0

        nothing = _Way({}, start)
        # at the ends of shots the last look holds for what is left
        if len(gap) <= (abs(run[-1] - run[-2]) if len(run) > 1 else 0):
            return nothing
        body = found[start].body
        reach = body.reach_px(self._clip.projection)
        if not math.isfinite(reach):
            return nothing
        reach /= factor
        most = gap[min(len(gap), round(p.most_s * float(self._clip.fps))) - 1]
        made: dict[int, tuple[Carried, Body]] = {}
        believed = start
        try:
            then = self._eye(start, view, factor, gap.step)
            now = self._believed(view, start, found[start], then)
            area = now.area
            said = bool(found[start].outline)
            if area < least_area(area, reach, p, said=said):
                return nothing
            for n in range(start + gap.step, most + gap.step, gap.step):
                eye = self._eye(n, view, factor, gap.step)
                rect = looked_at(now, eye, reach, p)
                now = carry(now, then, eye, rect, in_front=self._in_front(eye, n, view, rect, body), p=p)
                if ends(now, area, reach, p, said=said) is not None:
                    break
                body, then = self._shifted(body, now.moved, factor), eye
                made[n] = now, body
                if n not in found:
                    continue
                look = self._believed(view, n, found[n], eye)
                agree = now.overlap(look)
                if found[n].source == "edited" or agree >= p.alike:
                    believed = n
                if found[n].source == "edited" or agree >= p.well_alike:
                    # what was seen there is nearer to the truth than what was carried to it
                    now, area, said = look, look.area, bool(found[n].outline)
        except FrameError:
            # as far as pictures are to be had
            pass
        # of the frames in which they were found, those after the last one that agrees
        return _Way({n: v for n, v in made.items() if n in gap or (n - believed) * gap.step > 0}, believed, sure(believed))

    def _start(self, found: Mapping[int, Entry], run: Sequence[int]) -> int:
        """The frame from which they are carried out of a run: the last one that somebody corrected, or so many looks before its end."""
        last = run[-1 - self._carrying.looks :]
        corrected = [n for n in last if found[n].source == "edited"]
        return corrected[-1] if corrected else last[0]

    def _believed(self, view: str, n: int, entry: Entry, eye: EyeImage) -> Carried:
        """What is believed that somebody covers in a frame in which they were found."""
        rect = Rect.of_size(eye.width, eye.height)
        if entry.outline:
            scale = eye.width / self._clip.projection.width
            return carried_from(covered_by([points * scale for points in polygons(entry.outline)], rect), rect)
        part = entry.body.window(self._observer.size, self._parameters.observe.square_reaches).bounds(self._local(eye))
        part = part.clipped(eye.width, eye.height)
        near = self._near(n, view, entry.body)
        seen = {i: self._observer.observe(eye, b) for i, b in near.items() if i in entry.occluders}
        hole = union(now.mask for now in seen.values() if now is not None)
        logits = self._observer.logits(eye, entry.body, part, erased=hole)
        # between two, the higher logit decides, as in mattes
        for other in near.values():
            logits = np.where(np.maximum(self._observer.logits(eye, other, part), 0) > logits, _NOWHERE, logits)
        return carried_from(sigmoid(logits), part)

    def _in_front(self, eye: EyeImage, n: int, view: str, rect: Rect, body: Body) -> FloatArray | None:
        """The highest logit of anybody else who is near, (rect.height, rect.width); None where nobody is."""
        total: FloatArray | None = None
        for other in self._near(n, view, body).values():
            own = self._observer.logits(eye, other, rect)
            total = own if total is None else np.maximum(total, own)
        return total

    def _near(self, n: int, view: str, body: Body) -> dict[int, Body]:
        return {i: b for i, b in self._known(n, view).items() if b.may_touch(body)}

    def _shifted(self, body: Body, moved: tuple[float, float], factor: int) -> Body:
        """A body that moved by so many pixels of a reduced eye: as large as before, as far as its size can be told of a part of it."""
        projection = self._clip.projection
        hips, top = projection.project(np.stack([np.array(body.direction), body.top()])) + np.array(moved) * factor
        directions = projection.unproject(np.stack([hips, top]))
        if not np.isfinite(directions).all():
            return body
        return replace(body_from_directions(*directions), reach=body.reach)

    # both ways together ------------------------------------------------------------------------------------------

    def _joined(self, view: str, ways: Sequence[_Way], factor: int) -> dict[int, Entry]:
        """An entry for each frame that was carried to: from both sides by how near they are, and how sure; from the nearer one where they
        contradict each other.
        """
        out: dict[int, Entry] = {}
        for n in sorted({n for way in ways for n in way.made}):
            # nobody is carried over more than one gap: at most from two sides
            near = sorted((w for w in ways if n in w.made), key=lambda w: abs(n - w.start))[:2]
            if min(w.sure for w in near) < 1:
                # what points alone say is precise and not complete: nearness is not all that counts
                near.sort(key=lambda w: -self._score(w.made[n][0], abs(n - w.start), w.sure))
            chosen, body = near[0].made[n]
            if len(near) == 2:
                other = near[1].made[n][0]
                one_far, other_far = (abs(n - w.start) for w in near)
                if chosen.overlap(other) >= self._carrying.alike:
                    weights = chosen.sure * other_far, other.sure * one_far
                    chosen = mixed(chosen, other, weights[0] / max(sum(weights), 1e-6))
            entry = self._entry(view, n, chosen, body, factor=factor, far=abs(n - near[0].start), sure=near[0].sure)
            if entry is not None:
                out[n] = entry
        return out

    def _entry(self, view: str, n: int, carried: Carried, body: Body, *, factor: int, far: int, sure: float) -> Entry | None:
        """far: frames from where they were found. sure: 0..1, how sure what was found there is."""
        whole = self._clip.projection
        eye = self._eye(n, view, factor, 1)
        found = polygons_of(carried, self._local(eye), whole, body.reach_px(whole) / factor, self._carrying)
        if not found:
            return None
        box = bounds_in(whole.unproject(np.concatenate(found)), whole)
        if box is None:
            return None
        outline = outline_from(found)
        score = self._score(carried, far, sure)
        return Entry(body, box, score, CARRIED, self._occluders(eye, n, view, carried, body), outline=outline)

    def _score(self, carried: Carried, far: int, sure: float) -> float:
        """How sure it is, no surer than what it was carried from. For the arguments see `_entry`."""
        return float(sure * carried.sure * 0.5 ** (far / float(self._clip.fps) / self._carrying.falls_s))

    def _occluders(self, eye: EyeImage, n: int, view: str, carried: Carried, body: Body) -> tuple[int, ...]:
        """Who surely stands right beside what is to be seen of them."""
        rect = carried.rect.grown(4).clipped(eye.width, eye.height)
        around = dilate(carried.within(rect).mean(axis=-1) > 0.5, disc(3))
        near, sure = self._near(n, view, body), self._carrying.surely_in_front
        return tuple(sorted(i for i, b in near.items() if (around & (self._observer.logits(eye, b, rect) > sure)).any()))

    # pictures ----------------------------------------------------------------------------------------------------

    def _local(self, eye: EyeImage) -> Projection:
        return self._clip.projection.resized(eye.width, eye.height)

    def _eye(self, n: int, view: str, factor: int, step: int) -> EyeImage:
        """Raises FrameError."""
        if (n, view, factor) not in self._eyes:
            for k in self._read_together(n, step):
                try:
                    frame = self._reader.frame(k)
                except FrameError:
                    if k == n:
                        raise
                    continue
                self._eyes[k, view, factor] = frame.eyes[view].reduced(factor)
                while len(self._eyes) > _HELD:
                    self._eyes.popitem(last=False)
        return self._eyes[n, view, factor]

    def _read_together(self, n: int, step: int) -> Iterator[int]:
        yield from range(max(0, n - _BLOCK + 1), n + 1) if step < 0 else (n,)
