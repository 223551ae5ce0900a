"""Input mattes that are pictures: sequences, views, layers of EXR files, and what is missing or damaged."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import OpenImageIO as oiio
import pytest

from vr180_ofx.controls.files import identity, read_matte
from vr180_ofx.errors import InputMatteError
from vr180_ofx.people.mattes_file import ImageInput, InputMatte
from vr180_ofx.vr180.layout import Layout

LAYOUT = Layout("sbs", 24, 8)
FRAMES = 3


def write(path, **channels):
    """An image of these channels, (8, 12) each unless they are others; names with _ for the dots."""
    names = [n.replace("_", ".") for n in channels]
    pixels = np.stack(list(channels.values()), axis=-1).astype(np.float32)
    spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], len(names), "half" if path.suffix == ".exr" else "uint8")
    spec.channelnames = tuple(names)
    out: Any = oiio.ImageOutput.create(str(path))
    out.open(str(path), spec)
    assert out.write_image(pixels), out.geterror()
    out.close()
    return path


def grey(value=0.5, width=12):
    return np.full((8, width), value)


def read(path, n=0, **how):
    image = ImageInput(str(path), **how)
    return read_matte(InputMatte(name="m", kind="garbage", image=image), image, n, LAYOUT, FRAMES)


def test_one_picture_is_for_all_frames_and_of_the_first_eye(tmp_path):
    path = write(tmp_path / "m.0007.png", A=grey(1))
    assert {v: a.mean() for v, a in read(path, 2).items()} == {"left": 1.0}
    assert list(read(path, 2, view="right")) == ["right"]


def test_a_sequence_is_counted_from_its_first_file_only_when_it_is_as_long_as_the_clip(tmp_path):
    for n in (1001, 1002):
        write(tmp_path / f"m.{n}.png", A=grey((n - 1000) / 10))
    with pytest.raises(InputMatteError, match="has 2 files, numbered 1001 to 1002, and the clip 3 frames: say with 'first'"):
        read(tmp_path / "m.%04d.png")
    assert read(tmp_path / "m.####.png", 1, first=1001)["left"].mean() == pytest.approx(0.2, abs=0.003)
    with pytest.raises(InputMatteError, match=r"m\.1003\.png does not exist") as error:
        read(tmp_path / "m.%04d.png", 2, first=1001)
    assert error.value.index == 2 and error.value.matte == "m" and error.value.http_status == 422
    write(tmp_path / "m.1003.png", A=grey(0.3))
    assert read(tmp_path / "m.%04d.png", 2)["left"].mean() == pytest.approx(0.3, abs=0.003)


def test_each_eye_has_files_of_its_own(tmp_path):
    for view, value in (("left", 0.25), ("right", 0.75)):
        write(tmp_path / f"m_{view}.exr", Y=grey(value))
    assert {v: a.mean() for v, a in read(tmp_path / "m_%V.exr").items()} == {"left": 0.25, "right": 0.75}
    (tmp_path / "m_right.exr").unlink()
    with pytest.raises(InputMatteError, match=r"m_right\.exr does not exist"):
        read(tmp_path / "m_%V.exr")


def test_a_picture_as_large_as_the_clips_holds_both_eyes(tmp_path):
    both = np.concatenate([grey(0.25), grey(0.75)], axis=1)
    assert {v: a.mean() for v, a in read(write(tmp_path / "m.exr", A=both)).items()} == {"left": 0.25, "right": 0.75}


def test_layers_are_found_by_name(tmp_path):
    path = write(tmp_path / "m.exr", R=grey(0), G=grey(0), B=grey(0), A=grey(0.25), lamp_A=grey(0.5), lamp_R=grey(0.125))
    means = {c: float(read(path, channel=c)["left"].mean()) for c in ("A", "lamp", "lamp.R", "LAMP.a")}
    assert means == {"A": 0.25, "lamp": 0.5, "lamp.R": 0.125, "LAMP.a": 0.5} and read(path)["left"].mean() == 0.25
    with pytest.raises(InputMatteError, match=r"no channel 'lamb'; it has R, G, B, A, lamp\.R, lamp\.A"):
        read(path, channel="lamb")


def test_views_of_an_exr_are_the_eyes(tmp_path):
    path = tmp_path / "m.exr"
    specs = []
    for view in ("left", "right"):
        spec = oiio.ImageSpec(12, 8, 1, "half")
        spec.channelnames = ("A",)
        spec.attribute("view", view)
        spec.attribute("oiio:subimagename", f"bag.{view}")
        specs.append(spec)
    out: Any = oiio.ImageOutput.create(str(path))
    out.open(str(path), tuple(specs))
    for k, value in enumerate((0.25, 0.75)):
        if k:
            out.open(str(path), specs[k], "AppendSubimage")
        out.write_image(grey(value)[..., None].astype(np.float32))
    out.close()
    assert {v: a.mean() for v, a in read(path, channel="bag").items()} == {"left": 0.25, "right": 0.75}
    assert list(read(path, channel="bag.right")) == ["right"]


def test_what_is_no_matte_is_said(tmp_path):
    opaque = write(tmp_path / "o.png", R=grey(0.5), G=grey(0.5), B=grey(0.5), A=grey(1))
    with pytest.raises(InputMatteError, match="alpha that is 1 everywhere.*which channel"):
        read(opaque)
    assert read(opaque, channel="R")["left"].mean() == pytest.approx(0.5, abs=0.003)
    with pytest.raises(InputMatteError, match="is 9x8; a matte has the shape of one eye's picture, 12x8, or all eyes.*24x8"):
        read(write(tmp_path / "s.png", A=grey(1, 9)))
    with pytest.raises(InputMatteError, match="no numbers"):
        read(write(tmp_path / "n.exr", A=grey(np.nan)))
    (tmp_path / "e.png").write_bytes(opaque.read_bytes()[:60])
    with pytest.raises(InputMatteError, match=r"e\.png"):
        read(tmp_path / "e.png")
    with pytest.raises(InputMatteError, match="is a folder"):
        read(tmp_path)


def test_half_the_size_is_brought_to_the_eyes(tmp_path):
    small = np.zeros((4, 6))
    small[:, 3:] = 1
    made = read(write(tmp_path / "m.png", A=small))["left"]
    assert made.shape == (8, 12) and made[:, :5].max() == 0 and made[:, 7:].min() == 1


def test_a_file_that_changes_is_another_matte(tmp_path):
    path = write(tmp_path / "m.exr", A=grey(0.5))
    image = ImageInput(str(path))
    before = identity(image, 0, LAYOUT, FRAMES)
    os.utime(path, ns=(1, 1))
    assert identity(image, 0, LAYOUT, FRAMES) != before
    path.unlink()
    assert "missing" in identity(image, 0, LAYOUT, FRAMES)
