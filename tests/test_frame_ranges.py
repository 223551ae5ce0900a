import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.errors import SettingsError
from vr180_ofx.frame_ranges import frame_ranges, parse_frames, ranges_text


def test_frames():
    assert frame_ranges(" All ") is None and frame_ranges("1-48,100") == [(1, 48), (100, 100)]
    assert parse_frames("all", 3) == [0, 1, 2]
    assert parse_frames("1-2, 5,4-9", 7) == [1, 2, 4, 5, 6]


@pytest.mark.parametrize(("text", "words"), [("9", r"frames 0\.\.6"), ("3-1", "first frame comes after its last"), ("x", "counted from 0")])
def test_ranges_that_are_not_understood(text, words):
    with pytest.raises(SettingsError, match=words):
        parse_frames(text, 7)


@given(st.sets(st.integers(0, 500), min_size=1))
def test_what_is_said_can_be_read(frames):
    assert parse_frames(ranges_text(sorted(frames)), 501) == sorted(frames)


def test_ranges_beyond_any_clip_take_neither_time_nor_memory():
    assert parse_frames("0-99999999999", 3) == [0, 1, 2]
    # each range in full would be 60 billion steps
    assert len(parse_frames(",".join(["0-599999"] * 100_000), 600_000)) == 600_000
    for text in ("0-" + "9" * 5000, "9" * 13, "", ",", "1,", "1_0", "\u0663", "0-1e12"):
        with pytest.raises(SettingsError, match="counted from 0") as caught:
            parse_frames(text, 7)
        assert len(str(caught.value)) < 250
