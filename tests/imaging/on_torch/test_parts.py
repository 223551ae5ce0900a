import numpy as np
import pytest

from tests.imaging.on_torch.both import differs, picture, tensor
from vr180_ofx.imaging.either import host
from vr180_ofx.imaging.parts import all_bounds, all_centroids, bounds, centroid, connected_parts, distance_to, labelled, spread_outwards
from vr180_ofx.imaging.rect import Rect

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("kind", [bool, np.uint8])
def test_bounds(kind):
    for seed in range(20):
        mask = (picture((13, 9), seed=seed) > 0.98).astype(kind)
        assert bounds(tensor(mask)) == bounds(mask)
    assert bounds(torch.zeros(3, 4, dtype=torch.bool)) == Rect(0, 0, 0, 0)
    several = [(picture((13, 9), seed=seed) > 0.97).astype(kind) for seed in range(4)]
    assert all_bounds([tensor(m) for m in several]) == all_bounds(several) == [bounds(m) for m in several]
    assert all_bounds([]) == []


def test_the_middle():
    weights = picture((40, 33))
    assert centroid(tensor(weights)) == pytest.approx(centroid(weights), abs=1e-4)
    assert all_centroids([tensor(weights), tensor(np.zeros((3, 5), np.float32))])[0] == centroid(tensor(weights))
    assert centroid(tensor(weights), 1e6) is None and centroid(torch.zeros(3, 3)) is None


@pytest.mark.parametrize("connectivity", [4, 8])
def test_parts(connectivity):
    mask = picture((30, 31)) > 0.6
    found, expected = connected_parts(tensor(mask), connectivity), connected_parts(mask, connectivity)
    assert np.array_equal(found.labels, expected.labels) and np.array_equal(found.boxes, expected.boxes)
    count, labels = labelled(tensor(mask), connectivity)
    assert count == len(found) and np.array_equal(labels > 0, mask)


def test_distances():
    mask = picture((30, 31)) > 0.95
    assert differs(distance_to, mask) == 0
    values = picture((30, 31), seed=2)
    for found, expected in zip(spread_outwards(tensor(values), tensor(mask)), spread_outwards(values, mask), strict=True):
        assert np.array_equal(host(found), expected)


def test_bounds_of_several_masks_of_any_size():
    masks = [picture((13, 9), seed=1) > 0.97, picture((5, 40), seed=2) > 0.9, np.zeros((3, 3), bool)]
    assert all_bounds([tensor(m) for m in masks]) == all_bounds(masks) == [bounds(m) for m in masks]
    assert all_bounds([]) == []
