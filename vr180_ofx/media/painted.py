"""A picture in which somebody painted a matte: what they said, and where they said nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vr180_ofx.arrays import FloatArray, shapes_repr
from vr180_ofx.errors import MediaError
from vr180_ofx.media.files import picture_limit
from vr180_ofx.media.images import open_image, placed, read_pixels

#: How far the three colours of a grey may be apart: a step of the coarsest chroma of JPEG at the qualities that people use is less.
_GREY = 8 / 255
#: Of grey in three channels (BT.709).
_LUMA = (0.2126, 0.7152, 0.0722)


@dataclass(frozen=True, slots=True)
class Painted:
    """value: how much of a pixel is somebody's, times said. said: how far the picture says it; the rest is as it was.

    Both are (h, w) float32, 0..1, and ``value`` is at most ``said``.
    """

    value: FloatArray
    said: FloatArray

    def __repr__(self) -> str:
        return shapes_repr(self)


def read_painted(path: Path, limit: int | None = None) -> Painted:
    """Reads a painted matte: grey where it is opaque, 1 is theirs and 0 is not, and transparent where it says nothing. A picture without
    alpha says it of all its pixels. Values are shares of the largest one, as the file has them: no transfer function is undone.

    limit: bytes that a picture may take, see `picture_limit`. Raises MediaError, also for colours and for what is transparent everywhere,
    and ResourceError.
    """
    limit = picture_limit() if limit is None else limit
    with open_image(path) as source:
        spec = source.spec()
        names = [name.rsplit(".", 1)[-1].lower() for name in spec.channelnames]
        # alpha comes associated: colours are times alpha (OpenImageIO's convention)
        pixels = placed(read_pixels(source, path, 0, (0, len(names)), kind="float", limit=limit), spec)
    if not np.isfinite(pixels).all():
        raise MediaError(f"{path} holds values that are no numbers")
    chosen = [names.index(c) for c in ("r", "g", "b") if c in names]
    rest = [k for k, name in enumerate(names) if name != "a"]
    if len(chosen) != 3:
        chosen = rest
    if len(chosen) not in (1, 3):
        raise MediaError(f"{path} has the channels {', '.join(spec.channelnames)}; a painted matte is grey, or RGB, with alpha or without")
    said = np.clip(pixels[..., names.index("a")], 0, 1) if "a" in names else np.ones(pixels.shape[:2], np.float32)
    if not said.any():
        raise MediaError(f"{path} is transparent everywhere, so that it says nothing; what is opaque in a painted matte counts")
    colours = np.clip(pixels[..., chosen], 0, 1)
    if len(chosen) == 3 and float((colours.max(axis=-1) - colours.min(axis=-1)).max()) > _GREY:
        raise MediaError(
            f"{path} has colours; a painted matte is grey: white is theirs, black is not, and what is transparent is left as it was"
        )
    grey = colours @ np.array(_LUMA, np.float32) if len(chosen) == 3 else colours[..., 0]
    value = np.minimum(grey, said)
    return Painted(np.ascontiguousarray(value, np.float32), np.ascontiguousarray(said, np.float32))
