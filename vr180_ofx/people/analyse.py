"""One pass over a clip at low resolution: shots, people, and where each of them is in both eyes."""

from __future__ import annotations

import json
import logging
import math
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from vr180_ofx.arrays import FloatArray
from vr180_ofx.errors import FrameError
from vr180_ofx.frame_ranges import ranges_text
from vr180_ofx.media.contract import Clip
from vr180_ofx.people.associate import ShotTracker
from vr180_ofx.people.contract import Detector
from vr180_ofx.people.follow import Follower
from vr180_ofx.people.other_eye import completed
from vr180_ofx.people.parameters import ANALYSE
from vr180_ofx.people.person import Person
from vr180_ofx.people.plan import Plan
from vr180_ofx.people.search import search
from vr180_ofx.people.shots import CutFinder, Thumbs, thumbnail
from vr180_ofx.people.tracklet import Eyes, Tracklet
from vr180_ofx.settings import Settings
from vr180_ofx.stereo.distance import levelled, smooth_shifts
from vr180_ofx.stereo.residual import fit, observe
from vr180_ofx.telemetry import Stages
from vr180_ofx.trackers.blazepose_net import BlazePoseSegmenter
from vr180_ofx.vr180.layout import LEFT, RIGHT
from vr180_ofx.vr180.projection import Projection

log = logging.getLogger(__name__)
#: The analysis works on eyes of about so many pixels.
ANALYSIS_SIDE = 1024
_CANDIDATE_THRESHOLD = 0.5
#: Small people far away: the finest windows look at every so many searches, because they are many.
_FINE_EVERY = 2
#: Searches come in bursts; so many reduced frames are decoded in the meantime.
_AHEAD = 12
#: One distance for so many seconds.
_DISTANCE_EVERY_S = 0.2
#: How the cameras are turned against each other is looked at so often, and so many times: it does not change.
_OBSERVE_EVERY_S = 0.5
_MOST_OBSERVATIONS = 60

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class _Waiting:
    n: int
    eyes: Eyes | None


def analyse(
    clip: Clip, settings: Settings, *, detector: Detector, segmenter: BlazePoseSegmenter, progress: Progress | None = None,
    stages: Stages | None = None, stop: int | None = None,
) -> Plan:  # fmt: skip
    """Finds everybody in ``clip``. Deterministic: the same clip, settings and networks give the same plan.

    progress: called with (frames done, frames in all). Frames that cannot be decoded are passed over and noted. stop: look at the first
    frames only, as many as this; nobody is in the rest.
    """
    worker = _Analysis(clip, settings, detector, segmenter, stages or Stages())
    plan = worker.run(progress, stop)
    # what is written is what counts: a plan that was saved and read again must give the same windows to the last bit
    return Plan.from_data(json.loads(plan.to_json()), clip)


class _Analysis:
    def __init__(self, clip: Clip, settings: Settings, detector: Detector, segmenter: BlazePoseSegmenter, stages: Stages) -> None:
        self._clip = clip
        self._settings = settings
        self._detector = detector
        self._stages = stages
        self._fps = float(clip.fps)
        self._every = settings.detection.every
        self._stride = max(1, min(self._every, round(self._fps / 12)))
        width, height = clip.eye_size
        self._factor = max(1, round(max(width, height) / ANALYSIS_SIDE))
        self._follower = Follower(segmenter, clip.projection)
        self._members: list[tuple[int, Tracklet]] = []
        self._shots: list[int] = []
        self._cast: ShotTracker | None = None
        self._notes: list[str] = []
        self._since_search = 0
        self._search_count = 0
        self._observations: list[FloatArray] = []
        self._next_observation = 0

    def run(self, progress: Progress | None, stop: int | None = None) -> Plan:
        clip, total = self._clip, min(len(self._clip), stop or len(self._clip))
        cuts = CutFinder(self._fps)
        queue: deque[_Waiting] = deque()
        bad = []
        threads = self._settings.hardware.threads or 2
        reader = clip.reopen(fast=True)
        last: Thumbs | None = None
        try:
            with ThreadPoolExecutor(threads, "search") as self._pool, ThreadPoolExecutor(1, "decode") as decoder:
                coming = deque(decoder.submit(self._fetch, reader, n) for n in range(min(_AHEAD, total)))
                for n in range(total):
                    waiting, thumbs = coming.popleft().result()
                    if n + _AHEAD < total:
                        coming.append(decoder.submit(self._fetch, reader, n + _AHEAD))
                    if thumbs is None:
                        bad.append(n)
                        thumbs = last
                    queue.append(waiting)
                    if thumbs is not None:
                        last = thumbs
                        for decided, cut in cuts.push(n, thumbs):
                            self._take(queue, decided, cut)
                    if progress:
                        progress(n + 1, total)
                for decided, cut in cuts.flush():
                    self._take(queue, decided, cut)
        finally:
            reader.close()
        self._end_shot()
        if bad:
            self._notes.append(f"frames that cannot be decoded: {ranges_text(bad)}")
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
            return _Waiting(n, eyes), tuple(thumbnail(eye) for eye in (eyes or frame.eyes).values())

    def _take(self, queue: deque[_Waiting], decided: int, cut: bool) -> None:
        while queue and queue[0].n <= decided:
            waiting = queue.popleft()
            if waiting.n == 0 or (cut and waiting.n == decided):
                self._begin_shot(waiting.n)
            if waiting.eyes is not None:
                self._frame(waiting.n, waiting.eyes)

    def _begin_shot(self, n: int) -> None:
        self._end_shot()
        self._shots.append(n)
        self._cast = ShotTracker(
            self._follower,
            self._clip.views,
            self._fps,
            self._settings.detection.confidence_threshold,
            len(self._members) + 1,
            self._pool,
        )
        self._since_search = self._every
        self._search_count = 0

    def _end_shot(self) -> None:
        if self._cast is not None:
            self._members += [(len(self._shots) - 1, m) for m in self._cast.believed()]
            self._cast = None

    def _frame(self, n: int, eyes: Eyes) -> None:
        assert self._cast is not None
        with self._stages.measure("analyse: follow"):
            self._cast.step(n, eyes)
        if self._since_search >= self._every:
            self._since_search = 0
            with self._stages.measure("analyse: search"):
                self._search(n, eyes)
        self._since_search += self._stride
        if len(eyes) == 2 and n >= self._next_observation and len(self._observations) < _MOST_OBSERVATIONS:
            self._next_observation = n + max(1, round(_OBSERVE_EVERY_S * self._fps))
            with self._stages.measure("analyse: cameras"):
                self._observations.append(observe(eyes[LEFT], eyes[RIGHT], self._local(eyes[LEFT].width, eyes[LEFT].height)))

    def _search(self, n: int, eyes: Eyes) -> None:
        """A shot begins with both eyes; then they take turns, and the finest windows come every other time."""
        assert self._cast is not None
        k, self._search_count = self._search_count, self._search_count + 1
        views = list(self._clip.views)
        if k > 0 and len(views) == 2:
            views = [views[k % 2]]
        fine = k == 0 or (k // len(self._clip.views)) % _FINE_EVERY == 0
        for view in views:
            # whom one eye shows, the other is searched for at the same height: the finest windows need one eye at a time
            levels = (0, 1, 2) if fine and (k > 0 or view == views[0]) else (0, 1)
            eye = eyes[view]
            found = search(eye, self._local(eye.width, eye.height), self._detector, levels, _CANDIDATE_THRESHOLD, self._pool)
            self._cast.meet(n, eyes, view, found)
        for view in views:
            self._cast.meet_hidden(n, eyes, view, self._detector, self._local(eyes[view].width, eyes[view].height))

    def _local(self, width: int, height: int) -> Projection:
        return self._clip.projection.resized(width, height)

    def _plan(self) -> Plan:
        clip, total = self._clip, len(self._clip)
        alignment = fit(self._observations)
        if not alignment.level:
            self._notes.append(f"against the right eye, the left one sees everything {alignment.describe()}; that is taken into account")
        shots = [(a, b - 1) for a, b in zip(self._shots, [*self._shots[1:], total], strict=True)] or [(0, total - 1)]
        limit = self._settings.detection.max_people
        people = []
        for shot, _ in enumerate(shots):
            members = [m for s, m in self._members if s == shot]
            members.sort(key=_weight, reverse=True)
            if len(members) > limit:
                self._notes.append(f"shot {shot + 1} has {len(members)} people; the {limit} largest are kept (detection.max_people)")
            people += [(shot, m) for m in sorted(members[:limit], key=lambda m: m.born)]
        # numbers within a shot become numbers in the clip
        final = {(shot, m.id): k + 1 for k, (shot, m) in enumerate(people)}
        made = [
            Person(
                k + 1,
                f"person{k + 1:02d}",
                {
                    v: {n: replace(e, occluders=tuple(final[shot, i] for i in e.occluders if (shot, i) in final)) for n, e in own.items()}
                    for v, own in completed(m.entries, clip.views, clip.projection, ANALYSE.trajectory.gap_s * self._fps).items()
                },
                shot=shot,
                shifts=smooth_shifts(
                    {n: levelled(match, alignment) for n, match in m.matches.items()}, max(1, round(_DISTANCE_EVERY_S * self._fps))
                ),
            )
            for k, (shot, m) in enumerate(people)
        ]
        if not made:
            self._notes.append("nobody was found in this clip; its mattes are empty")
        return Plan(
            clip={
                "path": clip.path.name,
                "fingerprint": clip.fingerprint,
                "frames": total,
                "fps": self._fps,
                "views": list(clip.views),
                "eye_size": list(clip.eye_size),
                "layout": clip.geometry.layout.name,
                "projection": clip.geometry.projection_name,
                "interocular_m": clip.interocular_m,
                "alignment_degrees": {k: round(math.degrees(getattr(alignment, k)), 2) for k in ("pitch", "yaw", "roll")},
            },
            shots=tuple(shots),
            people=tuple(made),
            projection=clip.projection,
            fps=self._fps,
            views=clip.views,
            frames=total,
            settings_digest=self._settings.digest("detection"),
            notes=tuple(self._notes),
        )


def _weight(m: Tracklet) -> float:
    return sum(e.body.reach for entries in m.entries.values() for e in entries.values())
