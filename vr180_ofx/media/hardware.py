"""Decoding by the graphics card, by what FFmpeg was built with."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.video.format import VideoFormat
from av.video.frame import VideoFrame

from vr180_ofx.arrays import Array

log = logging.getLogger(__name__)
#: The kinds of device whose decoders give the same pictures as FFmpeg's own, the most common first.
_KINDS = ("cuda", "videotoolbox", "d3d11va", "vaapi")
#: FFmpeg's names for 4:2:0 in planes of their own, by the bits of a sample.
_PLANAR = {8: "yuv420p", 10: "yuv420p10le", 12: "yuv420p12le", 16: "yuv420p16le"}
_refused: set[str] = set()
#: Files of which it was said already that the CPU decodes them.
_told: set[Path] = set()


def accelerators() -> list[str]:
    """The kinds of device that FFmpeg was built for and that have not turned out to be absent."""
    built = hwdevices_available()
    return [k for k in _KINDS if k in built and k not in _refused]


def open_accelerated(path: str, device: str | None = None) -> av.container.InputContainer | None:
    """The file, with a decoder on the graphics card; None when there is none.

    device: where frames stay, a CUDA device with its number; None: they come down to the CPU's memory.

    A stream that the card cannot decode (10 bit H.264, ProRes, more pixels than it takes) is decoded by the CPU all the same.
    """
    for kind in accelerators():
        if device is not None and kind != "cuda":
            continue
        try:
            return av.open(path, metadata_errors="replace", hwaccel=_accelerator(kind, device))
        # TypeError: of a PyAV that has no frames that stay
        except (av.error.FFmpegError, OSError, RuntimeError, NotImplementedError, ValueError, TypeError) as error:
            # once: the driver will not come in the middle of a render
            _refused.add(kind)
            log.warning("hardware.decoder: %s cannot be used here (%s); the CPU decodes", kind, error)
    return None


def _accelerator(kind: str, device: str | None) -> HWAccel:
    if device is None:
        return HWAccel(kind, allow_software_fallback=True)
    return HWAccel(kind, device.partition(":")[2] or "0", allow_software_fallback=True, is_hw_owned=True)


def say_once(path: Path, why: str) -> None:
    """That a file is decoded by the CPU although the graphics card was asked for."""
    if path not in _told:
        _told.add(path)
        log.warning("hardware.decoder: the graphics card does not decode %s (%s); the CPU does", path.name, why)


@dataclass(frozen=True, slots=True, repr=False)
class CardFrame:
    """A decoded frame whose planes are tensors of our own; else as PyAV's. format: of the planes.

    colorspace, color_range, color_trc, color_primaries: FFmpeg's numbers. planes: luma and two of chroma, see `Surfaces.take`.
    """

    planes: tuple[Array, Array, Array]
    format: VideoFormat
    width: int
    height: int
    pts: int | None
    is_corrupt: bool
    colorspace: int
    color_range: int
    color_trc: int
    color_primaries: int


class CardFrames:
    """Takes frames off a decoder that leaves them on its device."""

    def __init__(self, device: str) -> None:
        """device: where the decoder puts its frames, with its number."""
        from vr180_ofx.imaging.on_torch.upload import Surfaces

        self._surfaces = Surfaces(device)

    def taken(self, frame: VideoFrame, bits: int) -> CardFrame:
        """bits: of the stream's samples. Raises UnreadableSurface for frames whose planes cannot be had."""
        if frame.width % 2 or frame.height % 2 or len(frame.planes) != 2:
            raise UnreadableSurface(f"it gives {len(frame.planes)} planes of {frame.width}x{frame.height} pixels")
        try:
            planes: Any = self._surfaces.take(*frame.planes, bits, frame)
        except (NotImplementedError, AttributeError, TypeError, ValueError, BufferError) as error:
            raise UnreadableSurface(str(error)) from None
        if tuple(planes[1].shape) != (frame.height // 2, frame.width // 2):
            raise UnreadableSurface("its colour is not half of the picture in each direction (4:2:0)")
        plain = VideoFormat(_PLANAR[8 if planes[0].element_size() == 1 else bits], frame.width, frame.height)
        return CardFrame(
            planes, plain, frame.width, frame.height, frame.pts, frame.is_corrupt, int(frame.colorspace), int(frame.color_range),
            int(frame.color_trc), int(frame.color_primaries),
        )  # fmt: skip

    def close(self) -> None:
        self._surfaces.close()


class UnreadableSurface(Exception):
    """Frames of a decoder on a graphics card whose planes cannot be had; the CPU can decode them."""
