"""The demo clip with true mattes from which parts are taken off, for corrections."""

from __future__ import annotations

from itertools import islice

import numpy as np

from tests.controls.frames import Given
from tests.stereo.scenes import DEMO, trimmed
from vr180_ofx.controls.contract import EyeMattes
from vr180_ofx.imaging.parts import bounds
from vr180_ofx.media.open import open_clip
from vr180_ofx.people.plan import Plan
from vr180_ofx.quality.truth import Truth

FIRST, LAST = 2, 8


def demo_frames():
    """(clip, frame -> view -> person -> true alpha), until it is asked on."""
    frames = dict(enumerate(islice(Truth(DEMO / "truth").frames(), LAST + 1)))
    with open_clip(DEMO / "walk3d.mp4") as clip:
        yield clip, {n: t.people for n, t in frames.items()}


def mattes(clip, people):
    width, height = clip.eye_size
    return {v: EyeMattes(width, height, {p: trimmed(a) for p, a in own.items()}) for v, own in people.items()}


def plan_of(clip, alphas, points):
    """Who is where, by the truth; points: of person 1."""
    people = []
    for p in (1, 2):
        views = {}
        for v in clip.views:
            r = bounds(alphas[FIRST][v][p] > 0.5)
            views[v] = {str(n): {"box": [r.x0, r.y0, r.x1, r.y1]} for n in range(len(clip))}
        people.append({"id": p, "name": f"person0{p}", "views": views})
    people[0]["points"] = points
    return Plan.from_data({"format": "vr180-ofx plan", "version": 1, "people": people}, clip)


def whole(eye, person=1):
    out = np.zeros((eye.height, eye.width), np.float32)
    patch = eye.people[person]
    out[patch.rect.slices] = patch.alpha
    return out


class Frames(Given):
    """Mattes of each frame."""

    def mattes(self, n):
        return mattes(self._clip, self._mattes[n])


def headless(alphas, views=("left",)):
    """The head is gone: the upper seventh of person 1. Returns mattes, and the middle of what is missing in the left eye at FIRST."""
    wrong = {n: {v: dict(own) for v, own in people.items()} for n, people in alphas.items()}
    for people in wrong.values():
        for v in views:
            r = bounds(people[v][1] > 0.5)
            people[v][1] = people[v][1].copy()
            people[v][1][: r.y0 + r.height // 7] = 0
    r = bounds(alphas[FIRST]["left"][1] > 0.5)
    head = alphas[FIRST]["left"][1][r.y0 : r.y0 + r.height // 7] > 0.9
    ys, xs = np.nonzero(head)
    k = np.argmin(np.hypot(xs - xs.mean(), ys - ys.mean()))
    return wrong, [float(xs[k]) + 0.5, float(ys[k] + r.y0) + 0.5]


def error(made, truth):
    return float(np.abs(made - truth).sum())
