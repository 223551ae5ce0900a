"""What somebody looks like, held against light and bodies that are known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.people.dressed import HIPS, SIDE, TOP, body, dressed, encoded, look
from tests.people.painted import Painted, eye
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.people.look import PARTS, difference, light_of, look_of, typical_look

RED, BLUE = (0.4, 0.05, 0.05), (0.05, 0.08, 0.4)
COLOUR = st.tuples(*[st.floats(0.05, 0.8)] * 3)


@given(COLOUR, COLOUR)
def test_two_plain_people_differ_by_the_distance_of_their_colours(one, other):
    """Of what is one colour, the distance of distributions is the distance of the two colours, here computed from linear light."""

    def channels(rgb):
        r, g, b = np.log(np.array(rgb) + 0.02)
        return np.array([(r + g + b) / 3, r - g, b - (r + g) / 2])

    expected = float(np.linalg.norm(channels(one) - channels(other)))
    value, common = difference(look(dressed(one, one)), look(dressed(other, other)))
    assert value == pytest.approx(expected, abs=0.01 + 0.01 * expected) and common == pytest.approx(1)


def under(linear, gain):
    """The same under other light, as an eye of 8 bits."""
    return RgbEye(np.round(encoded(np.clip(linear * np.array(gain), 0, 1)) * 255).astype(np.uint8), (0, 0), SIDE, SIDE)


@pytest.mark.parametrize("gain", [(0.5, 0.5, 0.5), (1.6, 1.6, 1.6), (1.15, 1.0, 0.8), (0.6, 0.7, 0.9)])
def test_light_that_changes_in_the_whole_picture_is_no_other_person(gain):
    dark, lit = dressed(RED, BLUE), dressed(RED, BLUE)
    looks = []
    for picture, light in ((dark, (1, 1, 1)), (lit, gain)):
        eye_image = under(picture, light)
        shown = eye_image.region(Rect(0, 0, SIDE, SIDE))
        made = look_of(shown, body(), HIPS, TOP)
        assert made is not None
        looks.append((made, made.under(light_of(eye_image))))
    (raw_a, a), (raw_b, b) = looks
    # what is nearly black follows the light less
    assert difference(a, b)[0] < min(0.3, 0.6 * difference(raw_a, raw_b)[0])
    # somebody else under the same light is somebody else
    assert difference(a, look(dressed((0.05, 0.4, 0.1), RED)).under(light_of(under(dark, (1, 1, 1)))))[0] > 0.5


def test_only_what_both_show_is_compared():
    """Of somebody behind a table the legs are not known; of two people with one pair of trousers these say nothing."""
    whole, upper = look(dressed(RED, BLUE)), look(dressed(RED, BLUE), body((8, 48)))
    value, common = difference(whole, upper)
    assert value == pytest.approx(0, abs=1e-3) and common == pytest.approx(0.5, abs=0.05)
    assert difference(look(dressed(RED, BLUE), body((8, 28))), look(dressed(RED, BLUE), body((60, 92)))) == (0.0, 0.0)


def test_hips_that_are_taken_for_higher_are_no_other_person():
    low, high = look(dressed(RED, BLUE)), look(dressed(RED, BLUE), hips=np.array([48.0, 43.0]))
    of_parts = np.sqrt((((low.colours.astype(float) - high.colours.astype(float)) ** 2).sum(axis=1)).mean(axis=1).mean())
    assert difference(low, high)[0] < 0.6 * of_parts < 0.6 * difference(low, look(dressed((0.05, 0.3, 0.1), RED)))[0] + of_parts


def test_too_little_of_somebody_is_no_look():
    assert look_of(np.zeros((SIDE, SIDE, 3), np.float32), np.zeros((SIDE, SIDE), bool), HIPS, TOP) is None
    assert look_of(np.zeros((SIDE, SIDE, 3), np.float32), body((8, 10)), HIPS, TOP) is None
    assert look_of(np.zeros((SIDE, SIDE, 3), np.float32), body(), HIPS, HIPS) is None


def test_one_wrong_picture_changes_nothing_of_what_is_typical():
    own = [look(dressed(RED, BLUE)) for _ in range(4)]
    typical = typical_look([*own, look(dressed(BLUE, RED))])
    assert difference(typical, own[0])[0] == pytest.approx(0, abs=1e-3)
    assert typical.shares.sum() == pytest.approx(1) and typical.colours.shape[0] == PARTS


@given(st.lists(st.tuples(COLOUR, COLOUR), min_size=2, max_size=4))
def test_differences_are_symmetric_and_none_to_oneself(people):
    looks = [look(dressed(*p)) for p in people]
    for a in looks:
        assert difference(a, a)[0] == 0
        for b in looks:
            value, _ = difference(a, b)
            assert math.isfinite(value) and value == difference(b, a)[0]


def test_light_is_that_of_the_room():
    """A person in a large room is not the light, whatever they wear."""
    assert light_of(eye([])) == pytest.approx(light_of(eye([Painted(1, 0.0)])), abs=0.05)
