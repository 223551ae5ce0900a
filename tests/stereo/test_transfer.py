"""A matte carried to the other eye: a ball whose geometry is known, with a picture to match and without one."""

import numpy as np
import pytest

from tests.stereo.scenes import PROJECTION, B, in_eye, seen_ball, trimmed
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.patch import Patch
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.quality import metrics
from vr180_ofx.stereo.pair import StereoPair
from vr180_ofx.stereo.transfer import WeakerEye, transferred, without_occluded
from vr180_ofx.vr180.layout import LEFT, RIGHT, other_eye
from vr180_ofx.vr180.projection import Equirectangular

SIZE = 512
#: About how far away the middle of the ball's front is, along the ground.
METRES = 0.85


@pytest.fixture(scope="module")
def scene():
    return seen_ball(SIZE)


def patch(rect, alpha, confidence=1.0):
    shape = (rect.height, rect.width)
    return Patch(rect, np.full(shape, alpha, np.float32), np.full(shape, confidence, np.float32))


@pytest.mark.parametrize("weaker", [RIGHT, LEFT])
def test_a_matte_lies_where_the_other_eye_sees_it(scene, weaker):
    eyes, alphas = scene
    pair = StereoPair.of(eyes, PROJECTION)
    better = trimmed(alphas[other_eye(weaker)], 0.8)
    # even though what is known of the distance is a tenth wrong: the pictures say it better
    made = transferred(pair, better, WeakerEye(weaker, B / METRES * 1.1))
    measured = metrics.iou(in_eye(made, SIZE), alphas[weaker])
    assert measured > 0.95
    # believed half as much as it was, and beyond it nobody is there, for sure
    inside = in_eye(made, SIZE)[made.rect.slices] == 1
    assert np.allclose(made.confidence[inside], 0.4) and np.allclose(made.confidence[0], 0.5)
    # nothing to be matched: by the distance alone
    blank = RgbEye(np.full((SIZE, SIZE, 3), 128, np.uint8), (0, 0), SIZE, SIZE)
    flat = [
        metrics.iou(in_eye(transferred(StereoPair(blank, blank, PROJECTION), better, WeakerEye(weaker, s)), SIZE), alphas[weaker])
        for s in (B / METRES, B / METRES * 1.4)
    ]
    assert flat[0] > 0.93 and flat[0] > flat[1] + 0.03


def test_where_the_other_eye_sees_nothing_a_matte_stays_what_it_was():
    """At the right border of a picture that shows 60 degrees to each side. Somebody near stands there: what the right eye sees at more
    than 51 degrees, the left eye would see at more than 60.
    """
    blank = RgbEye(np.zeros((SIZE, SIZE, 3), np.uint8), (0, 0), SIZE, SIZE)
    pair = StereoPair(blank, blank, Equirectangular(SIZE, SIZE, (120, 180)))
    better, own = patch(Rect(400, 240, 512, 280), 1.0), patch(Rect(400, 200, 512, 280), 0.25, 0.75)
    made = transferred(pair, better, WeakerEye(RIGHT, 0.5, own))
    alpha, (y, x) = in_eye(made, SIZE), (made.rect.y0, made.rect.x0)
    assert np.allclose(alpha[245:275, 480:], 0.25) and np.allclose(made.confidence[245 - y : 275 - y, 480 - x :], 0.75)
    # what it sees is taken over, somebody and nobody
    assert alpha[245:275, 410:460].min() == 1 and alpha[205:235, 410:460].max() == 0


def test_both_mattes_by_their_confidence(scene):
    eyes, alphas = scene
    pair = StereoPair.of(eyes, PROJECTION)
    better = trimmed(alphas[LEFT], 0.6)
    own = patch(trimmed(alphas[RIGHT]).rect, 0.0, 0.9)
    made = transferred(pair, better, WeakerEye(RIGHT, B / METRES, own, 0.5))
    ys, xs = np.nonzero(alphas[RIGHT])
    middle = in_eye(made, SIZE)[int(ys.mean()), int(xs.mean())]
    # confidences, and a hundredth that each eye has in any case
    assert middle == pytest.approx(0.61 / (0.61 + 0.9 * 0.5 + 0.01), abs=1e-3)


def test_nobody_is_carried_to_nobody():
    blank = RgbEye(np.zeros((SIZE, SIZE, 3), np.uint8), (0, 0), SIZE, SIZE)
    pair = StereoPair(blank, blank, PROJECTION)
    assert transferred(pair, patch(Rect(10, 10, 20, 20), 0.0), WeakerEye(RIGHT, 0.03)).rect.empty


def test_what_is_hidden_is_not_seen():
    far, near = patch(Rect(0, 0, 20, 10), 0.8), patch(Rect(12, 2, 40, 6), 0.5)
    made = without_occluded(far, [near, patch(Rect(50, 50, 60, 60), 1.0)])
    assert np.allclose(made.alpha[2:6, 12:], 0.4) and np.allclose(made.alpha[6:], 0.8) and np.allclose(made.alpha[:, :12], 0.8)
    assert np.allclose(far.alpha, 0.8) and made.confidence is far.confidence
