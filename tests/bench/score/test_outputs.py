"""Any method's files are read alike, and files that are none are named."""

import cv2
import numpy as np
import pytest

from bench.score.outputs import open_output
from vr180_ofx.errors import MediaError
from vr180_ofx.vr180.layout import Layout

LAYOUT = Layout("sbs", 64, 32)
LEFT, RIGHT = np.zeros((32, 32)), np.zeros((32, 32))
LEFT[4:20, 5:12], RIGHT[6:20, 3:12] = 1.0, 0.5


def write(path, alpha, bits=16):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.round(alpha * (2**bits - 1)).astype(np.uint16 if bits == 16 else np.uint8))


def same(read, bits=16):
    for view, alpha in (("left", LEFT), ("right", RIGHT)):
        np.testing.assert_allclose(read[view][""], alpha, atol=1 / (2**bits - 1))


@pytest.mark.parametrize("bits", [8, 16])
def test_whole_frames_or_eyes(tmp_path, bits):
    write(tmp_path / "whole" / "frame_0000.png", np.concatenate([LEFT, RIGHT], axis=1), bits)
    write(tmp_path / "pha" / "pha" / "0000.png", np.concatenate([LEFT, RIGHT], axis=1), bits)
    write(tmp_path / "eyes" / "left" / "0.png", LEFT, bits)
    write(tmp_path / "eyes" / "right" / "0.png", RIGHT, bits)
    for name in ("whole", "pha", "eyes"):
        same(open_output(tmp_path / name, LAYOUT, 1).read(0), bits)


def test_alpha_is_the_fourth_channel(tmp_path):
    whole = np.concatenate([LEFT, RIGHT], axis=1)
    write(tmp_path / "1.png", np.dstack([1 - whole, whole * 0, whole * 0, whole]))
    same(open_output(tmp_path, LAYOUT, 1).read(1))


def test_floats_are_as_they_are(tmp_path, monkeypatch):
    write(tmp_path / "left" / "x.png", LEFT)
    (tmp_path / "left" / "x.png").unlink()
    cv2.imwrite(str(tmp_path / "left" / "1.tiff"), LEFT.astype(np.float32))
    (tmp_path / "right").mkdir()
    cv2.imwrite(str(tmp_path / "right" / "1.tiff"), RIGHT.astype(np.float32))
    same(open_output(tmp_path, LAYOUT, 1).read(1))


def test_layers_of_people_add_up(tmp_path):
    for name, alpha in (("anna", LEFT), ("bob", np.roll(LEFT, 14, axis=1))):
        write(tmp_path / name / "left" / "0001.png", alpha)
        write(tmp_path / name / "right" / "0001.png", RIGHT * 0)
    read = open_output(tmp_path, LAYOUT, 1).read(1)["left"]
    assert set(read) == {"anna", "bob", ""} and read[""].sum() == pytest.approx(2 * LEFT.sum(), rel=1e-3)


def test_what_was_not_written_is_empty(tmp_path):
    """A frame in the middle, and an eye."""
    for n in (0, 2):
        write(tmp_path / "left" / f"{n}.png", LEFT)
    found = open_output(tmp_path, LAYOUT, 3)
    assert found.missing == [1] and found.read(1)["left"][""].max() == 0 and found.read(2)["left"][""].max() == 1
    assert found.read(0)["right"][""].max() == 0


def test_what_is_wrong_is_named(tmp_path):
    with pytest.raises(MediaError, match="is not a folder"):
        open_output(tmp_path / "none", LAYOUT, 1)
    with pytest.raises(MediaError, match="holds no mattes"):
        open_output(tmp_path, LAYOUT, 1)
    write(tmp_path / "a" / "1.png", LEFT)
    with pytest.raises(MediaError, match="1.png is 32x32, and the clip 64x32"):
        open_output(tmp_path / "a", LAYOUT, 1).read(1)
    write(tmp_path / "a" / "x_01.png", LEFT)
    with pytest.raises(MediaError, match="both are frame 1"):
        open_output(tmp_path / "a", LAYOUT, 1)
    (tmp_path / "b" / "left").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "b" / "left" / "1.tiff"), (LEFT * 255).astype(np.float32))
    with pytest.raises(MediaError, match="alphas from 0 to 255"):
        open_output(tmp_path / "b", LAYOUT, 1).read(1)
