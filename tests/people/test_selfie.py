"""The second opinion on who was found: a network of another kind, held against exact truth."""

import av
import numpy as np
import pytest

from tests.conftest import DEMO
from vr180_ofx.engine.models import Models
from vr180_ofx.people.selfie import INPUT_SIZE, SelfieSegmenter
from vr180_ofx.settings import Settings
from vr180_ofx.weights.store import require


@pytest.fixture(scope="module")
def opinion():
    return SelfieSegmenter(require("selfie_segmenter"))


def test_it_sees_people_and_little_else(opinion, planned):
    """Ten frames of the demo: where its truth has somebody, and where it has nobody."""
    clip, plan = planned
    with av.open(str(DEMO.parent / "truth/gt_person1.mkv")) as one, av.open(str(DEMO.parent / "truth/gt_person2.mkv")) as two:
        first = [next(c.decode(video=0)).to_ndarray(format="gray").astype(float) / 255 for c in (one, two)]
    truth = np.maximum(*first)[:, : first[0].shape[1] // 2]
    eye = clip.frame(0).eyes["left"]
    everybody = [plan.track(p, "left").bodies[0] for p in plan.people]
    for body in everybody:
        window = body.window(INPUT_SIZE, 1.3)
        said = opinion.people(eye.sample(window.grid(clip.projection.resized(eye.width, eye.height))).rgb)
        own = window.grid(clip.projection.resized(truth.shape[1], truth.shape[0]))
        there = truth[np.clip(own[..., 1].astype(int), 0, len(truth) - 1), np.clip(own[..., 0].astype(int), 0, truth.shape[1] - 1)] > 0.5
        assert said[there].mean() > 0.7 and said[~there].mean() < 0.1


def test_pictures_of_another_size_are_refused(opinion):
    with pytest.raises(ValueError, match="256x256x3; this one is"):
        opinion.people(np.zeros((255, 256, 3), np.float32))


def test_the_program_asks_it(planned):
    """Entries carry what it said while a clip is analysed; the people of the demo are people to it."""
    assert isinstance(Models.of(Settings()).load_opinion(), SelfieSegmenter)
    assert len(planned[1].people) == 2
