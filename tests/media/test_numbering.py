"""What the frames of a clip are called: by the files of a sequence, by settings, by the timecode that files carry."""

from fractions import Fraction

import av
import numpy as np
import OpenImageIO as oiio
import pytest

from tests.conftest import make_clip, with_settings
from tests.media.pictures import write
from vr180_ofx.errors import SettingsError
from vr180_ofx.media.numbering import numbering
from vr180_ofx.media.open import open_clip
from vr180_ofx.settings import Settings

PICTURE = np.zeros((128, 256, 3), np.uint8)


def test_a_sequence_keeps_its_numbers_and_a_video_begins_with_1(tmp_path):
    for n in (1001, 1002, 1003):
        write(tmp_path / f"plate.{n}.png", PICTURE)
    write(tmp_path / "still.png", PICTURE)
    with open_clip(tmp_path / "plate.%04d.png") as clip:
        assert (numbering(clip).allowed, numbering(clip).file(2)) == ("1001 to 1003", "plate.1003.exr")
        assert numbering(clip).parse("1002-1003") == [1, 2]
        assert numbering(clip, Settings(output={"start_frame": 1})).parse("2-3") == [1, 2]
        with with_settings(clip, output={"start_frame": 0}) as other, pytest.raises(SettingsError, match="frames 0 to 2"):
            numbering(other).parse("1002")
    with open_clip(make_clip(tmp_path / "a.mp4", 5)) as clip:
        assert numbering(clip).allowed == "1 to 5" and numbering(clip).parse("index:0") == numbering(clip).parse("1") == [0]
    for name in ("still.png", "plate.1002.png"):
        with open_clip(tmp_path / name) as clip:
            assert numbering(clip).start == (1002 if "1002" in name else 1)


def film(path, code, rate):
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg2video" if path.suffix == ".mxf" else "libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 256, 128, "yuv420p"
        stream.metadata["timecode"] = out.metadata["timecode"] = code
        for _ in range(3):
            for packet in stream.encode(av.VideoFrame.from_ndarray(PICTURE, format="rgb24")):
                out.mux(packet)
        out.mux(list(stream.encode()))
    return path


@pytest.mark.parametrize("ending", ["mov", "mp4", "mkv", "mxf"])
def test_a_video_has_the_timecode_that_was_written(tmp_path, ending):
    """Written by FFmpeg's muxers, each in its own way."""
    with open_clip(film(tmp_path / f"a.{ending}", "10:00:00:05", Fraction(25))) as clip:
        assert str(clip.timecode) == "10:00:00:05" == clip.describe()["timecode"] and clip.reopen().timecode == clip.timecode
        assert numbering(clip).parse("10:00:00:06-10:00:00:07") == [1, 2]


def test_dropped_numbers_and_what_is_no_timecode(tmp_path):
    with open_clip(film(tmp_path / "a.mov", "00:00:59;28", Fraction(30000, 1001))) as clip:
        numbers = numbering(clip)
        assert [str(numbers.timecode_of(n)) for n in range(3)] == ["00:00:59;28", "00:00:59;29", "00:01:00;02"]
        assert numbers.index_of("00:01:00;02") == 2
    for code in ("nonsense", "10:00:00:99"):
        with open_clip(film(tmp_path / "b.mkv", code, Fraction(25))) as clip:
            assert clip.timecode is None and clip.describe()["timecode"] is None


def test_dpx_has_its_own(tmp_path):
    for n in range(2):
        spec = oiio.ImageSpec(256, 128, 3, "uint16")
        # 10:20:30:04 in decimal digits
        spec.attribute("smpte:TimeCode", oiio.TypeDesc("timecode"), (0x10203004, 0))
        out = oiio.ImageOutput.create(str(tmp_path / "p.dpx"))
        assert out is not None, oiio.geterror()
        out.open(str(tmp_path / f"p.{n:04d}.dpx"), spec)
        out.write_image(PICTURE.astype(np.uint16))
        out.close()
    with open_clip(tmp_path / "p.%04d.dpx") as clip:
        assert str(clip.timecode) == "10:20:30:04"
