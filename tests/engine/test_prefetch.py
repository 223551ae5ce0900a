"""Frames that are asked for ahead."""

from __future__ import annotations

from concurrent.futures import Future

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.engine.prefetch import Prefetch, direction_of

LENGTH = 50


class Asked:
    """Remembers what was asked for; nothing is ever made."""

    def __init__(self, closed_after=1000):
        self.frames = []
        self._left = closed_after

    def __call__(self, n):
        if self._left == 0:
            raise RuntimeError("the frame server is closed")
        self._left -= 1
        self.frames.append(n)
        return Future()


@pytest.mark.parametrize(
    ("n", "last", "before", "after"), [(5, 4, -1, 1), (4, 5, 1, -1), (13, 5, -1, 1), (14, 5, -1, -1), (5, 5, -1, -1), (0, 40, 1, 1)]
)
def test_direction(n, last, before, after):
    assert direction_of(n, last, before) == after


def test_it_follows_the_direction_of_scrubbing():
    ask = Asked()
    prefetch = Prefetch(3, LENGTH, ask)
    prefetch.look_ahead(10)
    assert ask.frames == [11, 12, 13]
    prefetch.look_ahead(11)
    assert ask.frames == [11, 12, 13, 14] and sorted(prefetch.asked) == [12, 13, 14]
    forward = prefetch.asked
    prefetch.look_ahead(10)
    assert sorted(prefetch.asked) == [7, 8, 9] and all(f.cancelled() for f in forward.values())


@given(st.lists(st.integers(0, LENGTH - 1), max_size=20), st.integers(0, 6))
def test_only_frames_of_the_clip_and_never_more_than_it_may(requests, count):
    ask = Asked()
    prefetch = Prefetch(count, LENGTH, ask)
    for n in requests:
        prefetch.look_ahead(n)
        assert len(prefetch.asked) <= count and n not in prefetch.asked
        assert all(0 <= k < LENGTH and 0 < abs(k - n) <= count for k in prefetch.asked)
    assert count or not ask.frames


def test_what_was_asked_for_is_taken_back():
    prefetch = Prefetch(2, LENGTH, Asked())
    prefetch.look_ahead(3)
    asked = prefetch.asked
    prefetch.forget()
    assert len(asked) == 2 and all(f.cancelled() for f in asked.values()) and not prefetch.asked
    # and asked for again, of the new plan
    prefetch.look_ahead(3)
    assert sorted(prefetch.asked) == [4, 5]


def test_a_server_that_is_closed_meanwhile_is_no_error():
    prefetch = Prefetch(3, LENGTH, Asked(closed_after=1))
    prefetch.look_ahead(3)
    assert sorted(prefetch.asked) == [4]
