"""Looking into files that were written: parts, views, layers, ranges, metadata."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio

from vr180_ofx.errors import MediaError

_PREFIX = "vr180ofx:"


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Any]:
    """An image file to look into; None when there is none that can be read, for whatever reason."""
    source = oiio.ImageInput.open(str(path)) if path.is_file() else None
    if source is None:
        oiio.geterror()
        yield None
        return
    try:
        yield source
    finally:
        source.close()


def check_exr(path: Path, identity: str) -> bool:
    """Whether ``path`` is a whole EXR of the render with this identity. Never raises: a foreign file is not ours."""
    return ends_whole(path, identity)


def ends_whole(path: Path, identity: str | None = None) -> bool:
    """Whether the first and last lines of every part of ``path`` decode: a file that was cut off has no last line. identity: that all
    parts must have. Never raises.
    """
    with opened(path) as source:
        part = 0
        while source is not None and source.seek_subimage(part, 0):
            spec = source.spec()
            if identity is not None and spec.getattribute(f"{_PREFIX}identity") != identity:
                return False
            for line in (spec.y, spec.y + spec.height - 1):
                if source.read_scanlines(part, 0, line, line + 1, 0, 0, 1, "half") is None:
                    source.geterror()
                    return False
            part += 1
        return part > 0


def inspect_image(path: Path, *, values: bool = True) -> dict[str, Any]:
    """What an image file holds: its parts with views, channels, sizes, value ranges (unless ``values`` is False) and metadata.

    Raises MediaError.
    """
    if not path.exists():
        raise MediaError(f"{path} does not exist")
    source = oiio.ImageInput.open(str(path))
    if source is None:
        raise MediaError(f"{path} is not an image that can be read: {oiio.geterror().strip().splitlines()[-1]}")
    parts = []
    try:
        number = 0
        while source.seek_subimage(number, 0):
            spec = source.spec()
            part: dict[str, Any] = {
                "part": number,
                "name": spec.getattribute("oiio:subimagename") or "",
                "view": spec.getattribute("view") or "",
                "size": [spec.width, spec.height],
                "pixel_type": str(spec.format),
                "compression": spec.getattribute("compression") or "",
                "channels": list(spec.channelnames),
                "metadata": {
                    a.name: _plain(a.value)
                    for a in spec.extra_attribs
                    if not a.name.startswith("oiio:") and a.name not in ("compression", "view", "name")
                },
            }
            if values:
                pixels = source.read_image(number, 0, 0, spec.nchannels, "float")
                if pixels is None:
                    part["damaged"] = source.geterror().strip()
                else:
                    flat = np.asarray(pixels).reshape(-1, spec.nchannels)
                    part["ranges"] = {
                        name: {"min": float(flat[:, k].min()), "max": float(flat[:, k].max()), "mean": float(flat[:, k].mean())}
                        for k, name in enumerate(spec.channelnames)
                    }
            parts.append(part)
            number += 1
    finally:
        source.close()
    return {"path": str(path), "bytes": path.stat().st_size, "parts": parts}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value if isinstance(value, (str, int, float, list)) else list(value) if isinstance(value, tuple) else str(value)
