"""Pictures and frames of videos as arrays, by way of the cache."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np

from vr180_ofx.arrays import Array, BoolArray
from vr180_ofx.errors import MediaError
from vr180_ofx.imaging.encode import read_image
from vr180_ofx.imaging.resize import block_means
from vr180_ofx.media.container import first_video, open_container
from vr180_ofx.training.data.cache import shared

IMAGES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
VIDEOS = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v")


def images_in(folder: Path) -> list[Path]:
    """The images of a folder, by name; hidden files are none."""
    return sorted(f for f in folder.iterdir() if f.suffix.lower() in IMAGES and not f.name.startswith("."))


def image(path: Path, least: int = 0) -> Array:
    """(h, w) or (h, w, 3 or 4), uint8 or uint16. least: its sides are halved, thirded and so on as long as both keep so many pixels."""
    return shared().get(path, f"image {least}", lambda: smaller(_integers(read_image(path), path), least))


def smaller(picture: Array, least: int) -> Array:
    """Averaged in blocks, as long as both sides keep ``least`` pixels; 0 leaves it as it is."""
    factor = min(picture.shape[:2]) // least if least else 1
    return picture if factor < 2 else np.asarray(block_means(picture, factor, factor))


def _integers(picture: Array, path: Path) -> Array:
    if picture.dtype in (np.uint8, np.uint16):
        return picture
    raise MediaError(f"{path} holds {picture.dtype}; pictures of 8 or 16 bits are read")


def rgb(picture: Array) -> Array:
    """(h, w, 3) uint8."""
    if picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, axis=-1)
    return eight_bits(picture[..., :3])


def above(picture: Array, value: int) -> BoolArray:
    """Where a picture has more."""
    return np.asarray(np.greater(picture, value), bool)


def eight_bits(picture: Array) -> Array:
    return picture if picture.dtype == np.uint8 else ((picture.astype(np.uint32) + 128) // 257).astype(np.uint8)


def grey(picture: Array) -> Array:
    """(h, w): transparency where a picture has one, else the first channel."""
    if picture.ndim == 2:
        return picture
    return np.ascontiguousarray(picture[..., 3] if picture.shape[2] == 4 else picture[..., 0])


class Video:
    """The frames of a video, by their place in the order of presentation. Raises MediaError when it is none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with open_container(path) as container:
            stream = first_video(container, path)
            #: Times of presentation, and those among them from which decoding can begin.
            packets = [p for p in container.demux(stream) if p.pts is not None]
            self.times = sorted({int(p.pts) for p in packets if p.pts is not None})
            keys = sorted({int(p.pts) for p in packets if p.is_keyframe and p.pts is not None})
        if not self.times:
            raise MediaError(f"{path} has no frames")
        self._keys = keys

    def __len__(self) -> int:
        return len(self.times)

    def frames(self, numbers: Sequence[int], least: int = 0) -> list[Array]:
        """uint8 (h, w, 3), or uint16 where the file has 16 bits: (h, w), (h, w, 3). least: see `image`. Raises MediaError."""
        decoded: dict[int, Array] = {}

        def load(number: int) -> Array:
            if number not in decoded:
                last = max(n for n in numbers if n - number < len(numbers) or n == number)
                decoded.update(self.decode(number, max(number, last)))
            return smaller(decoded[number], least)

        return [shared().get(self.path, f"frame {n} {least}", lambda n=n: load(n)) for n in numbers]  # type: ignore[misc]

    def decode(self, first: int, last: int) -> dict[int, Array]:
        """These frames, the last one included, past the cache. Raises MediaError."""
        wanted = {self.times[n]: n for n in range(first, last + 1)}
        start = max((k for k in self._keys if k <= self.times[first]), default=self.times[0])
        found: dict[int, Array] = {}
        try:
            with open_container(self.path) as container:
                stream = first_video(container, self.path)
                stream.codec_context.thread_count = 1
                container.seek(start, stream=stream)
                for frame in container.decode(stream):
                    if frame.pts in wanted:
                        found[wanted[frame.pts]] = _pixels(frame)
                        if len(found) == len(wanted):
                            break
        except av.error.FFmpegError as error:
            raise MediaError(f"{self.path}: frames {first} to {last} cannot be decoded ({error.strerror})") from None
        missing = [n for n in wanted.values() if n not in found]
        if missing:
            raise MediaError(f"{self.path}: frame {missing[0]} cannot be decoded")
        return found


def _pixels(frame: av.VideoFrame) -> Array:
    name = frame.format.name
    if name == "gray16le":
        return np.asarray(frame.to_ndarray(), np.uint16)
    if name == "gbrp16le":
        return _planes(frame)
    if name in ("gray", "gray8"):
        return np.asarray(frame.to_ndarray(), np.uint8)
    # ITU-T H.273: 9 and 10 are BT.2020's matrices, 5 and 6 those of BT.601; what says nothing is as its size suggests
    said = int(frame.colorspace)
    matrix = "bt2020" if said in (9, 10) else "itu601" if said in (5, 6) or (said == 2 and frame.height < 600) else "itu709"
    # swscale's short way from 4:2:0 to RGB loses two codes
    whole = frame.reformat(format="yuv444p") if name.startswith("yuv") else frame
    return np.asarray(whole.reformat(format="rgb24", src_colorspace=matrix).to_ndarray(), np.uint8)


def _planes(frame: av.VideoFrame) -> Array:
    out = np.empty((frame.height, frame.width, 3), np.uint16)
    for plane, channel in zip(frame.planes, (1, 2, 0), strict=True):
        rows: Any = np.frombuffer(bytes(plane), "<u2").reshape(frame.height, plane.line_size // 2)
        out[..., channel] = rows[:, : frame.width]
    return out
