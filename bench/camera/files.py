"""Video files of the benchmark: clips as cameras write them, truth without loss."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import numpy as np
from numpy.typing import NDArray

from bench.scenes.contract import Sensor

Codes = NDArray[np.uint16]


class _VideoFile:
    """A file of one stream of pictures: the same frames, the same bytes. Ends when its block does. flags: of the container, beside that."""

    def __init__(self, path: Path, codec: str, fps: int, *, flags: Mapping[str, str] | None = None, **options: str) -> None:
        self._container = av.open(str(path), "w", options={"fflags": "+bitexact", **(flags or {})})
        self._stream: Any = self._container.add_stream(codec, rate=Fraction(fps), options=options)

    def _encode(self, frame: av.VideoFrame | None) -> None:
        """None: there are no more."""
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def close(self) -> None:
        """Ends the file."""
        self._encode(None)
        self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class TruthFile(_VideoFile):
    """Frames of 16 bits in FFV1: grey (h, w), or three channels (h, w, 3) as gbrp16le. Counts the SHA-256 of what decoding gives."""

    def __init__(self, path: Path, fps: int, *, colour: bool) -> None:
        self.path, self.colour, self.digest = path, colour, hashlib.sha256()
        super().__init__(path, "ffv1", fps, level="3", slicecrc="1", context="0")
        self._stream.pix_fmt = "gbrp16le" if colour else "gray16le"
        self._sized = False

    def write(self, codes: Codes) -> None:
        """One frame."""
        codes = np.ascontiguousarray(codes, "<u2")
        self.digest.update(codes.tobytes())
        if not self._sized:
            self._stream.height, self._stream.width = codes.shape[:2]
            self._sized = True
        frame = planes(codes) if self.colour else av.VideoFrame.from_ndarray(codes, format="gray16le")
        self._encode(frame)


def planes(codes: Codes) -> av.VideoFrame:
    """RGB codes (h, w, 3) as a frame of gbrp16le."""
    height, width = codes.shape[:2]
    frame = av.VideoFrame(width, height, "gbrp16le")
    for plane, channel in zip(frame.planes, (1, 2, 0), strict=True):
        rows = np.zeros((height, plane.line_size // 2), "<u2")
        rows[:, :width] = codes[..., channel]
        plane.update(rows.tobytes())
    return frame


def read_truth(path: Path) -> Iterator[Codes]:
    """The frames of a truth file: (h, w) or (h, w, 3)."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.format.name == "gray16le":
                yield np.asarray(frame.to_ndarray(), np.uint16)
                continue
            out = np.empty((frame.height, frame.width, 3), np.uint16)
            for plane, channel in zip(frame.planes, (1, 2, 0), strict=True):
                rows = np.frombuffer(bytes(plane), "<u2").reshape(frame.height, plane.line_size // 2)
                out[..., channel] = rows[:, : frame.width]
            yield out


class Clip(_VideoFile):
    """The clip that a method gets: both eyes side by side, as a camera codes them."""

    def __init__(self, path: Path, sensor: Sensor, *, fps: int, width: int, height: int) -> None:
        self.sensor = sensor
        super().__init__(path, "libx264" if sensor.codec == "h264" else "libx265", fps, flags={"movflags": "+faststart"})
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = "yuv420p" if sensor.bits == 8 else "yuv420p10le"
        self._stream.bit_rate = int(sensor.megabits * 1e6 * width * height / (2048 * 1024))
        wide = sensor.transfer == "hlg"
        context = self._stream.codec_context
        # numbers of ITU-T H.273: matrix, primaries, transfer
        context.colorspace, context.color_primaries, context.color_trc = (9, 9, 18) if wide else (1, 1, 1)
        context.color_range = 1
        # one thread: the same seed, the same file
        options = {"preset": "medium", "threads": "1"}
        if sensor.codec == "hevc":
            options = {"preset": "fast", "x265-params": "log-level=error:pools=none:frame-threads=1"}
            context.codec_tag = "hvc1"
        context.options = options

    def write(self, signal: NDArray[np.float32]) -> None:
        """One frame of signal 0..1 (h, w, 3), both eyes."""
        codes = np.asarray(np.rint(np.clip(signal, 0, 1) * 65535), np.uint16)
        frame = av.VideoFrame.from_ndarray(codes, format="rgb48le")
        matrix = "bt2020" if self.sensor.transfer == "hlg" else "itu709"
        made = frame.reformat(format=self._stream.pix_fmt, dst_colorspace=matrix, src_color_range="JPEG", dst_color_range="MPEG")
        self._encode(made)


def read_clip(path: Path, *, bt2020: bool) -> Iterator[NDArray[np.float32]]:
    """The frames of a clip as signal 0..1 (h, w, 3)."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            # swscale's short way from 4:2:0 to RGB loses two codes
            whole = frame.reformat(format="yuv444p10le" if "10" in frame.format.name else "yuv444p")
            made = whole.reformat(
                format="rgb48le", src_colorspace="bt2020" if bt2020 else "itu709", src_color_range="MPEG", dst_color_range="JPEG"
            )
            yield np.asarray(made.to_ndarray() / np.float32(65535), np.float32)
