"""PNG sequences: RGBA, foreground over transparency, and greenscreen. Written by OpenImageIO, 16 bits where alpha counts."""

from __future__ import annotations

import errno
import struct
import zlib
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from vr180_ofx.arrays import FloatArray
from vr180_ofx.engine.frame import Frame
from vr180_ofx.media.contract import SourceFrame
from vr180_ofx.output.colour import Foreground
from vr180_ofx.output.contract import Job
from vr180_ofx.output.image_sequence import ImageSequenceWriter
from vr180_ofx.output.inspect import opened
from vr180_ofx.output.pictures import over_colour, rgba, together
from vr180_ofx.storage import atomic_path, refuse_cut_off

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


class PngOutput(ImageSequenceWriter):
    """PNG of 16 bits: the plate or the people's own colour with the alpha, or people over a colour."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._foreground = Foreground(job.settings.output)
        self._apart = not job.settings.output.maintain_sbs and len(job.clip.views) > 1

    def paths(self, index: int) -> list[Path]:
        number = self._job.number(index)
        names = [f"_{view}" for view in self._job.clip.views] if self._apart else [""]
        return [self._job.stem.with_name(f"{self._job.name}{suffix}.{number:04d}.png") for suffix in names]

    def write(self, frame: Frame, source: SourceFrame | None) -> None:
        assert source is not None
        if self._job.format.shows == "composite":
            eyes = over_colour(frame, source, self._job.settings.output.background_color, self._foreground)
        else:
            eyes = rgba(frame, source, self._foreground if self._job.format.shows == "foreground" else None)
        pictures = list(eyes.values()) if self._apart else [together(eyes, self._job.clip.geometry.layout)]
        for path, picture in zip(self.paths(frame.index), pictures, strict=True):
            write_png(path, picture, self._job.identity, 16, steady=True)

    def _is_whole(self, path: Path) -> bool:
        with opened(path) as source:
            if source is None or source.spec().getattribute("ImageDescription") != f"vr180-ofx {self._job.identity}":
                return False
            return source.read_image("uint8") is not None


def write_png(path: Path, picture: FloatArray | NDArray[np.uint8], identity: str = "", bits: int = 8, *, steady: bool = False) -> None:
    """picture: (h, w, 3 or 4) 0..1, unpremultiplied, or 8 bits of it as they are. steady: see `storage.AtomicFile`.

    The file is whole or not there. Raises OSError.
    """
    height, width, channels = picture.shape
    kind = "uint16" if bits == 16 else "uint8"
    spec = oiio.ImageSpec(width, height, channels, kind)
    spec.attribute("oiio:UnassociatedAlpha", 1)
    spec.attribute("png:compressionLevel", 4)
    if identity:
        spec.attribute("Description", f"vr180-ofx {identity}")
    if picture.dtype == np.uint8:
        if bits != 8:
            raise ValueError(f"the picture has 8 bits; a file of {bits} bits is made of floats")
        pixels = picture
    else:
        peak = 65535 if bits == 16 else 255
        pixels = np.clip(picture * np.float32(peak) + np.float32(0.5), 0, peak).astype(kind)
    with atomic_path(path, steady=steady) as part:
        # the format is named: what is open has a name without an ending
        writer = oiio.ImageOutput.create("png")
        if writer is None or not writer.open(str(part), spec) or not writer.write_image(pixels) or not writer.close():
            raise OSError(errno.EIO, f"{path} cannot be written: {oiio.geterror()}")
        if not png_is_whole(part):
            # the library says nothing of a full disk; the system does
            with open(part, "r+b") as stream:
                refuse_cut_off(stream)


def png_is_whole(path: Path) -> bool:
    """Whether every chunk of a PNG file is there and has its own checksum (W3C, "PNG Specification", section 5). Raises OSError."""
    data = memoryview(path.read_bytes())
    at = len(_SIGNATURE)
    if data[:at] != _SIGNATURE:
        return False
    while at + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        kind, end = bytes(data[at + 4 : at + 8]), at + 12 + size
        if end > len(data) or zlib.crc32(data[at + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            return False
        if kind == b"IEND":
            return bool(end == len(data))
        at = end
    return False
