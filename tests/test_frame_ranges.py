from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.errors import SettingsError
from vr180_ofx.frame_ranges import Numbering, frame_ranges, mark, parse_frames, ranges_text
from vr180_ofx.timecode import Timecode

PLATE = Numbering(100, 1001, "plate")
TAPE = Numbering(100, 1001, "plate", Timecode.of("01:00:00:00", Fraction(25)))
#: The minute at which drop-frame leaves 00 and 01 out.
DROPPED = Numbering(100, 1, "clip", Timecode.of("00:00:59;00", Fraction(30000, 1001)))


def test_ranges():
    assert frame_ranges(" All ") is None and frame_ranges("1-48,100") == [(1, 48, 1), (100, 100, 1)]
    assert frame_ranges("index:0-9x3") == [(0, 9, 3)]
    assert frame_ranges("01:00:00:00-01:00:02:00") == [("01:00:00:00", "01:00:02:00", 1)]


def test_frames_counted_from_0():
    assert parse_frames("all", 3) == [0, 1, 2]
    assert parse_frames("1-2, 5,4-9", 7) == [1, 2, 4, 5, 6]


@pytest.mark.parametrize(
    ("text", "indices"),
    [
        ("all", list(range(100))), ("1010-1020x2", [9, 11, 13, 15, 17, 19]), ("1010-1020 x 20", [9]), ("1098-2000", [97, 98, 99]),
        ("1001,1003 , 1002-1004x2,1003-1005", [0, 1, 2, 3, 4]), ("index:0-4x4", [0, 4]), ("1001-1100x33", [0, 33, 66, 99]),
    ],
)  # fmt: skip
def test_output_numbers(text, indices):
    assert PLATE.parse(text) == indices


@pytest.mark.parametrize(
    ("numbers", "text", "indices"),
    [
        (TAPE, "01:00:00:00-01:00:02:00", list(range(51))), (TAPE, "01:00:01:00-01:00:02:00x25", [25, 50]),
        (TAPE, "01:00:00:24-1026", [24, 25]), (TAPE, "01:00:03:24-02:00:00:00", [99]),
        (DROPPED, "00:00:59;29-00:01:00;02", [29, 30]), (DROPPED, "00:00:59:29-00:01:00:03", [29, 30, 31]),
    ],
)  # fmt: skip
def test_timecodes(numbers, text, indices):
    assert numbers.parse(text) == indices


@pytest.mark.parametrize(
    ("numbers", "text", "words"),
    [
        (PLATE, "1000", r"input.frames asks for frame 1000; the clip has frames 1001 to 1100; 'index:...' counts from 0"),
        (PLATE, "0-47", "frame 0; the clip has frames 1001 to 1100"), (PLATE, "1101", "frames 1001 to 1100"),
        (PLATE, "index:100", "frames 0 to 99"), (PLATE, "1020-1010", "first frame comes after its last"),
        (PLATE, "1010-1020x0", "output frame numbers such as"), (PLATE, "1010x2", "output frame numbers such as"),
        (PLATE, "01:00:00:00", "timecode 01:00:00:00, and the clip has none"), (TAPE, "02:00:00:00", r"timecode 01:00:00:00 to 01:00:03:24"),
        (TAPE, "00:59:59:24", "asks for frame 00:59:59:24"), (TAPE, "01:00:02:00-01:00:01:00", "first frame comes after its last"),
        (DROPPED, "00:01:00;00", "drop-frame leaves it out"), (TAPE, "01:00:00:25", "does not exist at 25"),
        (TAPE, "01:0:00:00", "is no timecode"), (PLATE, "-1", "output frame numbers"), (PLATE, "x", "output frame numbers"),
    ],
)  # fmt: skip
def test_what_is_not_understood(numbers, text, words):
    with pytest.raises(SettingsError, match=words):
        numbers.parse(text)


def test_one_frame():
    assert PLATE.index_of("1010") == 9 and TAPE.index_of("01:00:00:09") == 9 and PLATE.index_of("index:9") == 9
    assert PLATE.index_of("1010", "--at") == PLATE.index(1010) == 9
    for text in ("all", "1010-1012", "1010,1011", "1200", ""):
        with pytest.raises(SettingsError, match="^--at"):
            PLATE.index_of(text, "--at")


def test_what_frames_are_called():
    assert (PLATE.number(9), PLATE.last, PLATE.file(9), PLATE.file(9, ".png")) == (1010, 1100, "plate.1010.exr", "plate.1010.png")
    assert PLATE.text([9, 10, 11, 29]) == "1010-1012, 1030" and str(TAPE.timecode_of(25)) == "01:00:01:00" and PLATE.timecode_of(0) is None
    kept = f"person02 may be two people from frame {mark([9])} on; not decoded: {mark([3, 4, 5, 7])}"
    assert PLATE.told(kept) == "person02 may be two people from frame 1010 on; not decoded: 1004-1006, 1008"


@given(st.sets(st.integers(0, 500), min_size=1))
def test_what_is_said_can_be_read(frames):
    assert parse_frames(ranges_text(sorted(frames)), 501) == sorted(frames)
    numbers = Numbering(501, 1001)
    assert numbers.parse(numbers.text(sorted(frames))) == sorted(frames)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(1, 9)), min_size=1, max_size=8))
def test_steps_and_overlaps(ranges):
    """Against sets."""
    ranges = [(min(a, b), max(a, b), step) for a, b, step in ranges]
    text = ",".join(f"{a + 7}-{b + 7}x{step}" for a, b, step in ranges)
    assert Numbering(61, 7).parse(text) == sorted(set().union(*(range(a, b + 1, step) for a, b, step in ranges)))


def test_ranges_beyond_any_clip_take_neither_time_nor_memory():
    assert parse_frames("0-99999999999", 3) == [0, 1, 2]
    # each range in full would be 60 billion steps
    for step in ("", "x2"):
        assert len(parse_frames(",".join([f"0-599999{step}"] * 100_000), 600_000)) in (600_000, 300_000)
    for text in ("0-" + "9" * 5000, "9" * 13, "", ",", "1,", "1_0", "\u0663", "0-1e12", "0x1", "1-5x", "1-5x\u0662"):
        with pytest.raises(SettingsError, match="allowed are") as caught:
            parse_frames(text, 7)
        assert len(str(caught.value)) < 300
