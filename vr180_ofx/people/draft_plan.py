"""Who is to be seen in one frame, without looking at any other: for drafts while a clip is being analysed."""

from __future__ import annotations

from concurrent.futures import Executor

from vr180_ofx.media.contract import Clip, EyeImage, SourceFrame
from vr180_ofx.people.analyse import ANALYSIS_SIDE
from vr180_ofx.people.contract import Candidate, Detector
from vr180_ofx.people.follow import Follower, Sighting
from vr180_ofx.people.person import Entry, Person
from vr180_ofx.people.plan import Plan
from vr180_ofx.people.search import search
from vr180_ofx.people.tracklet import PRESENCE, Tracklet, same_person
from vr180_ofx.settings import Settings
from vr180_ofx.trackers.blazepose_net import BlazePoseSegmenter
from vr180_ofx.vr180.body import Body

_LEVELS = (0, 1)


class DraftPlanner:
    """Looks at single frames of a clip."""

    def __init__(
        self, clip: Clip, settings: Settings, pool: Executor, *, detector: Detector, segmenter: BlazePoseSegmenter
    ) -> None:  # fmt: skip
        self._clip = clip
        self._settings = settings
        self._pool = pool
        self._follower = Follower(segmenter, clip.projection)
        self._detector = detector
        self._factor = max(1, round(max(clip.eye_size) / ANALYSIS_SIDE))

    def sketch(self, frame: SourceFrame) -> Plan:
        """A plan that knows this frame alone; numbers of people have no meaning beyond it.

        One eye is searched, and whom it shows is looked for in the other one, where they should be.
        """
        clip, n = self._clip, frame.index
        first = clip.views[0]
        eyes = dict(zip(frame.eyes, self._pool.map(lambda e: e.reduced(self._factor), frame.eyes.values()), strict=True))
        people: list[tuple[Sighting, dict[str, Entry]]] = []
        for candidate, sighting in self._looks(eyes[first]):
            if sighting is None or sighting.presence < PRESENCE or any(same_person(sighting.mask, s.mask) for s, _ in people):
                continue
            people.append((sighting, {first: Entry(sighting.body, sighting.box, min(1.0, candidate.score))}))
        people = people[: self._settings.detection.max_people]
        for view in clip.views[1:]:
            eye = eyes[view]
            for (_, entries), other in zip(people, self._pool.map(lambda p, e=eye: self._other_eye(e, p[0].body), people), strict=True):
                if other is not None:
                    entries[view] = other
        made = [Person(k + 1, f"person{k + 1:02d}", {v: {n: e} for v, e in entries.items()}) for k, (_, entries) in enumerate(people)]
        total = len(clip)
        return Plan(
            clip={"path": clip.path.name, "fingerprint": clip.fingerprint, "frames": total}, shots=((0, total - 1),), people=tuple(made),
            projection=clip.projection, fps=float(clip.fps), views=clip.views, frames=total, notes=("of one frame alone",),
        )  # fmt: skip

    def _looks(self, eye: EyeImage) -> list[tuple[Candidate, Sighting | None]]:
        local = self._clip.projection.resized(eye.width, eye.height)
        found = search(eye, local, self._detector, _LEVELS, self._settings.detection.confidence_threshold, self._pool)
        return list(zip(found, self._pool.map(lambda c: self._follower.look(eye, c.body), found), strict=True))

    def _other_eye(self, eye: EyeImage, body: Body) -> Entry | None:
        guess = Tracklet(0, 0, {}, {}).in_other_eye(body, to_the_right=True)
        sighting = self._follower.look(eye, guess)
        if sighting is None or sighting.presence < PRESENCE:
            return None
        return Entry(sighting.body, sighting.box, float(sighting.presence))
