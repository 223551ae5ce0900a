"""Pictures divided among seeds."""

from __future__ import annotations

import numpy as np

from vr180_ofx.imaging.flood import flooded


def test_two_seeds_meet_where_the_colour_steps():
    picture = np.full((20, 40, 3), 40, np.uint8)
    picture[:, 23:] = 200
    seeds = np.zeros((20, 40), np.int32)
    seeds[10, 2], seeds[3, 37] = 1, 2
    made = flooded(picture, seeds)
    assert set(np.unique(made)) == {-1, 1, 2} and seeds.sum() == 3
    assert (made[:, :22] == 1).all() and (made[:, 24:] == 2).all()


def test_at_the_rim_there_is_no_line():
    made = flooded(np.full((6, 6, 3), 9, np.uint8), np.eye(6, dtype=np.int32) * 3)
    assert (made == 3).all()
