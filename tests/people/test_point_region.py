"""Who is pointed at where no network sees them: an outline by the points alone."""

import numpy as np
import pytest

from tests.people.painted import EYE, SIDE, Painted, Segmenter, colours, eye
from vr180_ofx.errors import PlanError
from vr180_ofx.imaging.outlines import covered_by
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.people.masks import mask_iou
from vr180_ofx.people.outline import BY_POINTS, polygons
from vr180_ofx.people.person import Entry
from vr180_ofx.people.point_region import entry_by_points, expected
from vr180_ofx.vr180.body import box_of

#: Most of them is hidden: an ellipse beside another one.
HIDDEN, FRONT = Painted(1, 0.1), Painted(4, 0.22, width=0.16, height=0.4)


def at(longitude, latitude=-0.1):
    return (longitude / np.pi + 0.5) * SIDE, (0.5 - latitude / np.pi) * SIDE


def by_points(plus, minus=(), body=None, people=(HIDDEN, FRONT)):
    known = {2: FRONT.body()}
    return entry_by_points(eye(list(people)), EYE, plus, minus, body or HIDDEN.body(), known=known, segmenter=Segmenter())


def test_what_is_to_be_seen_of_them_is_theirs_and_a_doubt():
    made = by_points([at(0.02)])
    seen = colours(eye([HIDDEN, FRONT]).region(Rect.of_size(SIDE, SIDE))) == 1
    covers = covered_by(polygons(made.outline), Rect.of_size(SIDE, SIDE)) > 0.5
    # the stripes at the rim are darker
    assert mask_iou(covers, seen) > 0.7 and np.count_nonzero(covers & seen) > 0.95 * np.count_nonzero(covers)
    assert made.source == "edited" and made.score == BY_POINTS < 1 and made.occluders == (2,)
    assert made.body.reach == pytest.approx(HIDDEN.body().reach) and made.body.angle_to(HIDDEN.body()) < 1e-6


def test_the_body_comes_to_the_points_and_is_no_larger_than_it_was():
    elsewhere = HIDDEN.moved(-0.8).body()
    made = by_points([at(0.02)], body=elsewhere)
    assert made.body.reach == pytest.approx(elsewhere.reach) and made.body.angle_to(HIDDEN.body()) < 0.5
    with pytest.raises(PlanError, match="further apart than one body"):
        by_points([at(-0.9), at(0.9)])


def test_nobody_where_nothing_says_how_far_it_goes():
    with pytest.raises(PlanError, match="no edge around it.*minus point"):
        by_points([at(0.02)], [at(0.02, -0.02)])


def test_where_they_are_expected_is_between_what_is_known():
    def entry(longitude, reach):
        body = Painted(1, longitude, height=reach / 1.05).body()
        return Entry(body, box_of(body, EYE), 1.0)

    entries = {0: entry(0.0, 0.2), 10: entry(0.4, 0.8)}
    body, first = expected(entries, 5), expected(entries, 0)
    assert body is not None and first is not None
    assert body.longitude == pytest.approx(0.2, abs=1e-3) and body.reach == pytest.approx(0.4)
    assert expected(entries, 20) == entries[10].body and expected({}, 3) is None
    assert first.angle_to(entries[0].body) < 1e-6
