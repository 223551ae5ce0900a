"""One pass over a clip at low resolution: shots, people, and where each of them is in both eyes."""

from __future__ import annotations

import json
import logging
import math
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace

from vr180_ofx.arrays import FloatArray
from vr180_ofx.errors import FrameError
from vr180_ofx.frame_ranges import mark
from vr180_ofx.media.contract import Clip, EyeImage
from vr180_ofx.people.contract import Detector, Segmenter, SemanticSegmenter
from vr180_ofx.people.detect import detect_people
from vr180_ofx.people.identity import told_apart
from vr180_ofx.people.observe import Observer
from vr180_ofx.people.other_eye import completed
from vr180_ofx.people.parameters import PLAN, PlanParameters
from vr180_ofx.people.person import Person
from vr180_ofx.people.plan import Plan
from vr180_ofx.people.shot_tracker import ShotTracker
from vr180_ofx.people.shots import CutFinder, Thumbs, thumbnail
from vr180_ofx.people.tracklet import Eyes, Tracklet
from vr180_ofx.people.trajectory import Shot
from vr180_ofx.settings import Settings
from vr180_ofx.stereo.distance import levelled, smooth_shifts
from vr180_ofx.stereo.residual import fit, observe
from vr180_ofx.telemetry import Stages
from vr180_ofx.vr180.alignment import Alignment
from vr180_ofx.vr180.layout import LEFT, RIGHT
from vr180_ofx.vr180.projection import Projection
from vr180_ofx.wording import as_utf8

log = logging.getLogger(__name__)
#: Searches come in bursts; so many reduced frames are decoded in the meantime.
_AHEAD = 12

#: Called with (frames done, frames in all).
Progress = Callable[[int, int], None]
#: The first and the last of some frames in a row.
Span = tuple[int, int]


def analyse(
    clip: Clip, settings: Settings, *, detector: Detector, segmenter: Segmenter, opinion: SemanticSegmenter | None = None,
    progress: Progress | None = None, stages: Stages | None = None, stop: int | None = None, span: Span | None = None,
    parameters: PlanParameters = PLAN,
) -> Plan:  # fmt: skip
    """Finds everybody in ``clip``. Deterministic: the same clip, settings, networks and parameters give the same plan.

    opinion: a second network; who is nobody to it, is nobody. None: nobody is asked.
    progress: called with (frames done, frames in all). Frames that cannot be decoded are passed over and noted. stop: look at the first
    frames only, as many as this; nobody is in the rest. span: look at these frames only, the first and the last one: what comes of it is
    what a clip that was cut down to them gives, and the plan says so (`Plan.analysed`).
    """
    worker = _Analysis(
        clip,
        settings,
        detector,
        Observer(segmenter, clip.projection, parameters.observe, opinion=opinion),
        stages=stages or Stages(),
        parameters=parameters,
    )
    plan = worker.run(progress, span or (0, min(len(clip), stop or len(clip)) - 1), partial=span is not None)
    # what is written is what counts: a plan that was saved and read again must give the same windows to the last bit
    return Plan.from_data(json.loads(plan.to_json()), clip)


def reduction(clip: Clip, parameters: PlanParameters) -> int:
    """By how much eyes are reduced for the analysis, a whole factor."""
    return max(1, round(max(clip.eye_size) / parameters.side))


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A frame of which it is not yet known whether it begins a shot. eyes: reduced; None when it is not looked at."""

    n: int
    eyes: Eyes | None


class _Analysis:
    def __init__(
        self, clip: Clip, settings: Settings, detector: Detector, observer: Observer, *, stages: Stages, parameters: PlanParameters
    ) -> None:  # fmt: skip
        self._clip = clip
        self._settings = settings
        self._parameters = parameters
        self._detector = detector
        self._stages = stages
        self._fps = float(clip.fps)
        self._every = settings.detection.every
        self._stride = max(1, min(self._every, round(self._fps / parameters.looks_per_s)))
        self._factor = reduction(clip, parameters)
        self._observer = observer
        #: The people of each shot, and the first frame of each.
        self._people: list[list[Tracklet]] = []
        self._shots: list[int] = []
        self._tracker: ShotTracker | None = None
        self._notes: list[str] = []
        self._since_search = 0
        self._search_count = 0
        self._observations: list[FloatArray] = []
        self._next_observation = 0
        self._span: Span | None = None

    def run(self, progress: Progress | None, span: Span, *, partial: bool) -> Plan:
        """partial: whether the rest of the clip is not known afterwards."""
        clip, (first, last_frame) = self._clip, span
        end = last_frame + 1
        if partial and first > 0:
            # what lies before is a shot of nobody
            self._shots.append(0)
            self._people.append([])
        cuts = CutFinder(self._fps, self._parameters.shots)
        queue: deque[_Waiting] = deque()
        bad = []
        threads = self._settings.hardware.threads or 2
        reader = clip.reopen(fast=True)
        last: Thumbs | None = None
        try:
            with ThreadPoolExecutor(threads, "search") as pool, ThreadPoolExecutor(1, "decode") as decoder, ExitStack() as ending:
                coming = deque(decoder.submit(self._fetch, reader, n) for n in range(first, min(first + _AHEAD, end)))
                # an analysis that is given up does not decode on: the pool would wait for what is in its row
                ending.callback(decoder.shutdown, wait=False, cancel_futures=True)
                for n in range(first, end):
                    waiting, thumbs = coming.popleft().result()
                    if n + _AHEAD < end:
                        coming.append(decoder.submit(self._fetch, reader, n + _AHEAD))
                    if thumbs is None:
                        bad.append(n)
                        thumbs = last
                    queue.append(waiting)
                    if thumbs is not None:
                        last = thumbs
                        for decided, cut in cuts.push(n, thumbs):
                            self._take(queue, decided, pool, cut=cut)
                    if progress:
                        progress(n + 1 - first, end - first)
                for decided, cut in cuts.flush():
                    self._take(queue, decided, pool, cut=cut)
        finally:
            reader.close()
        self._end_shot()
        if partial and end < len(clip):
            self._shots.append(end)
            self._people.append([])
        if partial:
            self._notes.append(f"people were looked for in frames {mark(range(first, end))} alone")
        self._span = span if partial else None
        if bad:
            self._notes.append(f"frames that cannot be decoded: {mark(bad)}")
        return self._plan()

    def _fetch(self, reader: Clip, n: int) -> tuple[_Waiting, Thumbs | None]:
        """Decodes a frame and keeps what the analysis needs of it (runs ahead on a thread of its own)."""
        try:
            with self._stages.measure("analyse: decode"):
                frame = reader.frame(n)
        except FrameError as error:
            log.debug("analysis passes over frame %d: %s", n, error)
            return _Waiting(n, None), None
        with self._stages.measure("analyse: reduce"):
            eyes = None
            if n % self._stride == 0:
                eyes = {view: eye.reduced(self._factor) for view, eye in frame.eyes.items()}
            return _Waiting(n, eyes), tuple(thumbnail(eye, self._parameters.shots) for eye in (eyes or frame.eyes).values())

    def _take(self, queue: deque[_Waiting], decided: int, pool: Executor, *, cut: bool) -> None:
        """Looks at the frames up to ``decided``; cut: whether that one begins a shot."""
        while queue and queue[0].n <= decided:
            waiting = queue.popleft()
            if self._tracker is None or (cut and waiting.n == decided):
                self._tracker = self._begin_shot(waiting.n, pool)
            if waiting.eyes is not None:
                self._frame(self._tracker, waiting.n, waiting.eyes, pool)

    def _begin_shot(self, n: int, pool: Executor) -> ShotTracker:
        self._end_shot()
        self._shots.append(n)
        self._since_search = self._every
        self._search_count = 0
        return ShotTracker(
            self._observer, self._clip.views, self._fps, threshold=self._settings.detection.confidence_threshold,
            first_id=sum(map(len, self._people)) + 1, executor=pool, parameters=self._parameters,
        )  # fmt: skip

    def _end_shot(self) -> None:
        if self._tracker is not None:
            self._people.append(self._tracker.people())
            self._tracker = None

    def _frame(self, tracker: ShotTracker, n: int, eyes: Eyes, pool: Executor) -> None:
        with self._stages.measure("analyse: follow"):
            tracker.step(n, eyes, ask=self._since_search >= self._every)
        if self._since_search >= self._every:
            self._since_search = 0
            with self._stages.measure("analyse: search"):
                self._search(tracker, n, eyes, pool)
        self._since_search += self._stride
        p = self._parameters
        if len(eyes) == 2 and n >= self._next_observation and len(self._observations) < p.camera_looks:
            self._next_observation = n + max(1, round(p.camera_every_s * self._fps))
            with self._stages.measure("analyse: cameras"):
                self._observations.append(observe(eyes[LEFT], eyes[RIGHT], self._local(eyes[LEFT]), p.residual))

    def _search(self, tracker: ShotTracker, n: int, eyes: Eyes, pool: Executor) -> None:
        """A shot begins with both eyes; then they take turns, and the finest windows come every other time."""
        k, self._search_count = self._search_count, self._search_count + 1
        p, views = self._parameters, list(self._clip.views)
        if k > 0 and len(views) == 2:
            views = [views[k % 2]]
        fine = k == 0 or (k // len(self._clip.views)) % p.fine_every == 0
        # a turn is a search of each eye
        deep = -(-k // len(self._clip.views)) % p.deep_every == 0
        for view in views:
            # whom one eye shows, the other is searched for at the same height: the finest windows need one eye at a time
            levels = (0, 1, 2) if fine and (k > 0 or view == views[0]) else (0, 1)
            least = p.least_score if deep else p.candidate_score
            found = detect_people(
                eyes[view], self._local(eyes[view]), self._detector, levels=levels, threshold=least, executor=pool, parameters=p.detect
            )
            tracker.associate(n, eyes, view, found, deep=deep)
        for view in views:
            tracker.detect_occluded(n, eyes, view, self._detector, self._local(eyes[view]))

    def _local(self, eye: EyeImage) -> Projection:
        return self._clip.projection.resized(eye.width, eye.height)

    def _plan(self) -> Plan:
        clip, total = self._clip, len(self._clip)
        alignment = fit(self._observations, self._parameters.residual)
        if not alignment.level:
            self._notes.append(f"against the right eye, the left one sees everything {alignment.describe()}; that is taken into account")
        shots: tuple[Shot, ...] = tuple((a, b - 1) for a, b in zip(self._shots, [*self._shots[1:], total], strict=True))
        kept = []
        gap = self._parameters.trajectory.gap_s * self._fps
        for shot, found in enumerate(self._people):
            people = told_apart(found, stride=self._stride, gap=gap, p=self._parameters.change)
            limit = self._settings.detection.max_people
            if len(people) > limit:
                self._notes.append(f"shot {shot + 1} has {len(people)} people; the {limit} largest are kept (detection.max_people)")
            kept.append(_largest(people, limit))
        made = numbered(kept, clip, alignment, self._parameters)
        # of those who are kept: who was taken for whom, and is somebody else
        everybody = [(shot, t) for shot, people in enumerate(kept) for t in people]
        names = {(shot, t.id): p.name for (shot, t), p in zip(everybody, made, strict=True)}
        for shot, t in everybody:
            if t.taken_for is not None and (shot, t.taken_for) in names:
                one, other = names[shot, t.taken_for], names[shot, t.id]
                self._notes.append(f"{other} comes where {one} was, and looks different; if they are one person: merge {other} into {one}")
        if not made:
            self._notes.append("nobody was found in this clip; its mattes are empty")
        return Plan(
            clip={
                "path": as_utf8(clip.path.name),
                "fingerprint": clip.fingerprint,
                "frames": total,
                "first_number": clip.first_number,
                **({} if clip.timecode is None else {"timecode": str(clip.timecode)}),
                "fps": self._fps,
                "views": list(clip.views),
                "eye_size": list(clip.eye_size),
                "layout": clip.geometry.layout.name,
                "projection": clip.geometry.projection_name,
                "fov_degrees": clip.geometry.fov_degrees,
                "interocular_m": clip.interocular_m,
                **({} if self._span is None else {"analysed": list(self._span)}),
                "alignment_degrees": {k: round(math.degrees(getattr(alignment, k)), 2) for k in ("pitch", "yaw", "roll")},
            },
            shots=shots or ((0, total - 1),),
            people=made,
            projection=clip.projection,
            fps=self._fps,
            views=clip.views,
            frames=total,
            settings_digest=self._settings.digest("detection"),
            notes=tuple(self._notes),
        )


def _largest(people: Sequence[Tracklet], limit: int) -> list[Tracklet]:
    """The ``limit`` largest, in the order in which they were found."""

    def weight(t: Tracklet) -> float:
        return sum(e.body.reach for entries in t.entries.values() for e in entries.values())

    return sorted(sorted(people, key=weight, reverse=True)[:limit], key=lambda t: t.born)


def numbered(shots: Sequence[Sequence[Tracklet]], clip: Clip, alignment: Alignment, parameters: PlanParameters) -> tuple[Person, ...]:
    """The people of all shots, with numbers and names in the clip, and what one eye saw in both. Pure.

    shots: the tracklets of each shot, in order. alignment: how the left camera is turned against the right one.
    """
    fps = float(clip.fps)
    people = [(shot, t) for shot, tracklets in enumerate(shots) for t in tracklets]
    # numbers within a shot become numbers in the clip
    final = {(shot, t.id): k + 1 for k, (shot, t) in enumerate(people)}
    bins = max(1, round(parameters.distance_every_s * fps))
    made = []
    for k, (shot, t) in enumerate(people):
        views = completed(t.entries, clip.views, clip.projection, parameters.trajectory.gap_s * fps)
        views = {
            v: {n: replace(e, occluders=tuple(final[shot, i] for i in e.occluders if (shot, i) in final)) for n, e in own.items()}
            for v, own in views.items()
        }
        shifts = smooth_shifts({n: levelled(match, alignment) for n, match in t.matches.items()}, bins, parameters.distance)
        made.append(Person(k + 1, f"person{k + 1:02d}", views, shot=shot, shifts=shifts, doubts=t.doubts))
    return tuple(made)
