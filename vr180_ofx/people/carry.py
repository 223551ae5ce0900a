"""Somebody whom the network loses and who is still partly to be seen: carried through those frames from where they were found last, and
back from where they are found again."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from threading import Lock

import numpy as np

from vr180_ofx.media.contract import Clip
from vr180_ofx.people.absence import Range, holds, shots_without
from vr180_ofx.people.carry_mask import factor_of, mixed, polygons_of
from vr180_ofx.people.carry_way import Known, Walker, Way, score_of
from vr180_ofx.people.contract import Segmenter
from vr180_ofx.people.observe import Observer
from vr180_ofx.people.outline import CARRIED, is_carried, outline_from
from vr180_ofx.people.parameters import CARRY, PLAN, CarryParameters, PlanParameters
from vr180_ofx.people.person import Entry
from vr180_ofx.people.trajectory import Shot, runs
from vr180_ofx.vr180.body import bounds_in

#: Frames in which somebody was found since they were carried -> whether they had been carried there, or made of points, and wrongly.
Fresh = Mapping[int, bool]
#: Called with (frames done, frames in all).
Progress = Callable[[int, int], None]


def carry_person(
    clip: Clip, views: Mapping[str, Mapping[int, Entry]], within: Shot, *, segmenter: Segmenter, known: Known = lambda n, view: {},
    absent: Mapping[str, Sequence[Range]] | None = None, fresh: Mapping[str, Fresh] | None = None,
    progress: Progress | None = None, executor: Executor | None = None, parameters: PlanParameters = PLAN,
    carrying: CarryParameters = CARRY,
) -> dict[str, dict[int, Entry]]:  # fmt: skip
    """Where somebody is in frames of ``within`` in which nobody found them: view -> frame -> entry, with the source `outline.CARRIED`.

    views: where they were found, or pointed out, and where they were carried before. known: others who are in the plan. absent: view ->
    ranges in which they are out of sight, as a person said: nobody is carried there. fresh: view -> frames in which they were found since
    they were carried. Only through the gaps beside these they are carried, until what was carried before is surer, which stays; but beside
    those that put right what was carried, it is made again. None: all is carried again.

    A look of the network that does not agree with what is carried over it from half a second before the loss is no longer believed: an
    entry of its frame is among those that are returned. Each eye is carried by itself. It ends where `carry_mask.ends` says so, where
    frames cannot be decoded, and where there is an entry again; from there they are carried back.

    progress: called with frames done and frames in all. executor: where ways are gone at once; what comes of them is the same.
    """
    carriers = {
        view: _Carrier(
            clip, view, rows, within=within, absent=(absent or {}).get(view, ()),
            fresh=None if fresh is None else fresh.get(view, {}), parameters=parameters, carrying=carrying,
        )
        for view, rows in views.items()
    }  # fmt: skip
    steps = _Steps(progress, sum(len(task.gap) for c in carriers.values() for task in c.tasks))
    observer = Observer(segmenter, clip.projection, parameters.observe)
    with contextlib.ExitStack() as ending:
        pool = executor or ending.enter_context(ThreadPoolExecutor(1, "carry"))
        going = {view: [pool.submit(c.go, task, observer, known, steps) for task in c.tasks] for view, c in carriers.items()}
        try:
            done = {view: [way for g in own if (way := g.result()) is not None] for view, own in going.items()}
        finally:
            for g in (g for own in going.values() for g in own):
                g.cancel()
    return {view: made for view, c in carriers.items() if (made := c.joined(done[view]))}


class _Steps:
    """How far all ways together are."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done, self._lock = progress, total, 0, Lock()

    def add(self, count: int) -> None:
        if self._progress is not None and count > 0:
            with self._lock:
                self._done = min(self._done + count, self._total)
                self._progress(self._done, self._total)


@dataclass(frozen=True, slots=True)
class _Task:
    """A way to go: out of a run of frames, in the order in which they are passed, through a gap. surer: see `Walker.walk`."""

    run: Sequence[int]
    gap: range
    surer: Mapping[int, float]


class _Carrier:
    """Somebody in one eye: which ways are to be gone, and what comes of them."""

    def __init__(
        self, clip: Clip, view: str, rows: Mapping[int, Entry], *, within: Shot, absent: Sequence[Range], fresh: Fresh | None,
        parameters: PlanParameters, carrying: CarryParameters,
    ) -> None:  # fmt: skip
        self._clip, self._view = clip, view
        self._parameters, self._carrying = parameters, carrying
        self._fps = float(clip.fps)
        there = {n: e for n, e in rows.items() if within[0] <= n <= within[1] and not holds(absent, n)}
        self._found = {n: e for n, e in there.items() if not is_carried(e.source)}
        self._kept = {n: e for n, e in there.items() if is_carried(e.source)}
        self.tasks: list[_Task] = []
        # all frames of somebody on pixels of one size: what comes from both sides meets
        reaches = [r for e in self._found.values() if math.isfinite(r := e.body.reach_px(clip.projection))]
        if not reaches:
            self._kept = {}
            return
        self._factor = factor_of(float(np.median(reaches)), carrying)
        parts = shots_without([within], absent)
        whole = runs(sorted(self._found), parts, max(1.0, parameters.trajectory.gap_s * self._fps))
        self._plan([part for run in whole for part in _at_outlines(run, self._found)], parts, fresh)

    def _plan(self, times: list[list[int]], parts: Sequence[Range], fresh: Fresh | None) -> None:
        """Which ways are to be gone, and what is kept of what was carried before."""
        new = [fresh is None or any(n in fresh for n in run) for run in times]
        again = [fresh is None or any(fresh.get(n, False) for n in run) for run in times]
        ways = []
        for k, run in enumerate(times):
            first, last = next(part for part in parts if part[0] <= run[0] <= part[1])
            before = max(times[k - 1][-1] if k else first - 1, first - 1)
            after = min(times[k + 1][0] if k + 1 < len(times) else last + 1, last + 1)
            ways.append((k, k + 1, run, range(run[-1] + 1, after)))
            ways.append((k, k - 1, run[::-1], range(run[0] - 1, before, -1)))
        made_again = {
            n for k, beside, _, gap in ways for n in gap if again[k] or (0 <= beside < len(times) and again[beside])
        }  # fmt: skip
        self._kept = {n: e for n, e in self._kept.items() if n not in made_again and not self._beside_new_looks(n, times, fresh)}
        surer = {n: e.score for n, e in self._kept.items()}
        for k, beside, run, gap in ways:
            # from the other side of a gap, too, unless that was done
            other = 0 <= beside < len(times) and new[beside] and not self._carried_from(run, gap.step)
            if gap and (new[k] or other or not made_again.isdisjoint(gap)):
                self.tasks.append(_Task(run, gap, surer))

    def _carried_from(self, run: Sequence[int], step: int) -> bool:
        """Whether something is kept that was carried out of the end of a run: beside it, or in the place of its last looks."""
        return any(n in self._kept for n in range(run[-1 - self._carrying.looks :][0], run[-1] + 2 * step, step))

    def _beside_new_looks(self, n: int, times: Sequence[Sequence[int]], fresh: Fresh | None) -> bool:
        """Whether a frame lies between two looks of one run of which one is new: there the network sees them now. Between old ones lie
        looks that are not believed.
        """
        run = next((run for run in times if run[0] < n < run[-1]), None)
        if run is None or fresh is None:
            return False
        return max(k for k in run if k < n) in fresh or min(k for k in run if k > n) in fresh

    def go(self, task: _Task, observer: Observer, known: Known, steps: _Steps) -> Way | None:
        """One way."""
        passed = 0

        def told() -> None:
            nonlocal passed
            passed += 1
            steps.add(1)

        walker = Walker(
            self._clip, self._view, observer, known, parameters=self._parameters, factor=self._factor,
            carrying=self._carrying,
        )  # fmt: skip
        with contextlib.closing(walker):
            way = walker.walk(self._found, task.run, task.gap, surer=task.surer, told=told)
        steps.add(len(task.gap) - passed)
        return way

    def joined(self, ways: Sequence[Way]) -> dict[int, Entry]:
        """An entry for each frame that was carried to, now or before: from both sides by how near they are, and how sure; from the nearer
        one where they contradict each other.
        """
        out = dict(self._kept)
        for n in sorted({n for way in ways for n in way.made}):
            # nobody is carried over more than one gap: at most from two sides
            near = sorted((w for w in ways if n in w.made), key=lambda w: abs(n - w.start))[:2]
            if min(w.sure for w in near) < 1:
                # what points alone say is precise and not complete: nearness is not all that counts
                near.sort(key=lambda w: -w.score(n, self._carrying, self._fps))
            entry = self._entry(n, near)
            if entry is not None:
                out[n] = entry
        return out

    def _entry(self, n: int, near: Sequence[Way]) -> Entry | None:
        """near: the ways that came there, the better one first."""
        there, far = near[0].made[n], [abs(n - w.start) for w in near]
        chosen = there.carried
        if len(near) == 2:
            other = near[1].made[n].carried
            if chosen.overlap(other) >= self._carrying.alike:
                weights = chosen.sure * far[1], other.sure * far[0]
                chosen = mixed(chosen, other, weights[0] / max(sum(weights), 1e-6))
        score = score_of(chosen, far[0], near[0].sure, self._carrying, self._fps)
        whole, local = self._clip.projection, near[0].local
        found = polygons_of(chosen, local, whole, there.body.reach_px(whole) / self._factor, self._carrying)
        box = bounds_in(whole.unproject(np.concatenate(found)), whole) if found else None
        return None if box is None else Entry(there.body, box, score, CARRIED, there.occluders, outline=outline_from(found))


def _at_outlines(run: Sequence[int], found: Mapping[int, Entry]) -> list[list[int]]:
    """A run in parts: beside a frame whose outline somebody gave the network sees nobody, so that they are carried there."""
    parts = [[run[0]]]
    for before, n in pairwise(run):
        if n - before > 1 and (found[before].outline or found[n].outline):
            parts.append([])
        parts[-1].append(n)
    return parts
