import numpy as np

from vr180_ofx.imaging.inpaint import cover, erase, inpaint


def test_a_hole_is_filled_with_what_is_around_it():
    picture = np.full((40, 50, 3), (40, 120, 200), np.uint8)
    hole = np.zeros((40, 50), np.uint8)
    hole[15:25, 20:30] = 255
    spoilt = picture.copy()
    spoilt[hole > 0] = 0
    # of 255; the method follows slopes, and takes the hole's border for one
    assert np.abs(inpaint(spoilt, hole, 3).astype(int) - picture).max() <= 6


def test_what_is_outside_of_a_hole_stays():
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (30, 30), np.uint8)
    hole = (rng.random((30, 30)) > 0.8).astype(np.uint8)
    filled = inpaint(picture, hole, 3)
    assert np.array_equal(filled[hole == 0], picture[hole == 0]) and filled is not picture


def _person(size=120):
    person = np.zeros((size, size), bool)
    person[40:80, 50:70] = True
    return person


def test_a_person_before_an_even_wall_is_gone():
    wall = np.full((120, 120, 3), (0.2, 0.5, 0.7), np.float32)
    rgb = wall.copy()
    rgb[_person()] = 1
    assert np.abs(erase(rgb, _person()) - wall).max() < 0.025


def test_a_rim_of_a_fiftieth_belongs_to_the_person():
    rgb = np.random.default_rng(1).random((100, 100, 3)).astype(np.float32)
    person = np.zeros((100, 100), bool)
    person[40:60, 30:50] = True
    covered = cover(rgb, person)
    grey = (covered == 0.5).all(axis=-1)
    expected = np.zeros_like(person)
    expected[38:62, 28:52] = True
    assert np.array_equal(grey, expected) and np.array_equal(covered[~expected], rgb[~expected])


def test_nobody_and_everybody_leave_the_picture_as_it_is():
    rgb = np.random.default_rng(2).random((64, 64, 3)).astype(np.float32)
    for everywhere in (False, True):
        assert erase(rgb, np.full((64, 64), everywhere)) is rgb
