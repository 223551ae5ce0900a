"""What trackers are shown of a plan."""

import numpy as np
import pytest

from vr180_ofx.trackers.prompts import prompt_in_window
from vr180_ofx.vr180.projection import Equirectangular
from vr180_ofx.vr180.window import Window

PROJECTION = Equirectangular(1024, 1024)


def test_a_box_as_a_window_straight_ahead_shows_it():
    """Ten degrees to each side, which lie at tan(10) / tan(30) of half the window."""
    reach = 10 / 180 * 1024
    prompt = prompt_in_window((512 - reach, 512 - reach, 512 + reach, 512 + reach), Window((0, 0, 1), 60, 0, 400), PROJECTION)
    half = 200 * np.tan(np.radians(10)) / np.tan(np.radians(30))
    assert prompt is not None and prompt.mask is None and not prompt.points
    assert prompt.box == pytest.approx((200 - half, 200 - half, 200 + half, 200 + half), abs=2)


def test_a_box_that_reaches_out_of_a_window_ends_with_it():
    prompt = prompt_in_window((300, 400, 520, 600), Window((0, 0, 1), 30, 0, 100), PROJECTION)
    assert prompt is not None and prompt.box is not None
    assert prompt.box[0] == 0 and 50 < prompt.box[2] < 60


def test_points_are_where_the_window_shows_them_and_the_box_has_those_on_the_person():
    """Ten degrees to the right and up, which lie at tan(10) / tan(30) of half the window, in a window of any size."""
    reach = 10 / 180 * 1024
    window = Window((0, 0, 1), 60, 0, 400)
    half = 200 * np.tan(np.radians(10)) / np.tan(np.radians(30))
    small = (500, 500, 524, 524)
    # the last one of each lies out of the window, the one behind the axis' side by 80 degrees
    plus, minus = [(512 + reach, 512.0), (512 + 8 * reach, 512.0)], [(512.0, 512 - reach), (512 - 8 * reach, 512.0)]
    prompt = prompt_in_window(small, window, PROJECTION, plus=plus, minus=minus)
    assert prompt is not None and prompt.box is not None
    assert [p[2] for p in prompt.points] == [1, 0]
    assert prompt.points[0][:2] == pytest.approx((200 + half, 200), abs=1e-6)
    assert prompt.points[1][:2] == pytest.approx((200, 200 - half), abs=1e-6)
    plain = prompt_in_window(small, window, PROJECTION)
    assert plain is not None and plain.box is not None
    assert prompt.box[2] == pytest.approx(200 + half) and (prompt.box[0], *prompt.box[1::2]) == (plain.box[0], *plain.box[1::2])
    # a box beyond the window: the points alone; nothing but points beside them is nobody
    away = (10, 500, 40, 524)
    alone = prompt_in_window(away, window, PROJECTION, plus=plus)
    assert alone is not None and alone.box is None and len(alone.points) == 1
    assert prompt_in_window(away, window, PROJECTION, minus=minus) is None


def test_what_a_window_does_not_show_makes_no_prompt():
    assert prompt_in_window((10, 400, 60, 600), Window((0, 0, 1), 30, 0, 100), PROJECTION) is None
    # behind the camera
    assert prompt_in_window((10, 500, 40, 524), Window((1, 0, 0), 30, 0, 100), PROJECTION) is None
