"""Which files a name means."""

import os

import numpy as np
import pytest

from tests.conftest import make_clip, numbered_picture, picture_number
from tests.media.pictures import write
from vr180_ofx.errors import MediaError
from vr180_ofx.media.naming import number_token, without_number
from vr180_ofx.media.open import open_clip


@pytest.mark.parametrize("name", ["take #3.mp4", "100%d.mp4", "a ## b.mkv", "%V.mp4", "50% grey.mp4"])
def test_a_film_whose_name_looks_like_a_pattern(tmp_path, name):
    with open_clip(make_clip(tmp_path / name, 5)) as clip:
        assert len(clip) == 5 and clip.name == name.rpartition(".")[0]


@pytest.mark.parametrize("folder", ["day #2", "100%d", "%V"])
def test_a_folder_whose_name_looks_like_a_pattern(tmp_path, folder):
    home = tmp_path / folder
    home.mkdir()
    with open_clip(make_clip(home / "a.mp4", 5)) as clip:
        assert len(clip) == 5
    for n in range(3):
        write(home / f"p.{n:04d}.png", numbered_picture(n))
    for name in ("p.%04d.png", "p.####.png", "p.0002.png"):
        with open_clip(home / name) as clip:
            assert picture_number(clip.read(len(clip) - 1)["left"]) == 2
    with open_clip(make_clip(tmp_path / "b.mp4", 5)):
        pass
    os.unlink(home / "a.mp4")
    with open_clip(home) as clip:
        assert len(clip) == 3


def test_a_number_beside_a_sign(tmp_path):
    for n in range(3):
        write(tmp_path / f"take #3.{n:04d}.png", numbered_picture(n))
    for name in ("take #3.%04d.png", "take #3.####.png", ""):
        with open_clip(tmp_path / name) as clip:
            assert len(clip) == 3 and clip.name == "take #3" and picture_number(clip.read(1)["left"]) == 1
    one = tmp_path / "take #3.0001.png"
    with open_clip(one) as clip:
        assert len(clip) == 1 and clip.name == "take #3.0001"


def test_what_is_not_there_is_said(tmp_path):
    for name in ("take #3.mp4", "no.mp4", "p.%04d.png", "p.png"):
        with pytest.raises(MediaError, match="does not exist"):
            open_clip(tmp_path / name)


def test_the_place_of_the_number():
    assert [without_number(s) for s in ("a.%04d", "a_%d_b", "s_%V.####", "take #3.%04d", "%V", "a")] == ["a", "a", "s", "take #3", "", "a"]
    assert number_token("a") is None


def test_numbers_far_apart_take_no_memory(tmp_path):
    for n in ("1", "999999999999"):
        write(tmp_path / f"a.{n}.png", numbered_picture(1))
    with pytest.raises(MediaError, match="frames 2-999999999998 are missing"):
        open_clip(tmp_path / "a.%d.png")
    write(tmp_path / f"b.{'9' * 40}.png", np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(MediaError, match="frames have at most 12 digits"):
        open_clip(tmp_path / "b.%d.png")
