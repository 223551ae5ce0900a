"""Masks against sets of pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from vr180_ofx.people.masks import contained, mask_iou, union

masks = arrays(bool, (5, 7))


def pixels(mask):
    return set(zip(*np.nonzero(mask), strict=True))


@given(masks, masks)
def test_shares_are_those_of_sets(a, b):
    p, q = pixels(a), pixels(b)
    assert contained(a, b) == pytest.approx(len(p & q) / max(1, len(p)))
    assert mask_iou(a, b) == mask_iou(b, a) == pytest.approx(len(p & q) / max(1, len(p | q)))


@given(masks, masks)
def test_a_union_covers_both_and_changes_neither(a, b):
    before = a.copy(), b.copy()
    assert pixels(union([a, b])) == pixels(a) | pixels(b)
    alone = union([a])
    assert alone is not None
    alone[:] = True
    assert np.array_equal(a, before[0]) and np.array_equal(b, before[1])


def test_a_union_of_nothing():
    assert union([]) is None
