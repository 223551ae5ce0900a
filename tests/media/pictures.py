"""Image files for tests."""

import OpenImageIO as oiio


def write(path, picture, kind="uint8"):
    """picture: (h, w, channels), 0..255 uint8 or 0..1."""
    spec = oiio.ImageSpec(picture.shape[1], picture.shape[0], picture.shape[2], kind)
    out = oiio.ImageOutput.create(str(path))
    assert out is not None, oiio.geterror()
    assert out.open(str(path), spec), out.geterror()
    assert out.write_image(picture), out.geterror()
    out.close()
