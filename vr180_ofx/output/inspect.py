"""Looking into files that were written: parts, views, layers, ranges, metadata."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from vr180_ofx.errors import MediaError
from vr180_ofx.media.files import check_picture, picture_limit
from vr180_ofx.media.images import open_image

_PREFIX = "vr180ofx:"
#: Of pixels as float32 that are looked at together.
_BAND_BYTES = 64 << 20


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Any]:
    """An image file to look into; None when there is none that can be read, for whatever reason."""
    with contextlib.ExitStack() as stack:
        try:
            source = stack.enter_context(open_image(path))
        except (MediaError, OSError):
            source = None
        yield source


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
    """What an image file holds: its parts with views, channels, sizes, colour spaces, value ranges (unless ``values`` is False), metadata.

    ``damaged`` lists what cannot be read of it; empty for a whole file, of which all pixels were decoded. Raises MediaError when nothing
    can be read, ResourceError for a picture that does not fit into memory.
    """
    parts = []
    with open_image(path) as source:
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
                "colour_space": colour_space(spec),
                "cryptomatte": cryptomattes(spec),
                "channels": list(spec.channelnames),
                "metadata": {
                    a.name: _plain(a.value)
                    for a in spec.extra_attribs
                    if not a.name.startswith("oiio:") and a.name not in ("compression", "view", "name")
                },
            }
            if values:
                try:
                    part["ranges"] = _ranges(source, path, number)
                except MediaError as error:
                    part["damaged"] = str(error)
            parts.append(part)
            number += 1
        # a part whose header cannot be reached is not told from one that is not there, but for what is said of it
        rest = " ".join(source.geterror().split())
    damaged = [part["damaged"] for part in parts if "damaged" in part]
    if not parts:
        damaged.append(f"{path} is damaged: {rest or 'it holds no picture'}")
    return {"path": str(path), "bytes": path.stat().st_size, "parts": parts, "damaged": damaged}


def cryptomattes(spec: Any) -> list[dict[str, Any]]:
    """What a part holds of Cryptomatte: the name of each, its levels, and the names in its manifest. Of any program's files."""
    found = []
    for attribute in spec.extra_attribs:
        key, _, last = attribute.name.rpartition("/")
        if not key.startswith("cryptomatte/") or last != "name":
            continue
        name = str(attribute.value)
        layers = {c.rpartition(".")[0] for c in spec.channelnames if re.fullmatch(rf"{re.escape(name)}[0-9]+\..+", c)}
        try:
            names = list(json.loads(str(spec.getattribute(f"{key}/manifest"))))
        except (ValueError, RecursionError):
            names = []
        found.append({"name": name, "levels": 2 * len(layers), "names": names})
    return found


def colour_space(spec: Any) -> str:
    """What an image's header says of the colour space of its R, G and B: the attribute that programs go by, and what is said for people."""
    named = spec.getattribute("colorInteropID") or spec.getattribute("oiio:ColorSpace") or ""
    told = spec.getattribute(f"{_PREFIX}colour") or ""
    if not named and spec.getattribute("chromaticities"):
        named = f"light with the chromaticities {', '.join(f'{v:.4g}' for v in spec.getattribute('chromaticities'))}"
    return f"{named} ({told})" if named and told else str(named or told or "not said")


def _ranges(source: Any, path: Path, part: int) -> dict[str, dict[str, float]]:
    """channel -> min, max and mean of the part that is open; band by band, so that a large picture takes little memory.

    Raises MediaError when any of it is missing.
    """
    spec = source.spec()
    count, width = spec.nchannels, spec.width
    # decoders that cannot read bands hold the picture in its own size
    check_picture(path, width, spec.height, width * spec.height * spec.pixel_bytes(), picture_limit())
    tall = spec.tile_height or max(1, _BAND_BYTES // max(1, width * count * 4))
    least, most, total = np.full(count, np.inf), np.full(count, -np.inf), np.zeros(count)
    for row in range(spec.y, spec.y + spec.height, tall):
        end = min(row + tall, spec.y + spec.height)
        if spec.tile_width:
            band = source.read_tiles(part, 0, spec.x, spec.x + width, row, end, spec.z, spec.z + 1, 0, count, "float")
        else:
            band = source.read_scanlines(part, 0, row, end, spec.z, 0, count, "float")
        if band is None or source.has_error:
            raise MediaError(f"{path} is damaged: {' '.join(source.geterror().split()) or 'its data is cut off'}")
        flat = np.asarray(band).reshape(-1, count)
        # what is not a number is said as such
        with np.errstate(invalid="ignore"):
            least, most = np.minimum(least, flat.min(axis=0)), np.maximum(most, flat.max(axis=0))
            total += flat.sum(axis=0, dtype=np.float64)
    mean = total / (width * spec.height)
    return {n: {"min": float(least[k]), "max": float(most[k]), "mean": float(mean[k])} for k, n in enumerate(spec.channelnames)}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value if isinstance(value, (str, int, float, list)) else list(value) if isinstance(value, tuple) else str(value)
