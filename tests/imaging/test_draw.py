import numpy as np

from vr180_ofx.imaging.draw import Canvas


def test_a_picture_is_drawn_on_and_stays_as_it_was():
    picture = np.full((60, 80, 3), 0.5, np.float32)
    canvas = Canvas(picture)
    canvas.rectangle(10, 20, 40, 50, colour=(1, 0, 0), thickness=1)
    drawn = canvas.picture
    assert (picture == 0.5).all()
    red = (drawn == (1, 0, 0)).all(axis=-1)
    expected = np.zeros((60, 80), bool)
    expected[20:51, 10:41] = True
    expected[21:50, 11:40] = False
    assert np.array_equal(red, expected)


def test_outlines_are_closed_and_may_be_empty():
    canvas = Canvas(np.zeros((50, 50, 3), np.float32))
    canvas.outline(np.array([[10.0, 10], [40, 10], [40, 40]]), (0, 1, 0))
    green = canvas.picture[..., 1] > 0.4
    assert green[10, 25] and green[25, 40] and green[25, 25] and not green[35, 15]
    before = canvas.picture
    canvas.outline(np.zeros((0, 2)), (1, 1, 1))
    assert np.array_equal(canvas.picture, before)


def test_words_have_a_dark_rim():
    canvas = Canvas(np.full((40, 120, 3), 0.5, np.float32))
    canvas.text("matte", 10, 25, size=0.8)
    drawn = canvas.picture
    assert (drawn > 0.95).all(axis=-1).sum() > 40 and (drawn < 0.05).all(axis=-1).sum() > 40
    assert (drawn[30:] == drawn[0, 0]).all()
