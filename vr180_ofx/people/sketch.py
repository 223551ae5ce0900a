"""Who is to be seen in one frame, without looking at any other: for drafts while a clip is being analysed."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from vr180_ofx.media.clip import Clip
from vr180_ofx.media.picture import EyeImage
from vr180_ofx.people.analyse import ANALYSIS_SIDE
from vr180_ofx.people.body import Body
from vr180_ofx.people.detector import make_detector
from vr180_ofx.people.follow import Follower, Sighting, resized_projection
from vr180_ofx.people.member import PRESENCE, Member, same_person
from vr180_ofx.people.plan import Entry, Person, Plan
from vr180_ofx.people.search import search
from vr180_ofx.settings import Settings
from vr180_ofx.trackers.blazepose_net import BlazePoseSegmenter
from vr180_ofx.weights.store import require

#: The two larger sizes of search windows; the finest are too many for a draft.
_LEVELS = (0, 1)


def sketch(clip: Clip, settings: Settings, n: int) -> Plan:
    """A plan that knows frame ``n`` alone. Numbers of people have no meaning beyond it.

    One eye is searched, and whom it shows is looked for in the other one where it should be. Raises FrameError.
    """
    follower = Follower(BlazePoseSegmenter(require("blazepose_segmenter")), clip.projection)
    detector = make_detector(settings)
    factor = max(1, round(max(clip.eye_size) / ANALYSIS_SIDE))
    reader = clip.reopen(fast=True)
    try:
        eyes = {view: eye.reduced(factor) for view, eye in reader.frame(n).eyes.items()}
    finally:
        reader.close()
    first = clip.views[0]
    with ThreadPoolExecutor(settings.hardware.threads or os.cpu_count() or 1, "sketch") as pool:
        eye = eyes[first]
        local = resized_projection(clip.projection, eye.width, eye.height)
        found = search(eye, local, detector, _LEVELS, settings.detection.confidence_threshold, pool)
        looks = list(pool.map(lambda c: follower.look(eye, c.body), found))
        people: list[tuple[Sighting, dict[str, Entry]]] = []
        for candidate, sighting in zip(found, looks, strict=True):
            if sighting is None or sighting.presence < PRESENCE or any(same_person(sighting.mask, s.mask) for s, _ in people):
                continue
            people.append((sighting, {first: Entry(sighting.body, sighting.box, candidate.score)}))
        people = people[: settings.detection.max_people]
        for view in clip.views[1:]:
            others = list(pool.map(lambda p: _other_eye(follower, eyes[view], p[0].body), people))  # noqa: B023 - used at once
            for (_, entries), other in zip(people, others, strict=True):
                if other is not None:
                    entries[view] = other
    made = [Person(k + 1, f"person{k + 1:02d}", {v: {n: e} for v, e in entries.items()}) for k, (_, entries) in enumerate(people)]
    total = len(clip)
    return Plan(
        clip={"path": clip.path.name, "fingerprint": clip.fingerprint, "frames": total}, shots=[(0, total - 1)], people=made,
        projection=clip.projection, fps=float(clip.fps), views=clip.views, frames=total, notes=["of one frame alone"],
    )  # fmt: skip


def _other_eye(follower: Follower, eye: EyeImage, body: Body) -> Entry | None:
    guess = Member(0, 0, {}, {}).in_other_eye(body, to_the_right=True)
    sighting = follower.look(eye, replace(guess), rounds=1)
    if sighting is None or sighting.presence < PRESENCE:
        return None
    return Entry(sighting.body, sighting.box, float(sighting.presence))
