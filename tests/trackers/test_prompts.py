"""What trackers are shown of a plan."""

import numpy as np
import pytest

from vr180_ofx.trackers.prompts import prompt_in_window, with_painted
from vr180_ofx.vr180.projection import Equirectangular
from vr180_ofx.vr180.window import Window

PROJECTION = Equirectangular(1024, 1024)


def test_a_box_as_a_window_straight_ahead_shows_it():
    """Ten degrees to each side, which lie at tan(5) / tan(15) of half the window."""
    reach = 10 / 180 * 1024
    prompt = prompt_in_window((512 - reach, 512 - reach, 512 + reach, 512 + reach), Window((0, 0, 1), 60, 0, 400), PROJECTION)
    half = 200 * np.tan(np.radians(5)) / np.tan(np.radians(15))
    assert prompt is not None and prompt.mask is None and not prompt.points
    assert prompt.box == pytest.approx((200 - half, 200 - half, 200 + half, 200 + half), abs=2)


def test_a_box_that_reaches_out_of_a_window_ends_with_it():
    prompt = prompt_in_window((300, 400, 520, 600), Window((0, 0, 1), 30, 0, 100), PROJECTION)
    assert prompt is not None and prompt.box is not None
    assert prompt.box[0] == 0 and 50 < prompt.box[2] < 60


def test_points_are_where_the_window_shows_them_and_the_box_has_those_on_the_person():
    """Ten degrees to the right and up, which lie at tan(5) / tan(15) of half the window, in a window of any size."""
    reach = 10 / 180 * 1024
    window = Window((0, 0, 1), 60, 0, 400)
    half = 200 * np.tan(np.radians(5)) / np.tan(np.radians(15))
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


def test_a_painted_matte_is_where_the_window_shows_it():
    """What the left half of the eye's picture says, in a window straight ahead: its left half; all of it where all is said."""
    window = Window((0, 0, 1), 60, 0, 100)
    box = prompt_in_window((400, 400, 600, 600), window, PROJECTION)
    value, said = np.zeros((1024, 1024), np.float32), np.ones((1024, 1024), np.float32)
    value[:, :512] = 1
    whole = with_painted(box, value, said, window, PROJECTION)
    assert whole is not None and whole.box is None and whole.said is None and whole.mask is not None
    assert whole.mask[:, :50].all() and not whole.mask[:, 50:].any()
    # half as strong, and half said: it is as much theirs
    said[:512] = 0
    part = with_painted(box, 0.6 * value * said, 0.6 * said, window, PROJECTION)
    assert part is not None and box is not None and part.box == box.box and part.mask is not None and part.said is not None
    assert not part.said[:49].any() and part.said[51:].all() and part.mask[51:, :50].all() and not (part.mask & ~part.said).any()
    # by less than half it is not said; and what the window does not show neither
    assert with_painted(box, 0.4 * value * said, 0.4 * said, window, PROJECTION) is box
    assert with_painted(box, value, said, Window((0, 0, 1), 20, 0, 100), PROJECTION) is not box
    said[:900] = 0
    assert with_painted(box, value * said, said, Window((0, 0, 1), 20, 0, 100), PROJECTION) is box
