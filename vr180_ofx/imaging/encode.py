"""Pictures as files, and back: JPEG, PNG, and whatever OpenCV reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vr180_ofx.arrays import Array, ByteArray
from vr180_ofx.errors import MediaError, OutputError


def jpeg(rgb: ByteArray, quality: int) -> bytes:
    """rgb: (h, w, 3). quality: 0..100."""
    return _encoded(".jpg", np.ascontiguousarray(rgb[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])


def png(grey: Array, level: int = 1) -> bytes:
    """grey: (h, w) uint8 or uint16. level: of compression, 0..9."""
    return _encoded(".png", grey, [cv2.IMWRITE_PNG_COMPRESSION, level])


def _encoded(ending: str, pixels: Array, how: list[int]) -> bytes:
    ok = False
    if pixels.size:
        ok, data = cv2.imencode(ending, pixels, how)
    if not ok:
        raise OutputError(f"a picture of {pixels.shape} {pixels.dtype} cannot be written as {ending[1:]}")
    made: bytes = data.tobytes()
    return made


def read_image(path: Path) -> Array:
    """(h, w), (h, w, 3) or (h, w, 4), in the file's own type; red first. Raises MediaError."""
    pixels: Any = cv2.imread(str(path), cv2.IMREAD_UNCHANGED | cv2.IMREAD_ANYDEPTH)
    if pixels is None:
        raise MediaError(f"{path} cannot be read as an image")
    return _red_first(pixels)


def decoded_png(data: bytes) -> Array:
    """As `read_image`, of a file's bytes; JPEG is read, too. Raises MediaError."""
    pixels: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
    if pixels is None:
        raise MediaError(f"{len(data)} bytes cannot be read as an image")
    return _red_first(pixels)


def _red_first(pixels: Any) -> Array:
    """As OpenCV has them, blue first, the other way round."""
    made: Array = pixels if pixels.ndim == 2 else pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
    return made
