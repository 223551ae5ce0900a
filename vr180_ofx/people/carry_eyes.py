"""What was carried in one eye, held against the other one: both see the same body."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vr180_ofx.arrays import BoolArray, FloatArray
from vr180_ofx.errors import FrameError
from vr180_ofx.imaging.outlines import outlines_of
from vr180_ofx.imaging.sample import sample
from vr180_ofx.media.contract import Clip, EyeImage
from vr180_ofx.people.absence import Range, holds
from vr180_ofx.people.carry_mask import factor_of, least_area
from vr180_ofx.people.carry_way import Known, believed
from vr180_ofx.people.observe import Observer
from vr180_ofx.people.outline import ACROSS, is_carried, outline_from
from vr180_ofx.people.parameters import CARRY, PLAN, CarryParameters
from vr180_ofx.people.person import Entry
from vr180_ofx.people.trajectory import Shot, runs
from vr180_ofx.stereo.agreement import Agreement, EyeView, compare_eyes, warp_mask
from vr180_ofx.stereo.consistency import Consistency
from vr180_ofx.stereo.parameters import STEREO
from vr180_ofx.vr180.body import Body, bounds_in
from vr180_ofx.vr180.epipolar import angles, upright
from vr180_ofx.vr180.layout import LEFT, RIGHT, other_eye
from vr180_ofx.vr180.projection import Projection
from vr180_ofx.vr180.window import Window

#: Pixels of a window on somebody, and samples of it that are brought across: as fine as the eye is that people are carried in.
_SIDE = 256
_FINE = replace(STEREO.agreement, samples=_SIDE // 2)


def agreed(
    clip: Clip, views: Mapping[str, Mapping[int, Entry]], within: Shot, *, made: Mapping[str, Sequence[int]], observer: Observer,
    known: Known, consistency: Consistency, shift_at: Callable[[int], float | None] = lambda n: None,
    absent: Mapping[str, Sequence[Range]] | None = None, carrying: CarryParameters = CARRY,
) -> dict[str, dict[int, Entry]]:  # fmt: skip
    """Entries that are others once both eyes were compared: view -> frame -> entry.

    In each frame of ``within`` of which something was carried, or pointed out, the eyes are compared by the disparity. Neither is surer
    than they agree: each is a carrier to the other, as two are in one eye (`carry_mask`). Where that is less than what two carriers need,
    the eye that is less sure has what the other one has, if it was carried there (the source `outline.ACROSS`). Where one eye lost them,
    it has what the other has, too, behind whoever stands in front there.

    views: all that is known of somebody. made: view -> frames that were carried anew, or pointed out. observer, known: see
    `carry.carry_person`. shift_at: how far apart the eyes see them, see `Person.shift`. absent: view -> ranges in which they are out of
    sight. A frame that cannot be decoded stays as it is.
    """
    frames = sorted({n for v in (LEFT, RIGHT) for n in made.get(v, ()) if within[0] <= n <= within[1]})
    reaches = [r for rows in views.values() for e in rows.values() if math.isfinite(r := e.body.reach_px(clip.projection))]
    if set(clip.views) != {LEFT, RIGHT} or not frames or not reaches:
        return {}
    out: dict[str, dict[int, Entry]] = {}
    # masks that agree less are not of one person elsewhere in this program, either
    consistency = replace(consistency, threshold=carrying.least_sure)
    gap = PLAN.trajectory.gap_s * float(clip.fps)
    closed = {v: [*(absent or {}).get(v, ()), *_seen_through(views.get(v, {}), within, gap)] for v in (LEFT, RIGHT)}
    with contextlib.closing(clip.reopen(fast=True)) as reader:
        eyes = _Eyes(clip.projection, observer, known, consistency, carrying, factor_of(float(np.median(reaches)), carrying))
        shifts = _Shifts(shift_at)
        later: list[tuple[int, str, Entry, Body | None, float | None]] = []
        for n in frames:
            rows = {v: e for v in (LEFT, RIGHT) if (e := views.get(v, {}).get(n)) is not None and e.source != ACROSS}
            if not any(e.outline for e in rows.values()):
                # the network sees them: the eyes are compared when mattes are made
                continue
            if len(rows) < 2:
                later += [(n, have, e, None, None) for have, e in rows.items() if not holds(closed[other_eye(have)], n)]
                continue
            with contextlib.suppress(FrameError):
                agreement = eyes.compared(n, rows, reader.frame(n).eyes, shift_at(n))
                if agreement is None or agreement.overlap is None:
                    continue
                if agreement.weaker is None:
                    shifts.add(n, agreement.shift)
                least = {v: replace(e, score=min(e.score, agreement.overlap)) for v, e in rows.items()}
                for view in (v for v, e in rows.items() if is_carried(e.source) and e != least[v]):
                    out.setdefault(view, {})[n] = least[view]
                if agreement.weaker is not None and is_carried(rows[agreement.weaker].source):
                    have = other_eye(agreement.weaker)
                    later.append((n, have, least[have], rows[agreement.weaker].body, agreement.shift))
        # as far away as they were in the nearest frame in which both eyes agreed; else as the plan says, or as their bodies lie
        for n, have, entry, body, guess in later:
            near = shifts.at(n) or guess
            if near is not None:
                with contextlib.suppress(FrameError):
                    brought = eyes.brought(n, entry, have, reader.frame(n).eyes, near, body=body)
                    if brought is not None:
                        out.setdefault(other_eye(have), {})[n] = brought
    return out


def _seen_through(rows: Mapping[int, Entry], within: Shot, gap: float) -> list[Range]:
    """The ranges through which the network sees somebody: between its looks, too."""
    looks = sorted(n for n, e in rows.items() if not e.outline)
    return [(run[0], run[-1]) for run in runs(looks, [within], max(1.0, gap))]


class _Shifts:
    """How far apart the eyes see somebody: where they agreed, else as the plan knows it."""

    def __init__(self, known: Callable[[int], float | None]) -> None:
        self._known = known
        self._found: dict[int, float] = {}

    def add(self, n: int, shift: float | None) -> None:
        if shift is not None:
            self._found[n] = shift

    def at(self, n: int) -> float | None:
        nearest = min(self._found, key=lambda k: abs(k - n), default=None)
        return self._known(n) if nearest is None else self._found[nearest]


@dataclass(frozen=True, slots=True)
class _Eyes:
    """Compares both eyes of a frame. factor: by how much they are reduced."""

    projection: Projection
    observer: Observer
    known: Known
    consistency: Consistency
    carrying: CarryParameters
    factor: int

    def compared(
        self, n: int, rows: Mapping[str, Entry], eyes: Mapping[str, EyeImage], shift: float | None
    ) -> Agreement | None:  # fmt: skip
        """How far both eyes agree; None where one of them says nothing."""
        left, right = (self._view_of(n, v, rows[v], eyes[v].reduced(self.factor)) for v in (LEFT, RIGHT))
        return None if left is None or right is None else compare_eyes(left, right, self.projection, self.consistency, shift)

    def brought(
        self, n: int, entry: Entry, have: str, eyes: Mapping[str, EyeImage], shift: float, *, body: Body | None
    ) -> Entry | None:  # fmt: skip
        """``entry``, of the eye ``have``, as the other eye sees it; None where too little of it is to be seen there. body: where they are
        in that eye; None: where the shift says.
        """
        lack, p = other_eye(have), self.carrying
        seen, eye = self._view_of(n, have, entry, eyes[have].reduced(self.factor)), eyes[lack].reduced(self.factor)
        if seen is None:
            return None
        if body is None:
            a = angles(self.consistency.alignment.to_level(np.array(entry.body.direction), have))
            step = float(upright(shift, a[1])) * (1 if lack == LEFT else -1)
            body = entry.body.shifted(math.atan(math.tan(float(a[0])) + step) - float(a[0]))
        window, local = body.window(_SIDE), self.projection.resized(eye.width, eye.height)
        warped = warp_mask(seen, window, shift, self.consistency.alignment, _FINE, to_right=lack == RIGHT)
        rect = window.bounds(local).clipped(eye.width, eye.height)
        covered: BoolArray = sample(warped, window.inverse_map(local, rect)) > 0.5
        whole = int(np.count_nonzero(covered))
        near = self.known(n, lack)
        for i in entry.occluders:
            if i in near:
                covered &= self.observer.logits(eye, near[i], rect) <= 0
        reach = body.reach_px(self.projection) / self.factor
        if not math.isfinite(reach) or np.count_nonzero(covered) < max(1, least_area(whole, reach, p, said=True)):
            return None
        scale, corner = self.projection.width / eye.width, np.array([rect.x0, rect.y0])
        found = [(points + corner) * scale for points in outlines_of(covered, off=p.outline_px, least=p.least_piece * reach**2)]
        box = bounds_in(self.projection.unproject(np.concatenate(found)), self.projection) if found else None
        return None if box is None else Entry(body, box, entry.score, ACROSS, entry.occluders, outline=outline_from(found))

    def _view_of(self, n: int, view: str, entry: Entry, eye: EyeImage) -> EyeView | None:
        """What an eye sees of somebody; None where that is nobody, or somebody else."""
        window, local = entry.body.window(_SIDE), self.projection.resized(eye.width, eye.height)
        grid = window.grid(local)
        near = {i: b for i, b in self.known(n, view).items() if b.may_touch(entry.body)}
        own = believed(self.observer, eye, entry, near, PLAN)
        if own.area == 0:
            return None
        mask = sample(own.soft, grid, origin=(own.rect.x0 + 0.5, own.rect.y0 + 0.5), centre=0)
        hiding = [(self._covers(eye, near[i], window, local), window) for i in entry.occluders if i in near]
        return EyeView(mask, eye.sample(grid).guide[..., 0], window, entry.score, hiding)

    def _covers(self, eye: EyeImage, body: Body, window: Window, local: Projection) -> FloatArray:
        """What the network sees of a body, (_SIDE, _SIDE) 0 or 1 in a window."""
        rect = window.bounds(local).clipped(eye.width, eye.height)
        inside = (self.observer.logits(eye, body, rect) > 0).astype(np.float32)
        out: FloatArray = sample(inside, window.grid(local), origin=(rect.x0 + 0.5, rect.y0 + 0.5), centre=0)
        return out
