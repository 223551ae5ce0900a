"""Image files and boxes of MP4 for tests."""

import struct

import OpenImageIO as oiio


def write(path, picture, kind="uint8"):
    """picture: (h, w, channels), 0..255 uint8 or 0..1."""
    spec = oiio.ImageSpec(picture.shape[1], picture.shape[0], picture.shape[2], kind)
    out = oiio.ImageOutput.create(str(path))
    assert out is not None, oiio.geterror()
    assert out.open(str(path), spec), out.geterror()
    assert out.write_image(picture), out.geterror()
    out.close()


def spherical(path, left, right):
    """Writes Google's spherical video V2 into an MP4: side by side, equirectangular with these bounds in 0.32 fixed point."""
    data = path.read_bytes()

    def box(kind, body):
        return struct.pack(">I4s", 8 + len(body), kind) + body

    proj = box(b"proj", box(b"prhd", struct.pack(">Iiii", 0, 0, 0, 0)) + box(b"equi", struct.pack(">IIIII", 0, 0, 0, left, right)))
    extra = box(b"st3d", struct.pack(">IB", 0, 2)) + box(b"sv3d", box(b"svhd", struct.pack(">I", 0) + b"t\0") + proj)
    # the sample entry and every box around it grow
    end = 0
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"):
        at = data.rindex(kind) - 4
        size = struct.unpack_from(">I", data, at)[0]
        data = data[:at] + struct.pack(">I", size + len(extra)) + data[at + 4 :]
        end = at + size
    path.write_bytes(data[:end] + extra + data[end:])
    return path
