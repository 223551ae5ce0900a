"""Painted mattes as files: what counts as said, and what is refused."""

import re

import cv2
import numpy as np
import pytest

from vr180_ofx.errors import MediaError
from vr180_ofx.media.painted import read_painted


def write(path, pixels):
    assert cv2.imwrite(str(path), pixels)
    return path


def test_opaque_grey_is_the_matte_and_transparent_says_nothing(tmp_path):
    pixels = np.zeros((4, 5, 4), np.uint8)
    pixels[0] = (255, 255, 255, 255)
    pixels[1] = (0, 0, 0, 255)
    pixels[2] = (102, 102, 102, 255)
    pixels[3] = (200, 200, 200, 51)
    pixels[3, 4] = (255, 255, 255, 0)
    found = read_painted(write(tmp_path / "p.png", pixels))
    assert np.allclose(found.said[:, 0], [1, 1, 1, 0.2]) and found.said[3, 4] == 0
    assert np.allclose(found.value[:, 0], [1, 0, 0.4, 0.2 * 200 / 255], atol=1 / 255) and found.value[3, 4] == 0


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("name", ["p.png", "p.tif"])
def test_grey_without_alpha_is_wholly_said(tmp_path, kind, name):
    most = np.iinfo(kind).max
    values = np.array([[0, most], [most // 5, most // 3]], kind)
    for pixels in (values, np.repeat(values[..., None], 3, axis=-1)):
        found = read_painted(write(tmp_path / name, pixels))
        assert (found.said == 1).all() and np.allclose(found.value, values / most, atol=1e-6)


def test_what_is_no_painted_matte_is_refused(tmp_path):
    whole = write(tmp_path / "whole.png", np.full((64, 64), 200, np.uint8))
    (tmp_path / "cut.png").write_bytes(whole.read_bytes()[:60])
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty.png").touch()
    write(tmp_path / "plate.png", np.dstack([np.full((4, 4), v, np.uint8) for v in (20, 90, 160)]))
    write(tmp_path / "nothing.png", np.zeros((4, 4, 4), np.uint8))
    for name, words in (
        ("cut.png", "damaged|not an image"), ("text.png", "not an image"), ("empty.png", "empty"), ("none.png", "does not exist"),
        ("plate.png", "has colours; a painted matte is grey"), ("nothing.png", "transparent everywhere"),
    ):  # fmt: skip
        with pytest.raises(MediaError) as info:
            read_painted(tmp_path / name)
        assert re.search(words, str(info.value)) and name in str(info.value), name
