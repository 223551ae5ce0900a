"""Who is to be seen in one frame, without looking at any other: for drafts while a clip is being analysed."""

from __future__ import annotations

from concurrent.futures import Executor

from vr180_ofx.media.contract import Clip, EyeImage, SourceFrame
from vr180_ofx.people.analyse import reduction
from vr180_ofx.people.contract import Candidate, Detector, Segmenter
from vr180_ofx.people.detect import detect_people
from vr180_ofx.people.observe import Observation, Observer
from vr180_ofx.people.parameters import PLAN, PlanParameters
from vr180_ofx.people.person import Entry, Person
from vr180_ofx.people.plan import Plan
from vr180_ofx.people.tracklet import in_other_eye, same_person
from vr180_ofx.settings import Settings
from vr180_ofx.vr180.body import Body
from vr180_ofx.wording import as_utf8

#: The finest windows are too many for somebody who waits.
_LEVELS = (0, 1)


class DraftPlanner:
    """Looks at single frames of a clip. pool: where windows are looked at, all at once."""

    def __init__(
        self, clip: Clip, settings: Settings, pool: Executor, *, detector: Detector, segmenter: Segmenter, parameters: PlanParameters = PLAN
    ) -> None:  # fmt: skip
        self._clip = clip
        self._settings = settings
        self._pool = pool
        self._parameters = parameters
        self._observer = Observer(segmenter, clip.projection, parameters.observe)
        self._detector = detector
        self._factor = reduction(clip, parameters)

    def draft(self, frame: SourceFrame) -> Plan:
        """A plan that knows this frame alone; numbers of people have no meaning beyond it.

        One eye is searched, and whom it shows is looked for in the other one, where they should be.
        """
        clip, n = self._clip, frame.index
        first = clip.views[0]
        eyes = dict(zip(frame.eyes, self._pool.map(lambda e: e.reduced(self._factor), frame.eyes.values()), strict=True))
        seen: list[tuple[Observation, dict[str, Entry]]] = []
        for candidate, now in self._looks(eyes[first]):
            if now is None or not self._is_there(now) or any(same_person(now.mask, o.mask, self._parameters.same) for o, _ in seen):
                continue
            seen.append((now, {first: Entry(now.body, now.box, min(1.0, candidate.score))}))
        seen = seen[: self._settings.detection.max_people]
        for view in clip.views[1:]:
            eye = eyes[view]
            for (_, entries), other in zip(seen, self._pool.map(lambda p, e=eye: self._other_eye(e, p[0].body), seen), strict=True):
                if other is not None:
                    entries[view] = other
        people = (Person(k + 1, f"person{k + 1:02d}", {v: {n: e} for v, e in entries.items()}) for k, (_, entries) in enumerate(seen))
        total = len(clip)
        return Plan(
            clip={"path": as_utf8(clip.path.name), "fingerprint": clip.fingerprint, "frames": total}, shots=((0, total - 1),),
            people=tuple(people), projection=clip.projection, fps=float(clip.fps), views=clip.views, frames=total,
            notes=("of one frame alone",),
        )  # fmt: skip

    def _looks(self, eye: EyeImage) -> list[tuple[Candidate, Observation | None]]:
        local = self._clip.projection.resized(eye.width, eye.height)
        found = detect_people(
            eye, local, self._detector, levels=_LEVELS, threshold=self._settings.detection.confidence_threshold, executor=self._pool,
            parameters=self._parameters.detect,
        )  # fmt: skip
        return list(zip(found, self._pool.map(lambda c: self._observer.observe(eye, c.body), found), strict=True))

    def _is_there(self, now: Observation) -> bool:
        return now.presence >= self._parameters.same.presence

    def _other_eye(self, eye: EyeImage, body: Body) -> Entry | None:
        now = self._observer.observe(eye, in_other_eye(body, to_the_right=True))
        return None if now is None or not self._is_there(now) else Entry(now.body, now.box, float(now.presence))
