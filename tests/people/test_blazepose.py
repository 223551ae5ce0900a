"""The embedded detector."""

import numpy as np
import pytest

from vr180_ofx.engine.models import Models
from vr180_ofx.people.blazepose import INPUT_SIZE, BlazePoseDetector, anchors
from vr180_ofx.settings import Settings
from vr180_ofx.vr180.window import Window
from vr180_ofx.weights.store import require


def test_the_anchors_are_those_of_the_model():
    a = anchors()
    assert a.shape == (2254, 2) and a[0] == pytest.approx([0.5 / 28] * 2) and a[-1] == pytest.approx([6.5 / 7] * 2)


def test_somebody_is_found_where_the_plan_has_them(planned):
    """In a window that shows one of them whole."""
    clip, plan = planned
    detector = Models.of(Settings()).load_detector()
    body = plan.track(plan.people[0], "left").bodies[0]
    window = body.window(detector.size, 1.5)
    found = detector.find(clip.frame(0).eyes["left"].sample(window.grid(clip.projection)).rgb, window, 0.5)
    best = max(found, key=lambda c: c.score)
    assert best.score > 0.7 and best.body.angle_to(body) < 0.2 * body.reach and best.body.reach == pytest.approx(body.reach, rel=0.3)


def test_nobody_is_in_noise():
    noise = np.random.default_rng(0).random((INPUT_SIZE, INPUT_SIZE, 3)).astype(np.float32)
    assert Models.of(Settings()).load_detector().find(noise, Window((0, 0, 1), 60, 0, INPUT_SIZE), 0.5) == []


def test_a_picture_of_another_size_is_refused():
    detector = BlazePoseDetector(require("blazepose_detector"))
    with pytest.raises(ValueError, match="224x224x3; this one is"):
        detector.detect(np.zeros((100, 100, 3), np.float32), 0.5)
