"""Decoding by the graphics card, by what FFmpeg was built with."""

from __future__ import annotations

import logging

import av
from av.codec.hwaccel import HWAccel, hwdevices_available

log = logging.getLogger(__name__)
#: The kinds of device whose decoders give the same pictures as FFmpeg's own, the most common first.
_KINDS = ("cuda", "videotoolbox", "d3d11va", "vaapi")
_refused: set[str] = set()


def accelerators() -> list[str]:
    """The kinds of device that FFmpeg was built for and that have not turned out to be absent."""
    built = hwdevices_available()
    return [k for k in _KINDS if k in built and k not in _refused]


def open_accelerated(path: str) -> av.container.InputContainer | None:
    """The file, with a decoder on the graphics card; None when there is none. Its frames come down to the CPU's memory.

    A stream that the card cannot decode (10 bit H.264, ProRes, more pixels than it takes) is decoded by the CPU all the same.
    """
    for kind in accelerators():
        try:
            return av.open(path, metadata_errors="replace", hwaccel=HWAccel(kind, allow_software_fallback=True))
        except (av.error.FFmpegError, OSError, RuntimeError, NotImplementedError, ValueError) as error:
            # once: the driver will not come in the middle of a render
            _refused.add(kind)
            log.warning("hardware.decoder: %s cannot be used here (%s)", kind, error)
    return None
