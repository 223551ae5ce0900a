"""Both eyes of one moment."""

import numpy as np
import pytest

from tests.stereo.scenes import PROJECTION
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.stereo.pair import StereoPair, sampled
from vr180_ofx.vr180.alignment import Alignment
from vr180_ofx.vr180.layout import LEFT, RIGHT


def eye(width, height):
    return RgbEye(np.zeros((height, width, 3), np.uint8), (0, 0), width, height)


def test_pictures_of_other_sizes_than_the_projections_are_refused():
    pair = StereoPair.of({LEFT: eye(512, 512), RIGHT: eye(512, 512)}, PROJECTION)
    assert repr(pair).startswith("StereoPair(512x512, ")
    with pytest.raises(ValueError, match="the right eye has 256x512 pixels and the projection is of 512x512"):
        StereoPair(eye(512, 512), eye(256, 512), PROJECTION)


def test_the_left_eye_alone_is_turned():
    pair = StereoPair(eye(512, 512), eye(512, 512), PROJECTION, Alignment(pitch=0.1))
    ahead = np.array([0, 0, 1.0])
    assert pair.level(RIGHT).project(ahead) == pytest.approx([256, 256])
    assert pair.level(LEFT).project(ahead)[1] < 250


def test_sampling_a_patch():
    """At the pixels' centres its values, halfway between them their mean, and nothing outside or nowhere."""
    rect, values = Rect(10, 20, 13, 22), np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    ys, xs = np.mgrid[20:22, 10:13] + 0.5
    assert np.array_equal(sampled(values, rect, np.stack([xs, ys], axis=-1)), values)
    places = np.array([[[11.0, 20.5], [12.5, 21.0], [40.0, 20.5], [np.nan, np.nan]]])
    assert sampled(values, rect, places) == pytest.approx(np.array([[1.5, 4.5, 0, 0]]))
    assert sampled(values.astype(np.float16), rect, places).dtype == np.float32
