"""Which differences between two alphas are an edge."""

from __future__ import annotations

import pytest

from tests.matte.shapes import disc
from vr180_ofx.matte.parameters import SameEdgeParameters
from vr180_ofx.matte.same_edge import same_edge


def test_what_is_an_edge():
    a = disc(190, 190, 80)
    assert same_edge(a, disc(191, 190, 80), 1.0).min() == 1
    other = a.copy()
    other[180:200, 180:200] = 0
    found = same_edge(a, other, 1.0)
    assert found[190, 190] == 0 and found[60, 60] == 1 and ((found > 0) & (found < 1)).any()


def test_a_hole_of_twenty_pixels_is_an_edge_to_who_calls_it_so_on_its_side_alone():
    a = disc(190, 190, 80)
    other = a.copy()
    other[180:200, 180:200] = 0
    assert same_edge(a, other, 1.0, SameEdgeParameters(less_px=12)).min() == 1
    assert same_edge(a, other, 1.0, SameEdgeParameters(more_px=12))[190, 190] == 0
    assert same_edge(other, a, 1.0, SameEdgeParameters(more_px=12)).min() == 1


@pytest.mark.parametrize("width", [2, 4, 8])
def test_lengths_are_those_of_the_reference(width):
    """What is an edge in a picture is one in the same picture twice as large."""
    verdicts = []
    for scale in (1, 2):
        a = disc(190 * scale, 190 * scale, 80 * scale, 1.5 * scale, side=384 * scale)
        b = disc(190 * scale, 190 * scale, (80 - width) * scale, 1.5 * scale, side=384 * scale)
        verdicts.append(same_edge(a, b, scale).min() == 1)
    assert verdicts[0] == verdicts[1] == (width < 3)
