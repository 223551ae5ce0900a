"""One image file by OpenImageIO: its size before its pixels, and pixels only when all of them are there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio

from vr180_ofx.arrays import Array, shapes_repr
from vr180_ofx.errors import MediaError
from vr180_ofx.media.contract import ColourTags
from vr180_ofx.media.files import check_file, check_picture, picture_limit, readable
from vr180_ofx.vr180.layout import LEFT

#: What a picture takes while it is read, in its own size: the decoder's copy and ours.
_COPIES = 2
_KINDS = ("uint8", "uint16", "half", "float")
_BYTES = {"uint8": 1, "uint16": 2, "half": 2, "float": 4}


@dataclass(frozen=True, slots=True)
class ImageViews:
    """An image file: view -> (h, w, 3) pixels in the file's own type, and what its header says.

    fps: frames a second, None where the header is silent; so of ``projection``. notes: what somebody should know of it. timecode: the bits
    of the header, see `Timecode.of_header`.
    """

    views: dict[str, Array]
    tags: ColourTags
    fps: Fraction | None
    projection: str | None
    notes: tuple[str, ...] = ()
    timecode: int | None = None

    def __repr__(self) -> str:
        return shapes_repr(self)


@contextlib.contextmanager
def open_image(path: Path) -> Iterator[Any]:
    """OpenImageIO's reader of an ordinary file. Raises MediaError for whatever else it is."""
    check_file(path)
    with readable(path) as name:
        source = oiio.ImageInput.open(name)
        if source is None:
            lines = oiio.geterror().strip().splitlines() or ["unknown format"]
            raise MediaError(f"{path} is not an image that can be read: {lines[-1].replace(name, str(path))}")
        try:
            yield source
        finally:
            source.close()


def read_pixels(source: Any, path: Path, part: int, channels: tuple[int, int], *, kind: str, limit: int) -> Array:
    """Some channels (the first, and one past the last) of one part of an open image, (h, w, channels), of type ``kind``.

    Raises ResourceError, before anything is decoded, when that takes more than ``limit`` bytes, and MediaError when any of it is missing:
    what a decoder makes up for lost lines is no picture.
    """
    spec = source.spec()
    low, high = channels
    width, height = max(spec.width, spec.full_width), max(spec.height, spec.full_height)
    check_picture(path, width, height, _COPIES * width * height * (high - low) * _BYTES[kind], limit)
    pixels = source.read_image(part, 0, low, high, kind)
    # some readers fill what is missing with grey and only say that they did (JPEG)
    if pixels is None or source.has_error:
        words = " ".join(source.geterror().split()) or "its data is cut off or damaged"
        raise MediaError(f"{path} is damaged: {words}")
    made: Array = np.asarray(pixels).reshape(spec.height, spec.width, high - low)
    return made


def read_size(path: Path) -> tuple[int, int]:
    """(width, height) as the header says, display window included. Raises MediaError."""
    with open_image(path) as source:
        spec = source.spec()
        return spec.full_width or spec.width, spec.full_height or spec.height


def read_views(path: Path, limit: int | None = None, size: tuple[int, int] | None = None) -> ImageViews:
    """Reads the colour of every view of an image, by parts (``view`` attribute) or by channel names (``right.R``).

    limit: bytes that a picture may take, see `picture_limit`. size: (width, height) that it must have. Raises MediaError, ResourceError.
    """
    limit = picture_limit() if limit is None else limit
    with open_image(path) as source:
        views: dict[str, Array] = {}
        first = source.spec()
        names = list(first.getattribute("multiView") or [])
        part = 0
        while source.seek_subimage(part, 0):
            spec = source.spec()
            own = spec.getattribute("view")
            for view, picks in _colour_channels(list(spec.channelnames), names if own is None else [], own).items():
                if view in views:
                    continue
                found = spec.full_width or spec.width, spec.full_height or spec.height
                if size is not None and found != size:
                    raise MediaError(f"{path} is {found[0]}x{found[1]} and the clip began with {size[0]}x{size[1]}; a clip has one size")
                low, high = min(picks), max(picks) + 1
                kind = str(spec.format)
                pixels = read_pixels(source, path, part, (low, high), kind=kind if kind in _KINDS else "float", limit=limit)
                chosen = [p - low for p in picks]
                if chosen != [0, 1, 2] or high - low != 3:
                    pixels = pixels[..., chosen]
                views[view] = np.ascontiguousarray(placed(pixels, spec))
            part += 1
        if not views:
            raise MediaError(f"{path} has no colour channels; it has {', '.join(first.channelnames)}")
        fps, notes = _rate(first.getattribute("FramesPerSecond"))
        transfer = "linear" if path.suffix.lower() in (".exr", ".hdr") else "srgb"
        assumed = () if transfer == "linear" else ("transfer",)
        said, where = first.getattribute("colorInteropID"), first.getattribute("chromaticities")
        tags = ColourTags(
            "rgb", True, transfer, "bt709", None, assumed,
            interop_id=said if isinstance(said, str) else "",
            chromaticities=tuple(map(float, where)) if isinstance(where, tuple) and len(where) == 8 else (),
        )  # fmt: skip
        projection = first.getattribute("projection")
        return ImageViews(views, tags, fps, projection if isinstance(projection, str) else None, notes, _timecode_bits(first))


def _timecode_bits(spec: Any) -> int | None:
    value = spec.getattribute("smpte:TimeCode")
    # DPX has all bits set where it has none
    return int(value[0]) if isinstance(value, tuple) and len(value) == 2 and value[0] != 0xFFFFFFFF else None


def _rate(value: Any) -> tuple[Fraction | None, tuple[str, ...]]:
    """Frames a second, None where the header says nothing that can be; and what is to be said of that."""
    if value is None:
        return None, ()
    if isinstance(value, tuple) and len(value) == 2 and value[1] and Fraction(*value) > 0:
        return Fraction(*value), ()
    text = "/".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return None, (f"the files' frame rate is {text}, which is no rate; input.frame_rate sets one",)


def placed(pixels: Array, spec: Any) -> Array:
    """A data window smaller than the display window is put into place. pixels: (h, w, channels) of an image of this header."""
    full_w, full_h = spec.full_width or spec.width, spec.full_height or spec.height
    dx, dy = spec.x - spec.full_x, spec.y - spec.full_y
    if (full_w, full_h, dx, dy) == (spec.width, spec.height, 0, 0):
        return pixels
    whole = np.zeros((full_h, full_w, pixels.shape[2]), pixels.dtype)
    x0, y0 = max(dx, 0), max(dy, 0)
    x1, y1 = min(dx + spec.width, full_w), min(dy + spec.height, full_h)
    if x1 > x0 and y1 > y0:
        whole[y0:y1, x0:x1] = pixels[y0 - dy : y1 - dy, x0 - dx : x1 - dx]
    return whole


def _colour_channels(channels: list[str], views: list[str], own: str | None) -> dict[str, list[int]]:
    """view -> positions of its R, G and B (or one grey channel thrice)."""
    out: dict[str, list[int]] = {}
    for k, view in enumerate(views or [own or LEFT]):
        prefixes = [f"{view}."] + ([""] if k == 0 else [])
        for prefix in prefixes:
            place = {c.lower(): i for i, c in enumerate(channels)}
            rgb = [place.get(f"{prefix}{c}".lower()) for c in "RGB"]
            if all(p is not None for p in rgb):
                out[view] = [int(p) for p in rgb if p is not None]
                break
            for grey in ("Y", "I", "A", "L", "channel0"):
                position = place.get(f"{prefix}{grey}".lower())
                if position is not None:
                    out[view] = [position] * 3
                    break
            if view in out:
                break
    return out
