from fractions import Fraction

import numpy as np
import OpenEXR
import OpenImageIO as oiio
import pytest

from tests.conftest import numbered_picture, picture_number
from tests.media.pictures import write
from vr180_ofx.errors import FrameError, MediaError
from vr180_ofx.media.open import open_clip
from vr180_ofx.settings import Settings

LINEAR = lambda v: np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)  # noqa: E731


@pytest.mark.parametrize("ending", ["png", "tif", "jpg", "dpx"])
def test_numbered_files(tmp_path, ending):
    for n in range(5):
        write(tmp_path / f"plate.{n + 1001:04d}.{ending}", numbered_picture(n))
    for pattern in (f"plate.%04d.{ending}", f"plate.####.{ending}", ""):
        with open_clip(tmp_path / pattern) as clip:
            assert [picture_number(clip.read(n)["left"]) for n in (4, 0, 2)] == [4, 0, 2]
            assert clip.describe()["numbers"] == [1001, 1005]


def test_a_gap_lists_what_is_missing(tmp_path):
    for n in (1, 2, 5, 6, 9):
        write(tmp_path / f"a_{n:03d}.png", numbered_picture(n))
    with pytest.raises(MediaError, match="frames 3-4, 7-8 are missing"):
        open_clip(tmp_path / "a_%03d.png")


def test_a_file_per_view(tmp_path):
    for n in range(3):
        for k, view in enumerate(("left", "right")):
            write(tmp_path / f"s_{view}.{n:04d}.png", numbered_picture(n + 100 * k))
    for pattern in (tmp_path / "s_%V.####.png", tmp_path):
        with open_clip(pattern) as clip:
            assert clip.views == ("left", "right") and clip.eye_size == (192, 96)
            pictures = clip.read(2)
            assert (picture_number(pictures["left"]), picture_number(pictures["right"])) == (2, 102)
    (tmp_path / "s_right.0001.png").unlink()
    with pytest.raises(MediaError, match="frame 1 .* no file for the view right"):
        open_clip(tmp_path / "s_%V.####.png")


def test_short_view_names_in_folders(tmp_path):
    for view in ("l", "r"):
        (tmp_path / view).mkdir()
        write(tmp_path / view / "p.0001.png", numbered_picture(7 if view == "l" else 9))
    with open_clip(tmp_path / "%v" / "p.%04d.png") as clip:
        assert picture_number(clip.read(0)["right"]) == 9


def exr(path, pictures, layout):
    halves = {v: LINEAR(p / 255).astype(np.float16) for v, p in pictures.items()}
    if layout == "parts":
        parts = [
            OpenEXR.Part(
                {"view": v, "type": OpenEXR.scanlineimage, "framesPerSecond": Fraction(30)},
                {c: np.ascontiguousarray(h[..., k]) for k, c in enumerate("RGB")},
                v,
            )
            for v, h in halves.items()
        ]
    else:
        channels = {
            f"{'' if v == 'left' else v + '.'}{c}": np.ascontiguousarray(h[..., k]) for v, h in halves.items() for k, c in enumerate("RGB")
        }
        parts = [OpenEXR.Part({"multiView": ["left", "right"], "type": OpenEXR.scanlineimage}, channels)]
    OpenEXR.File(parts).write(str(path))


@pytest.mark.parametrize("layout", ["parts", "channels"])
def test_multi_view_exr_is_linear_and_has_both_eyes(tmp_path, layout):
    for n in range(2):
        exr(tmp_path / f"m.{n:04d}.exr", {"left": numbered_picture(n), "right": numbered_picture(n + 50)}, layout)
    with open_clip(tmp_path / "m.%04d.exr") as clip:
        pictures = clip.read(1)
        assert (picture_number(pictures["left"]), picture_number(pictures["right"])) == (1, 51)
        assert np.abs(pictures["left"][60:, :8] - 90 / 255).max() < 0.01
        assert clip.fps == (30 if layout == "parts" else 24)


def test_a_data_window_is_put_into_place(tmp_path):
    spec = oiio.ImageSpec(20, 10, 3, "half")
    spec.x, spec.y, spec.full_width, spec.full_height = 30, 40, 100, 80
    out = oiio.ImageOutput.create(str(tmp_path / "d.0001.exr"))
    assert out is not None, oiio.geterror()
    out.open(str(tmp_path / "d.0001.exr"), spec)
    out.write_image(np.ones((10, 20, 3), np.float32))
    out.close()
    with open_clip(tmp_path / "d.0001.exr") as clip:
        picture = clip.read(0)["left"]
    assert picture.shape == (80, 100, 3) and picture[45, 35, 0] > 0.9 and picture[39].max() == 0
    assert (picture > 0).sum() == 600


def test_a_damaged_image_is_a_frame_error(tmp_path):
    for n in range(3):
        write(tmp_path / f"a.{n:04d}.png", numbered_picture(n))
    bad = tmp_path / "a.0001.png"
    bad.write_bytes(bad.read_bytes()[:200])
    with open_clip(tmp_path / "a.%04d.png") as clip:
        with pytest.raises(FrameError) as caught:
            clip.read(1)
        assert caught.value.index == 1
        assert picture_number(clip.read(2)["left"]) == 2


def test_rate_and_colour_can_be_set(tmp_path):
    write(tmp_path / "a.0001.png", numbered_picture(1))
    with open_clip(tmp_path / "a.%04d.png", Settings(input={"frame_rate": 59.94, "colorspace": "linear"})) as clip:
        assert float(clip.fps) == pytest.approx(59.94)
        assert clip.read(0)["left"][70, 2, 0] == pytest.approx(1.055 * (90 / 255) ** (1 / 2.4) - 0.055, abs=0.01)


def test_several_sequences_in_a_folder_are_named(tmp_path):
    write(tmp_path / "a.0001.png", numbered_picture(1))
    write(tmp_path / "b.0001.png", numbered_picture(1))
    with pytest.raises(MediaError, match="several sequences: a.%04d.png, b.%04d.png"):
        open_clip(tmp_path)
