"""A video file as the source of a clip."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from av.video.frame import VideoFrame

from vr180_ofx.errors import MediaError
from vr180_ofx.media.container import first_video, open_container
from vr180_ofx.media.contract import Clip, Source, SourceFrame
from vr180_ofx.media.files import picture_limit
from vr180_ofx.media.fingerprint import array_digest, file_fingerprint
from vr180_ofx.media.geometry import decide_geometry
from vr180_ofx.media.naming import facts_from_name
from vr180_ofx.media.on_device import on_device
from vr180_ofx.media.stream_facts import check_upright, facts_from_stream, stream_notes, stream_timecode, timecode_or_none
from vr180_ofx.media.video import FrameConverter, VideoReader
from vr180_ofx.settings import Settings
from vr180_ofx.timecode import Timecode
from vr180_ofx.vr180.layout import Layout

#: Of what `Fraction.limit_denominator` leaves above 0.
_LOWEST_RATE = Fraction(1, 1001)


class VideoSource:
    """Frames of one video file, both eyes in each."""

    def __init__(
        self, reader: VideoReader, layout: Layout, colorspace: str, notes: tuple[str, ...] = (), timecode: Timecode | None = None, *,
        device: str | None = None,
    ) -> None:  # fmt: skip
        """notes: what somebody should know of the file. timecode: of its first frame. device: see `on_device`."""
        self.path = reader.path
        self.name = reader.path.stem
        self.reader = reader
        self.layout = layout
        self._colorspace = colorspace
        self._converter = FrameConverter(layout, colorspace)
        self._device = device
        self._colour: str | None = None
        self._notes = notes
        self.timecode = timecode
        self.fps: Fraction = _rate(reader)

    @staticmethod
    def open(path: Path, settings: Settings) -> Clip:
        """Indexes the file, decodes its first frame, and decides how its pictures are laid out."""
        reader = VideoReader(path, settings.hardware.threads, limit=picture_limit(settings))
        first = first_frame(reader)
        facts = facts_from_stream(first)
        geometry = decide_geometry(first.width, first.height, facts, facts_from_name(path.stem), settings)
        check_upright(path, first, geometry)
        with open_container(path, reader.limit) as container:
            notes = stream_notes(container, first_video(container, path, reader.limit), first)
            code = stream_timecode(container)
        if reader.index.cut_off and not reader.index.lost:
            notes += ("the file is cut off after its last frame; whatever else was to follow is not in it",)
        source = VideoSource(reader, geometry.layout, settings.input.colorspace, notes)
        source.timecode = timecode_or_none(code, source.fps)
        # an unknown colour space is refused now, not in the middle of a render
        source._colour = source._converter.tags(first).describe()
        # stages read with decoders of their own, and an idle one holds half a gigabyte at 6144x3072
        reader.close()
        return Clip(source, geometry, settings)

    def __len__(self) -> int:
        return len(self.reader)

    def read(self, n: int) -> SourceFrame:
        frame = self.reader.read(n)
        if (frame.width, frame.height) != (self.layout.width, self.layout.height):
            raise MediaError(
                f"{self.path}: frame {n} is {frame.width}x{frame.height} and the clip began with "
                f"{self.layout.width}x{self.layout.height}; a clip has one size throughout"
            )
        return on_device(SourceFrame(n, self.reader.index.time_s(n), self._converter.eyes(frame)), self._device)

    @property
    def on_card(self) -> bool:
        """See `video.VideoReader.on_card`."""
        return self.reader.on_card

    def check(self, n: int) -> None:
        self.reader.check()

    def changed(self) -> bool:
        try:
            self.reader.check()
        except MediaError:
            return True
        return False

    def time_s(self, n: int) -> float:
        return self.reader.index.time_s(n)

    def lost(self) -> int:
        return self.reader.index.lost

    def notes(self) -> tuple[str, ...]:
        return self._notes

    @property
    def first_number(self) -> int:
        return 1

    def fingerprint(self) -> str:
        return f"{file_fingerprint(self.path)}-{array_digest(self.reader.index.pts)}"

    def files(self) -> list[Path]:
        return [self.path]

    def describe(self) -> dict[str, Any]:
        with open_container(self.path, self.reader.limit) as container:
            stream = first_video(container, self.path, self.reader.limit)
            audio = [_sound(s) for s in container.streams.audio]
            context = stream.codec_context
            facts = {
                "container": container.format.name,
                "codec": context.name,
                "pixel_format": context.pix_fmt,
                "frame_size": [context.width, context.height],
                "audio": audio,
                "variable_rate": self.reader.index.variable_rate,
                "declared_frames": self.reader.index.declared,
                "damaged_frames": len(self.reader.index.damaged),
            }
        # of the frame that was read when the file was opened: no decoder is begun for it
        return facts | {"colour": self._colour or "not read"}

    def reopen(self, threads: int, *, fast: bool = False, gpu: bool = False, device: str | None = None) -> Source:
        card = device if device is not None and device.startswith("cuda") else None
        reader = VideoReader(self.path, threads, fast=fast, gpu=gpu, card=card, limit=self.reader.limit)
        return VideoSource(reader, self.layout, self._colorspace, self._notes, self.timecode, device=device)

    def close(self) -> None:
        self.reader.close()


def _sound(stream: Any) -> str:
    """An audio stream in words. Of a codec that FFmpeg does not know it says nothing."""
    context = stream.codec_context
    return "of an unknown codec" if context is None else f"{context.name} {context.rate} Hz"


def first_frame(reader: VideoReader) -> VideoFrame:
    """The first frame that decodes; a damaged beginning does not hide the rest. reader: one whose frames come down."""
    error: MediaError | None = None
    for n in range(min(len(reader), 64)):
        try:
            frame = reader.read(n)
            assert isinstance(frame, VideoFrame)
            return frame
        except MediaError as problem:
            error = error or problem
    raise MediaError(f"{reader.path}: none of its first frames can be decoded; {error}")


def _rate(reader: VideoReader) -> Fraction:
    """The nominal rate: the container's word unless the times of the frames say something else."""
    index = reader.index
    if index.by_ordinal or len(index) < 2:
        return index.rate
    span = int(index.pts[-1] - index.pts[0]) * index.time_base
    measured = Fraction(len(index) - 1) / span if span > 0 else index.rate
    if abs(float(measured / index.rate) - 1) < 0.02:
        return index.rate
    common = [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)] + [
        Fraction(r) for r in (24, 25, 30, 48, 50, 60, 90, 120)
    ]
    near = min(common, key=lambda r: abs(float(measured / r) - 1))
    if abs(float(measured / near) - 1) < 0.002:
        return near
    # frames that are hours apart have a rate, too
    return max(measured.limit_denominator(1001), _LOWEST_RATE)
