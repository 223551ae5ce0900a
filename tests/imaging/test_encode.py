import numpy as np
import OpenImageIO as oiio
import pytest

from vr180_ofx.errors import MediaError, OutputError
from vr180_ofx.imaging.encode import jpeg, png, read_image


def read(path, kind):
    """By another library."""
    source = oiio.ImageInput.open(str(path))
    assert source is not None, oiio.geterror()
    spec = source.spec()
    pixels = np.asarray(source.read_image(0, 0, 0, spec.nchannels, kind)).reshape(spec.height, spec.width, spec.nchannels)
    source.close()
    return pixels


@pytest.mark.parametrize("kind", ["uint8", "uint16"])
def test_a_png_holds_every_bit(tmp_path, kind):
    grey = np.random.default_rng(0).integers(0, np.iinfo(kind).max, (13, 17), kind)
    (tmp_path / "a.png").write_bytes(png(grey))
    assert np.array_equal(read(tmp_path / "a.png", kind)[..., 0], grey)
    assert np.array_equal(read_image(tmp_path / "a.png"), grey)


def test_a_jpeg_is_red_where_the_picture_is(tmp_path):
    rgb = np.zeros((32, 48, 3), np.uint8)
    rgb[..., 0], rgb[..., 2] = 220, 40
    (tmp_path / "a.jpg").write_bytes(jpeg(rgb, 95))
    assert np.abs(read(tmp_path / "a.jpg", "uint8").astype(int) - rgb).max() <= 4
    assert len(jpeg(np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8), 20)) < len(jpeg(rgb.repeat(2, 0), 95)) * 20


@pytest.mark.parametrize("channels", [3, 4])
def test_images_are_read_red_first(tmp_path, channels):
    pixels = np.random.default_rng(2).integers(0, 256, (9, 7, channels), np.uint8)
    pixels[..., 3:] = 255
    out = oiio.ImageOutput.create(str(tmp_path / "a.png"))
    assert out is not None, oiio.geterror()
    out.open(str(tmp_path / "a.png"), oiio.ImageSpec(7, 9, channels, "uint8"))
    out.write_image(pixels)
    out.close()
    assert np.array_equal(read_image(tmp_path / "a.png"), pixels)


def test_what_is_no_picture_is_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(MediaError, match=r"a\.png cannot be read as an image"):
        read_image(tmp_path / "a.png")
    with pytest.raises(OutputError, match=r"\(0, 0\).*png"):
        png(np.zeros((0, 0), np.uint8))
