import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.imaging.rect import Rect

numbers = st.integers(-12, 12)
rects = st.builds(Rect, numbers, numbers, numbers, numbers)


def pixels(rect):
    return {(x, y) for x in range(rect.x0, rect.x1) for y in range(rect.y0, rect.y1)}


@given(rects)
def test_size_counts_pixels(rect):
    assert rect.width * rect.height == len(pixels(rect)) and rect.empty == (not pixels(rect))


@given(rects, rects)
def test_intersections_and_unions_are_those_of_pixels(a, b):
    assert pixels(a.intersection(b)) == pixels(a) & pixels(b)
    both = a.union(b)
    assert pixels(both) >= pixels(a) | pixels(b)
    if not a.empty and not b.empty:
        # the least rectangle that holds both
        xs, ys = zip(*(pixels(a) | pixels(b)), strict=True)
        assert both == Rect(min(xs), min(ys), max(xs) + 1, max(ys) + 1)


@given(rects, st.integers(0, 10), st.integers(0, 10))
def test_clipped_is_what_a_picture_has_of_it(rect, width, height):
    clipped = rect.clipped(width, height)
    assert pixels(clipped) == pixels(rect) & pixels(Rect.of_size(width, height))
    picture = np.zeros((height, width))
    picture[clipped.slices] = 1
    assert picture.sum() == len(pixels(clipped))


@given(rects, numbers, numbers)
def test_shifted_and_grown(rect, x, y):
    assert pixels(rect.shifted(x, y)) == {(i + x, j + y) for i, j in pixels(rect)}
    assert rect.grown(3).grown(-3) == rect


# such numbers can be added without rounding
eighths = st.integers(-400, 400).map(lambda k: k / 8)


@given(st.lists(st.tuples(eighths, eighths), min_size=1, max_size=8), st.integers(0, 4))
def test_around_points_leaves_so_much_room(points, room):
    rect = Rect.around(np.array([*points, (np.nan, 3.0)]), room)
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    assert rect.x0 <= low[0] - room < rect.x0 + 1 and rect.x1 - 1 < high[0] + room <= rect.x1
    assert rect.y0 <= low[1] - room < rect.y0 + 1 and rect.y1 - 1 < high[1] + room <= rect.y1


def test_around_nothing_is_empty():
    assert Rect.around(np.full((3, 2), np.nan), 5) == Rect(0, 0, 0, 0)
