"""At which resolution mattes are made and delivered."""

from __future__ import annotations

import pytest

from tests.engine.numbers import SIZE, number_clip
from vr180_ofx.engine.scale import FULL, Scale, reduced_eyes
from vr180_ofx.settings import Settings


@pytest.mark.parametrize(
    ("factor", "upsampling", "less", "expected"),
    [
        (1.0, "edge_aware", 1, Scale(1, 1)),
        (0.5, "edge_aware", 1, Scale(2, 1)),
        (0.5, "cubic", 1, Scale(2, 1, edge_aware=False)),
        (0.25, "none", 1, Scale(4, 4)),
        # short of memory: made at less, delivered as it was asked for
        (1.0, "edge_aware", 4, Scale(4, 1)),
        (0.5, "none", 2, Scale(4, 2)),
    ],
)
def test_what_settings_and_memory_make_of_it(factor, upsampling, less, expected):
    settings = Settings(processing={"scale_factor": factor, "upsampling": upsampling})
    assert Scale.of(settings.processing, less) == expected


def test_nothing_is_delivered_smaller_than_it_was_made():
    with pytest.raises(ValueError, match="mattes made at 1/2 cannot be delivered at 1/4; allowed is 1 to 2"):
        Scale(2, 4)
    assert Scale() == FULL


def test_eyes_are_reduced_by_blocks():
    frame = number_clip().frame(50 // 10)
    assert reduced_eyes(frame, 1) is frame.eyes
    small = reduced_eyes(frame, 2)
    assert list(small) == ["left", "right"] and {(e.width, e.height) for e in small.values()} == {(SIZE // 2, SIZE // 2)}
