"""Must show: a garbage matte drawn in one eye takes the same thing out of the other, by the geometry of the truth; with own mattes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import shared_clip
from tests.imaging.rays import inside
from vr180_ofx.engine.plans import analyse
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.imaging.parts import bounds
from vr180_ofx.media.open import open_clip
from vr180_ofx.people.mattes_file import InputMatte
from vr180_ofx.quality.truth import Truth

#: Shares of a person's box: (left, top, right, bottom).
PARTS = {
    "whole": (-0.1, -0.1, 1.1, 1.1), "upper half": (-0.1, -0.1, 1.1, 0.5), "left half": (-0.1, -0.1, 0.5, 1.1),
    "right arm": (0.7, 0.1, 1.1, 0.6), "chest": (0.3, 0.2, 0.7, 0.42), "feet": (-0.1, 0.85, 1.1, 1.1),
}  # fmt: skip
#: Fewer pixels say little: one at the edge is half a percent.
LEAST = 200


def seen_by_left(clip, truth, frame, person):
    """(h, w, 2): where the left eye has the points that the right one sees, (h, w) where that is known."""
    height, width = clip.eye_size[1], clip.eye_size[0]
    ys, xs = np.mgrid[:height, :width] + 0.5
    rays = clip.projection.unproject(np.stack([xs, ys], axis=-1))
    known = frame.people["right"][person] > 0.5
    if frame.depth is not None:
        along = frame.depth["right"]
        known &= along > 0
    else:
        with np.errstate(divide="ignore"):
            along = truth.billboards_m[person] / rays[..., 2]
    return clip.projection.project(rays * along[..., None] + np.array([truth.interocular_m, 0, 0])), known


@pytest.mark.slow
@pytest.mark.parametrize("name", ["walk3d_2k", "duo_2k"])
def test_the_effect_in_the_other_eye_is_that_of_the_truths_geometry(name):
    folder = shared_clip(f"vr180/{name}")
    truth, figures = Truth(folder), {}
    with open_clip(folder / "clip.mp4") as clip:
        plan = analyse(clip)
        wanted = {n: frame for n, frame in enumerate(truth.frames()) if n in (5, 12, 20)}
        with FrameServer(clip, plan) as server:
            for n, frame in wanted.items():
                plain = server.request(n).result().views["right"].alpha
                for person in frame.people["left"]:
                    places, known = seen_by_left(clip, truth, frame, person)
                    r = bounds(frame.people["left"][person] > 0.5)
                    for part, (x0, y0, x1, y1) in PARTS.items():
                        xs, ys = (r.x0 + x0 * r.width, r.x0 + x1 * r.width), (r.y0 + y0 * r.height, r.y0 + y1 * r.height)
                        points = ((xs[0], ys[0]), (xs[1], ys[0]), (xs[1], ys[1]), (xs[0], ys[1]))
                        matte = InputMatte(name="g", kind="garbage", shapes={"left": ((0, points),)})
                        server.replace_plan(replace(plan, mattes=(matte,)))
                        made = server.request(n).result().views["right"].alpha
                        there = known & (plain > 0.5)
                        gone, should = there & (made < 0.5 * plain), there & inside(np.array(points), places[..., 0], places[..., 1])
                        if (gone | should).sum() >= LEAST:
                            figures[n, person, part] = (gone & should).sum() / (gone | should).sum()
    assert len(figures) >= 24 and min(figures.values()) >= 0.94, figures
    assert np.mean(list(figures.values())) >= 0.985, figures
