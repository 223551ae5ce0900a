"""Frames as bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.engine.codec import pack_frame, unpack_frame
from vr180_ofx.engine.frame import Frame, Layer, ViewMatte
from vr180_ofx.imaging.half import half
from vr180_ofx.imaging.rect import Rect


def frame():
    rng = np.random.default_rng(0)
    layers = []
    for k, rect in ((1, Rect(2, 3, 12, 9)), (4, Rect(0, 0, 0, 0))):
        a = half(rng.random((rect.height, rect.width)).astype(np.float32)) if not rect.empty else np.zeros((0, 0), np.float16)
        layers.append(Layer(k, f"person{k:02d}", rect, a, a))
    return Frame(7, {"left": ViewMatte(20, 10, tuple(layers)), "right": ViewMatte(20, 10, ())}, {"quality": "final", "chunk": 1})


def test_frames_survive_being_packed():
    one = frame()
    two = unpack_frame(pack_frame(one), {1: "anna", 4: "person04"})
    assert two.same(one) and two.metadata == one.metadata and two.views["left"].layers[0].name == "anna"


@given(st.binary(max_size=300))
def test_bytes_that_are_no_frame_are_refused(data):
    with pytest.raises(ValueError):
        unpack_frame(data, {})


def test_a_frame_cut_short_is_refused():
    data = pack_frame(frame())
    for length in (3, 20, len(data) - 5):
        with pytest.raises(ValueError):
            unpack_frame(data[:length], {1: "a", 4: "b"})
