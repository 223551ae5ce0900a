"""Exact random access, whatever the container does."""

import random
from typing import Any

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hyp
from hypothesis import strategies as st

from tests.conftest import make_clip, numbered_picture, picture_number
from vr180_ofx.errors import ClipChangedError, FrameError, MediaError
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.contract import Clip
from vr180_ofx.media.open import open_clip
from vr180_ofx.media.video import FrameConverter, VideoReader
from vr180_ofx.media.video_source import VideoSource
from vr180_ofx.settings import Settings
from vr180_ofx.vr180.layout import Layout

VFR = [0, 40, 85, 120, 200, 210, 300, 333, 400, 470, 500, 590, 600, 640, 700, 777, 800, 830, 900, 999, 1040, 1080, 1100, 1200, 1230]
CASES: dict[str, dict[str, Any]] = {
    "h264 with B frames, mp4": dict(name="a.mp4", options={"bf": "3"}),
    "h264, open groups of pictures": dict(
        name="a.mp4", options={"bf": "3", "x264-params": "open-gop=1:keyint=10:min-keyint=10:scenecut=0"}
    ),
    "h264, mkv": dict(name="a.mkv", options={"bf": "2"}),
    "h264, one keyframe": dict(name="a.mp4", options={"bf": "2"}, gop=1000),
    "hevc 10 bit": dict(
        name="a.mp4", codec="libx265", pix_fmt="yuv420p10le", options={"x265-params": "log-level=error:keyint=10:bframes=3"}
    ),
    "hevc, open groups": dict(name="a.mkv", codec="libx265", options={"x265-params": "log-level=error:keyint=10:open-gop=1:bframes=3"}),
    "vp9": dict(name="a.mkv", codec="libvpx-vp9", options={"cpu-used": "8", "deadline": "realtime"}, frames=24),
    "av1": dict(name="a.mkv", codec="libsvtav1", options={"preset": "12", "svtav1-params": "keyint=12"}, frames=24),
    "prores": dict(name="a.mov", codec="prores_ks", pix_fmt="yuv422p10le"),
    "dnxhr, mxf": dict(name="a.mxf", codec="dnxhd", pix_fmt="yuv422p", options={"profile": "dnxhr_sq"}, size=(256, 128)),
    "mpeg-4, avi": dict(name="a.avi", codec="mpeg4", options={"bf": "2"}),
    "variable rate": dict(name="a.mkv", pts=VFR, frames=len(VFR), options={"bf": "2"}),
    "offset times": dict(name="a.mkv", pts=[7000 + 40 * n for n in range(30)], frames=30, options={"bf": "2"}),
    "transport stream": dict(name="a.ts", options={"bf": "2"}),
    "raw h264, no times at all": dict(name="a.h264", options={"bf": "2"}),
    "raw hevc, no times at all": dict(name="a.hevc", codec="libx265", options={"x265-params": "log-level=error:keyint=10:bframes=2"}),
}


def reader_of(clip: Clip) -> VideoReader:
    assert isinstance(clip.source, VideoSource)
    return clip.source.reader


@pytest.fixture(scope="module", params=CASES, ids=lambda k: k.replace(" ", "_"))
def clip(request, tmp_path_factory):
    case = dict(CASES[request.param])
    path = tmp_path_factory.mktemp("v") / case.pop("name")
    make_clip(path, **case)
    return path, case.get("frames", 40), request.param


def test_every_frame_in_order_without_seeking(clip):
    path, count, _ = clip
    with open_clip(path) as c:
        assert len(c) == count
        assert [picture_number(c.read(n)["left"]) for n in range(count)] == list(range(count))
        assert reader_of(c).seeks == 0


def test_any_frame_costs_at_most_a_group_of_pictures(clip):
    path, count, name = clip
    order = list(range(count)) * 2
    random.Random(5).shuffle(order)
    # mpeg-2 transport has no index: FFmpeg looks for the place by bisection and may land a group early
    limit = 3 * 13 if path.suffix in (".ts", ".avi", ".h264", ".hevc") else 12 + 4
    with open_clip(path) as c:
        for n in order:
            before = reader_of(c).decoded
            assert picture_number(c.read(n)["left"]) == n
            if name != "h264, one keyframe":
                assert reader_of(c).decoded - before <= limit, (n, reader_of(c).decoded - before)


def test_reading_backwards(clip):
    path, count, _ = clip
    with open_clip(path) as c:
        assert [picture_number(c.read(n)["left"]) for n in reversed(range(count))] == list(reversed(range(count)))


@hyp(max_examples=15)
@given(st.lists(st.integers(0, 39), min_size=1, max_size=25))
def test_the_pixels_do_not_depend_on_the_order(bframe_clip, order):
    path, reference = bframe_clip
    reader = VideoReader(path)
    for n in order:
        frame = reader.read(n)
        assert isinstance(frame, av.VideoFrame) and np.array_equal(frame.to_ndarray(), reference[n])
    reader.close()


@pytest.fixture(scope="module")
def bframe_clip(tmp_path_factory):
    path = make_clip(tmp_path_factory.mktemp("o") / "b.mp4", options={"bf": "3", "x264-params": "open-gop=1:keyint=10:scenecut=0"})
    with av.open(str(path)) as container:
        return path, [f.to_ndarray() for f in container.decode(video=0)]


def test_an_edit_list_hides_its_frames(tmp_path):
    """Starting a copy between keyframes makes players skip frames by an edit list; so do we."""
    source = make_clip(tmp_path / "s.mp4", 40, options={"bf": "0"})
    target = tmp_path / "cut.mp4"
    with av.open(str(source)) as a, av.open(str(target), "w") as b:
        out = b.add_stream_from_template(a.streams.video[0])
        tick = a.streams.video[0].time_base
        assert tick is not None
        for packet in a.demux(video=0):
            if packet.dts is None or packet.pts is None:
                continue
            # five frames before time zero: the muxer writes an edit list that begins at zero
            packet.pts -= round(5 / 24 / tick)
            packet.dts -= round(5 / 24 / tick)
            packet.stream = out
            b.mux(packet)
    with av.open(str(target)) as c:
        shown = [picture_number(f.to_ndarray(format="rgb24")) for f in c.decode(video=0)]
    with open_clip(target) as c:
        assert [picture_number(c.read(n)["left"]) for n in range(len(c))] == shown


def test_a_stream_that_begins_with_undecodable_frames(tmp_path):
    """The first group is cut away: what refers to it cannot be shown, and is not counted."""
    source = make_clip(tmp_path / "s.mkv", 40, options={"bf": "3", "x264-params": "open-gop=1:keyint=10:scenecut=0"})
    target = tmp_path / "cut.mkv"
    with av.open(str(source)) as a, av.open(str(target), "w") as b:
        out = b.add_stream_from_template(a.streams.video[0])
        keys = 0
        for packet in a.demux(video=0):
            keys += packet.is_keyframe
            if packet.dts is None or keys < 2:
                continue
            packet.stream = out
            b.mux(packet)
    with av.open(str(target)) as c:
        shown = [picture_number(f.to_ndarray(format="rgb24")) for f in c.decode(video=0)]
    with open_clip(target) as c:
        found = [picture_number(c.read(n)["left"]) for n in range(len(c))]
    assert found[-25:] == shown[-25:] and len(found) == len(shown)


def test_the_times_are_kept(tmp_path):
    path = make_clip(tmp_path / "v.mkv", len(VFR), pts=VFR)
    with open_clip(path) as c:
        assert [round(c.time_s(n) * 1000) - round(c.time_s(0) * 1000) for n in range(len(c))] == VFR
        assert c.describe()["variable_rate"]


def test_a_truncated_file_gives_its_good_frames(tmp_path):
    path = make_clip(tmp_path / "t.mkv", 40, options={"bf": "2"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    with open_clip(path) as c:
        assert 10 < len(c) < 40
        numbers = []
        for n in range(len(c)):
            try:
                numbers.append(picture_number(c.read(n)["left"]))
            except FrameError as error:
                assert error.index == n and n > len(c) - 5
        # the last group may hold a frame whose neighbours were cut off: it is shown at its own time
        assert numbers[:-2] == list(range(len(numbers) - 2)) and numbers == sorted(numbers) and len(numbers) > 10
        assert reader_of(c).index.lost >= 40 - len(c) - 4


def test_a_truncated_mp4_knows_how_many_frames_are_lost(tmp_path):
    path = make_clip(tmp_path / "t.mp4", 40, options={"bf": "2"}, container_options={"movflags": "+faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 7 // 10])
    with open_clip(path) as c:
        assert len(c) + reader_of(c).index.lost == 40 and len(c) < 40


def test_damage_in_the_middle_costs_only_what_depends_on_it(tmp_path):
    path = make_clip(tmp_path / "t.mp4", 40, gop=10, options={"bf": "0"})
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as c:
        hurt = next(p for i, p in enumerate(c.demux(video=0)) if i == 20)
    assert hurt.pos is not None
    data[hurt.pos + 4 : hurt.pos + hurt.size] = b"\xff" * (hurt.size - 4)
    path.write_bytes(bytes(data))
    with open_clip(path) as c:
        bad = []
        for n in range(40):
            try:
                assert picture_number(c.read(n)["left"]) == n or 20 <= n < 30
            except FrameError:
                bad.append(n)
        assert set(bad) <= set(range(20, 30))


def test_a_file_that_changes_while_it_is_read(tmp_path):
    path = make_clip(tmp_path / "c.mp4", 20)
    with open_clip(path) as c:
        c.read(0)
        make_clip(path, 30)
        with pytest.raises(ClipChangedError, match="changed while it was being read"):
            c.read(1)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("e.mp4", b"", "is empty"),
        ("p.mp4", b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "is a playlist"),
        ("c.txt", b"ffconcat version 1.0\nfile 'a.mp4'\n", "is a playlist"),
        ("t.mp4", b"this is text, not a film\n" * 40, "not a video"),
        ("z.mkv", b"\0" * 5000, "not a video"),
    ],
)
def test_what_is_no_video_is_said_to_be_none(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(MediaError, match=words):
        open_clip(path)


def test_missing_and_folder_and_sound_alone(tmp_path):
    with pytest.raises(MediaError, match="does not exist"):
        open_clip(tmp_path / "no.mp4")
    with pytest.raises(MediaError, match="holds no images"):
        open_clip(tmp_path)
    sound = tmp_path / "s.m4a"
    with av.open(str(sound), "w", format="mp4") as c:
        stream = c.add_stream("aac", rate=48000)
        for k in range(20):
            frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = 48000, k * 1024
            c.mux(stream.encode(frame))
        c.mux(stream.encode(None))
    with pytest.raises(MediaError, match="no video in it"):
        open_clip(sound)


def test_mp4_without_its_index(tmp_path):
    path = make_clip(tmp_path / "m.mp4", 20)
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"moov") - 4])
    with pytest.raises(MediaError, match="cut off before its index"):
        open_clip(path)


def test_one_frame_and_odd_sizes(tmp_path):
    path = make_clip(tmp_path / "one.mp4", 1)
    with open_clip(path) as c:
        assert len(c) == 1 and picture_number(c.read(0)["left"]) == 0
    odd = make_clip(tmp_path / "odd.mkv", 5, codec="ffv1", pix_fmt="yuv444p", size=(193, 97))
    with open_clip(odd) as c:
        assert c.read(3)["left"].shape == (97, 193, 3)


def test_a_frame_outside_the_clip(tmp_path):
    with open_clip(make_clip(tmp_path / "c.mp4", 5)) as c, pytest.raises(IndexError, match=r"frames 0\.\.4"):
        c.read(5)


def test_closing_in_the_middle_never_hangs(tmp_path):
    """Decoder threads must not wait for Python while they are being ended: damaged frames make them talkative."""
    import subprocess
    import sys

    path = make_clip(tmp_path / "c.mp4", 40, gop=10, options={"bf": "2"})
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 2000
    data[start : start + 4000 : 7] = b"\xa5" * len(data[start : start + 4000 : 7])
    path.write_bytes(bytes(data))
    code = """
import sys
from vr180_ofx.media.open import open_clip
from vr180_ofx.errors import MediaError
for k in range(60):
    try:
        with open_clip(sys.argv[1]) as clip:
            for n in range(k % 7, 40, 5):
                try:
                    clip.frame(n)
                except MediaError:
                    pass
    except MediaError:
        pass
"""
    assert subprocess.run([sys.executable, "-c", code, str(path)], timeout=100, capture_output=True).returncode == 0


def test_an_opened_clip_holds_no_decoder_until_it_is_read(tmp_path):
    with open_clip(make_clip(tmp_path / "c.mp4", 8)) as clip:
        assert reader_of(clip)._container is None and not reader_of(clip)._recent
        assert picture_number(clip.read(3)["left"]) == 3 and reader_of(clip)._container is not None


def test_two_readers_do_not_disturb_each_other(tmp_path):
    path = make_clip(tmp_path / "c.mp4", 20, options={"bf": "2"})
    with open_clip(path) as a, a.reopen() as b:
        for n in range(20):
            assert picture_number(a.read(n)["left"]) == n
            assert picture_number(b.read(19 - n)["left"]) == 19 - n


def test_the_fingerprint_is_of_the_content(tmp_path):
    a = make_clip(tmp_path / "a.mp4", 8)
    b = tmp_path / "sub" / "renamed.mp4"
    b.parent.mkdir()
    b.write_bytes(a.read_bytes())
    c = make_clip(tmp_path / "c.mp4", 8, pictures=lambda n: numbered_picture(n + 1))
    prints = []
    for p in (a, b, c):
        with open_clip(p) as clip:
            prints.append(clip.fingerprint)
    assert prints[0] == prints[1] != prints[2]


def test_the_graphics_card_decodes_the_same_or_is_done_without(bframe_clip):
    """Where there is none the CPU takes over; where there is one its pictures are the same."""
    path, reference = bframe_clip
    reader = VideoReader(path, gpu=True)
    for n in (7, 8, 3, 39, 0):
        frame = reader.read(n)
        assert isinstance(frame, av.VideoFrame) and np.array_equal(frame.to_ndarray(format="yuv420p"), reference[n])
    reader.close()
    settings = Settings(hardware={"decoder": "gpu"})
    with open_clip(path, settings) as c, c.reopen() as again:
        assert picture_number(again.read(21)["left"]) == 21


@pytest.mark.parametrize(
    ("card", "plain"), [("nv12", "yuv420p"), ("p010le", "yuv420p10le"), ("nv16", "yuv422p"), ("p016le", "yuv420p16le")]
)
def test_pixel_formats_of_graphics_cards_lose_nothing(card, plain):
    """Cards deliver chroma interleaved, and 10 bits in the upper part of 16."""
    rng = np.random.default_rng(3)
    picture = cv2.GaussianBlur(rng.integers(0, 255, (64, 128, 3), np.uint8), (0, 0), 3)
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=plain)
    converter = FrameConverter(Layout("sbs", 128, 64))
    for view in ("left", "right"):
        a, b = converter.eyes(frame)[view], converter.eyes(frame.reformat(format=card))[view]
        whole = Rect(0, 0, 64, 64)
        assert np.array_equal(a.region(whole), b.region(whole)) and a.region(whole).std() > 0.01
