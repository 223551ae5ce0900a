"""What containers promise, and what they say beside the pictures."""

import struct
from fractions import Fraction

import av
import pytest
from av.video.frame import VideoFrame

from tests.conftest import make_clip, numbered_picture, picture_number
from vr180_ofx.errors import MediaError
from vr180_ofx.media.matroska import segment_end
from vr180_ofx.media.open import open_clip
from vr180_ofx.settings import Settings

#: A film that stands still: few frames for its length, as screen recorders and telephones write them.
STILL = [0, 40, 80, 5000, 5040, 9000, 9040]


@pytest.mark.parametrize(("old", "new", "name"), [(b"avc1", b"zzzz", "a.mp4"), (b"V_MPEG4/ISO/AVC", b"V_MPEG4/ISO/XYZ", "a.mkv")])
def test_a_codec_that_nobody_knows(tmp_path, old, new, name):
    path = make_clip(tmp_path / name, 5)
    path.write_bytes(path.read_bytes().replace(old, new))
    with pytest.raises(MediaError, match="in a codec that this FFmpeg does not know"):
        open_clip(path)


def test_sound_in_a_codec_that_nobody_knows_is_no_reason(tmp_path):
    path = make_clip(tmp_path / "a.mkv", 8, audio=True)
    path.write_bytes(path.read_bytes().replace(b"A_AAC", b"A_QQQ"))
    with open_clip(path) as clip:
        assert picture_number(clip.read(3)["left"]) == 3
        assert clip.describe()["audio"] == ["of an unknown codec"]


def test_a_whole_film_of_a_rate_that_varies_is_not_cut_off(tmp_path):
    """A healthy one was 'cut off: 209 frames'."""
    path = make_clip(tmp_path / "v.mkv", len(STILL), pts=STILL)
    assert segment_end(path) == path.stat().st_size
    with open_clip(path) as clip:
        assert len(clip) == len(STILL) and clip.lost == 0 and clip.notes == ()


def test_a_film_that_is_cut_off_says_how_much_is_lost(tmp_path):
    path = make_clip(tmp_path / "c.mkv", 40, options={"bf": "0"})
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * 0.7)])
    with open_clip(path) as clip:
        assert 0 < len(clip) < 40
        # what was half there is lost, or damaged
        assert abs(len(clip) + clip.lost - 40) <= 1
    path.write_bytes(data[:-20])
    with open_clip(path) as clip:
        assert len(clip) == 40 and clip.lost == 0 and "cut off after its last frame" in clip.notes[0]


def test_an_odd_rate_is_none(tmp_path):
    """Frames ten hours apart: their rate was 0, and what is divided by it failed."""
    path = make_clip(tmp_path / "slow.mkv", 2, pts=[0, 36_000_000])
    with open_clip(path) as clip:
        assert clip.fps > 0 and clip.describe()["duration_s"] > 0


def matrix(path, values):
    """Writes a display matrix (a, b, c, d of ISO 14496-12, 8.3.2) into the track header."""
    data = bytearray(path.read_bytes())
    at = data.rindex(b"tkhd") + 4
    version = data[at]
    at += 4 + (32 if version else 20) + 16
    a, b, c, d = (int(v * 65536) for v in values)
    struct.pack_into(">9i", data, at, a, b, 0, c, d, 0, 0, 0, 0x40000000)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("values", "words"),
    [((0, 1, -1, 0), "turned by 90 degrees"), ((-1, 0, 0, -1), "turned by 180 degrees"), ((0, -1, 1, 0), "turned by 270 degrees"),
     ((-1, 0, 0, 1), "mirrored"), ((1, 0, 0, -1), "turned by 180 degrees and mirrored")],
)  # fmt: skip
def test_a_display_matrix_is_said(tmp_path, values, words):
    path = matrix(make_clip(tmp_path / "phone.mp4", 4), values)
    with open_clip(path) as clip:
        assert clip.views == ("left",) and f"players show it {words};" in clip.notes[0]
        assert clip.describe()["warnings"] == list(clip.notes)
        # as it is stored, like hosts that do not turn it
        assert picture_number(clip.read(2)["left"]) == 2


def test_stereo_that_players_turn_is_refused(tmp_path):
    """Which half is which eye is not known then."""
    path = matrix(make_clip(tmp_path / "vr.mp4", 4, size=(512, 256)), (-1, 0, 0, -1))
    with pytest.raises(MediaError, match="is stereo .* turned by 180 degrees"):
        open_clip(path)
    with open_clip(path, Settings(input={"layout": "mono"})) as clip:
        assert clip.notes


def test_an_upright_matrix_is_nothing(tmp_path):
    with open_clip(matrix(make_clip(tmp_path / "a.mp4", 4, size=(512, 256)), (1, 0, 0, 1))) as clip:
        assert clip.views == ("left", "right") and clip.notes == ()


def test_a_second_video_stream_is_said(tmp_path):
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as container:
        streams = []
        for size in ((192, 96), (96, 96)):
            stream = container.add_stream("libx264", rate=24)
            stream.width, stream.height = size
            streams.append(stream)
        for n in range(4):
            for stream in streams:
                frame = VideoFrame.from_ndarray(numbered_picture(n, stream.width, stream.height), format="rgb24").reformat(format="yuv420p")
                frame.pts, frame.time_base = n, Fraction(1, 24)
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    with open_clip(path) as clip:
        assert clip.notes == ("the file holds 2 video streams; only the first (192x96) is read",)
        assert picture_number(clip.read(2)["left"]) == 2


def encoded(path, **how):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options=how.get("options", {}))
        stream.width, stream.height = 192, 96
        if "shape" in how:
            stream.codec_context.sample_aspect_ratio = how["shape"]
        for n in range(4):
            frame = VideoFrame.from_ndarray(numbered_picture(n), format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = n, Fraction(1, 24)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_pixels_that_are_not_square_are_said(tmp_path, name):
    with open_clip(encoded(tmp_path / name, shape=Fraction(4, 3))) as clip:
        assert clip.notes == (
            "its pixels are 1.333 times as wide as high; mattes have the pixels that are stored, and projections go by them",
        )


def test_interlaced_pictures_are_said(tmp_path):
    with open_clip(encoded(tmp_path / "i.mkv", options={"x264-params": "tff=1"})) as clip:
        assert "interlaced" in clip.notes[0]
