"""A picture of which a part is missing is an error of its frame, in every format."""

from fractions import Fraction

import numpy as np
import OpenEXR
import pytest

from tests.conftest import numbered_picture, picture_number
from tests.media.pictures import write
from vr180_ofx.errors import FrameError, MediaError
from vr180_ofx.media.open import open_clip
from vr180_ofx.output.inspect import inspect_image

FORMATS = ("exr", "png", "tif", "dpx", "jpg", "tga", "bmp", "webp", "jp2", "hdr")


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("kept", [0.4, 0.9])
def test_a_picture_that_is_cut_off_is_no_picture(tmp_path, ending, kept):
    """Of half a JPEG a matte was made, with status 0."""
    rng = np.random.default_rng(1)
    for n in range(3):
        picture = numbered_picture(n)
        # grain, so that no format packs it into its header
        picture[33:] = np.clip(picture[33:] + rng.integers(-9, 9, picture[33:].shape), 0, 255)
        write(tmp_path / f"a.{n:04d}.{ending}", picture, "half" if ending == "exr" else "float" if ending == "hdr" else "uint8")
    bad = tmp_path / f"a.0001.{ending}"
    bad.write_bytes(bad.read_bytes()[: int(bad.stat().st_size * kept)])
    with open_clip(tmp_path / f"a.%04d.{ending}") as clip:
        with pytest.raises(FrameError, match=r"frame 1 cannot be decoded \(.*a\.0001"):
            clip.read(1)
        assert picture_number(clip.read(2)["left"]) == 2
    assert inspect_image(tmp_path / f"a.0002.{ending}")["damaged"] == []
    try:
        assert inspect_image(bad)["damaged"]
    except MediaError as error:
        assert str(bad) in str(error)


@pytest.mark.parametrize("size", [(100, 96), (400, 200)])
def test_a_frame_of_another_size_is_an_error(tmp_path, size):
    """Of a larger one a part was taken, with status 0."""
    for n in range(3):
        write(
            tmp_path / f"a.{n:04d}.png",
            numbered_picture(n, *(size if n == 1 else (192, 96))) if n != 1 else np.zeros((*size[::-1], 3), "uint8"),
        )
    with open_clip(tmp_path / "a.%04d.png") as clip:
        with pytest.raises(FrameError, match=f"is {size[0]}x{size[1]} and the clip began with 192x96"):
            clip.read(1)
        assert picture_number(clip.read(2)["left"]) == 2


def exr(path, pictures, **header):
    parts = [
        OpenEXR.Part({"view": v, "type": OpenEXR.scanlineimage, **header}, {c: np.full((96, 96), x, np.float16) for c in "RGB"}, v)
        for v, x in pictures.items()
    ]
    OpenEXR.File(parts).write(str(path))


@pytest.mark.parametrize("rate", [Fraction(0, 1), Fraction(-24, 1)])
def test_a_rate_of_nothing_is_said_and_not_used(tmp_path, rate):
    exr(tmp_path / "a.0001.exr", {"left": 0.5, "right": 0.5}, framesPerSecond=rate)
    with open_clip(tmp_path / "a.%04d.exr") as clip:
        assert clip.fps == 24 and "which is no rate" in clip.notes[0] and clip.describe()["fps"] == 24


def test_views_that_are_no_eyes(tmp_path):
    exr(tmp_path / "a.0001.exr", {"centre": 0.5, "top": 0.5})
    with pytest.raises(MediaError, match="has the views centre, top; a stereo picture has left and right"):
        open_clip(tmp_path / "a.%04d.exr")


def test_a_frame_that_lacks_an_eye(tmp_path):
    exr(tmp_path / "a.0001.exr", {"left": 0.5, "right": 0.5})
    exr(tmp_path / "a.0002.exr", {"left": 0.5})
    with open_clip(tmp_path / "a.%04d.exr") as clip, pytest.raises(FrameError, match="it has no view right; it has left"):
        clip.read(1)
