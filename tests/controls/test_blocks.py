"""Blocks of pictures, against all of their pixels."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vr180_ofx.controls.blocks import BLOCK, Blocks, in_pixels, pieces, within
from vr180_ofx.imaging.rect import Rect


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 130), st.integers(1, 130), st.integers(0, 40), st.integers(0, 2**32 - 1))
def test_blocks_know_what_is_in_them_and_as_far_as_one_asks(width, height, reach, seed):
    random = np.random.default_rng(seed)
    values = (random.random((height, width)) > 0.995).astype(np.float32)
    found = Blocks.of(values)
    near = found.within(reach)
    for row in range(found.low.shape[0]):
        for column in range(found.low.shape[1]):
            y, x = row * BLOCK, column * BLOCK
            own = values[y : y + BLOCK, x : x + BLOCK]
            assert (found.low[row, column], found.high[row, column]) == (own.min(), own.max())
            around = values[max(0, y - reach) : y + BLOCK + reach, max(0, x - reach) : x + BLOCK + reach]
            assert near.low[row, column] <= around.min() and near.high[row, column] >= around.max()
    assert np.array_equal(found.edges, found.low < found.high) and np.array_equal(found.some, found.high > 0)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 500), st.integers(1, 500), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_pieces_are_all_that_is_wanted_within_the_picture_and_nothing_twice(width, height, share, seed):
    where = np.random.default_rng(seed).random((-(-height // BLOCK), -(-width // BLOCK))) < share**3
    times = np.zeros((height, width), np.int32)
    for piece in pieces(where, (width, height)):
        assert piece == piece.clipped(width, height) and not piece.empty
        times[piece.slices] += 1
    assert times.max(initial=0) <= 1
    wanted = np.repeat(np.repeat(where, BLOCK, 0), BLOCK, 1)[:height, :width]
    rect = Rect(width // 3, height // 4, width, height - height // 5)
    part = within(where, rect)
    left = np.zeros_like(wanted)
    left[rect.slices] = wanted[rect.slices]
    assert part.empty or (part.intersection(rect) == part and left[part.slices].any())
    assert left[part.slices].sum() == left.sum()
    assert (times[wanted] == 1).all() and np.array_equal(in_pixels(where, (width, height)), wanted)
