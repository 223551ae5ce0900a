"""Timecode, against what SMPTE ST 12-1 says and against FFmpeg's muxer, which stores the count of frames."""

import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.timecode import Timecode, droppable, is_timecode

NTSC, NTSC60 = Fraction(30000, 1001), Fraction(60000, 1001)


@pytest.mark.parametrize(
    ("text", "fps", "frame"),
    [
        ("00:00:59;29", NTSC, 1799), ("00:01:00;02", NTSC, 1800), ("00:02:00;02", NTSC, 1800 + 1798), ("00:10:00;00", NTSC, 17982),
        ("01:00:00;00", NTSC, 107892), ("23:59:59;29", NTSC, 2589407), ("00:01:00;04", NTSC60, 3600), ("01:00:00:00", NTSC, 108000),
        ("01:00:00:00", Fraction(24), 86400), ("10:11:12:13", Fraction(25), 916813), ("01:00:00:00", Fraction(24000, 1001), 86400),
    ],
)  # fmt: skip
def test_known_ones(text, fps, frame):
    made = Timecode.of(text, fps)
    assert made.frame == frame and str(made) == text


@given(st.integers(0, 2589407), st.sampled_from([(30, True), (60, True), (30, False), (25, False), (24, False)]))
def test_each_frame_has_a_name_of_its_own(frame, clock):
    rate, drop = clock
    one = Timecode(frame, rate, drop)
    assert Timecode.at(one.parts, rate, drop=drop) == one and (one + 1).until(one) == one.day - 1 and str(one) != str(one + 1)


def test_midnight():
    last = Timecode.of("23:59:59:24", Fraction(25))
    assert str(last + 1) == "00:00:00:00" and last.until(last + 3) == 3


@pytest.mark.parametrize(
    ("text", "fps", "words"),
    [
        ("00:01:00;00", NTSC, "drop-frame leaves it out; the minute begins with 02"), ("00:01:00;03", NTSC60, "begins with 04"),
        ("24:00:00:00", Fraction(25), "goes to 23:59:59:24"), ("00:00:00:25", Fraction(25), "does not exist at 25"),
        ("00:60:00:00", Fraction(25), "does not exist"), ("1:2", Fraction(25), "written 01:00:00:00"),
    ],
)  # fmt: skip
def test_no_timecodes(text, fps, words):
    with pytest.raises(ValueError, match=words):
        Timecode.of(text, fps)


def test_drop_frame_is_of_thirty_and_sixty_alone():
    assert droppable(round(NTSC)) and droppable(round(NTSC60)) and not any(map(droppable, (24, 25, 50)))
    # a file that says so is counted so, also where its rate is a whole number
    assert str(Timecode.of("10:00:59;28", Fraction(30)) + 4) == "10:01:00;04"
    assert not Timecode.of("01:00:00;00", Fraction(25)).drop and is_timecode(" 01:00:00;00 ") and not is_timecode("1010")
    with pytest.raises(ValueError, match="drop-frame has 30 or 60"):
        Timecode(0, 25, drop=True)


@pytest.mark.parametrize(
    ("text", "rate"), [("01:00:00;02", NTSC), ("00:19:00;02", NTSC), ("10:00:00:00", NTSC), ("11:22:33:07", Fraction(25))]
)
def test_ffmpeg_counts_alike(tmp_path, text, rate):
    """QuickTime's timecode track holds the number of the first frame."""
    with av.open(str(tmp_path / "a.mov"), "w") as out:
        stream = out.add_stream("mpeg4", rate=rate, options={})
        stream.width = stream.height = 64
        stream.metadata["timecode"] = text
        for _ in range(2):
            for packet in stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")):
                out.mux(packet)
        out.mux(list(stream.encode()))
    with av.open(str(tmp_path / "a.mov")) as file:
        track = file.streams.data[0]
        (held,) = struct.unpack(">I", bytes(next(p for p in file.demux(track) if p.size)))
    assert Timecode.of(text, rate).frame == held
