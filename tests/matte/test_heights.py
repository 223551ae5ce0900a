"""How high on a person a pixel lies."""

from __future__ import annotations

import numpy as np
import pytest

from tests.matte.shapes import SIDE, disc, heights_of, logits_of
from vr180_ofx.matte.heights import Heights, distances_to_masks
from vr180_ofx.matte.parameters import HeightCurve


def test_heights_of_two_people_are_their_own():
    tall, small = disc(100, 190, 90), disc(280, 240, 40)
    rising = HeightCurve((0.0, 1.0), (0.0, 1.0))
    table = heights_of(tall, small).weights(rising)
    assert np.allclose(table[[100, 190, 280], 100], [0, 0.5, 1], atol=0.02)
    assert np.allclose(table[[200, 240, 280], 280], [0, 0.5, 1], atol=0.02)
    # of one person the same for all columns; of nobody a body's middle
    assert heights_of(tall).weights(rising).shape == (SIDE, 1)
    assert heights_of().weights(HeightCurve((0.0, 1.0), (2.0, 4.0))) == 3.0


def test_who_is_near():
    alone = heights_of(disc(190, 190, 60))
    near = alone.proximity(0.1, 0.2)
    assert near[190, 190] == 1 and near[190, 190 + 60 + 30] == 1 and near[190, 190 + 60 + 84] == 0
    assert 0.3 < near[190, 190 + 60 + 58] < 0.7
    empty = np.full((SIDE, SIDE), -8, np.float32)
    assert Heights.of({1: empty}).proximity(0.1, 0.2) == 0 and distances_to_masks({1: empty}) == {}


def test_distances_are_those_to_the_mask():
    found = distances_to_masks({7: logits_of(disc(100, 100, 40, side=200))})[7]
    distance = np.maximum(np.hypot(*(np.mgrid[:200, :200] - 100)) - 40, 0)
    assert np.abs(found - distance).max() < 0.03 * distance.max()


def test_distances_and_heights_are_of_the_same_people():
    with pytest.raises(ValueError, match="of the same people"):
        Heights({1: np.zeros((2, 2))}, {})
