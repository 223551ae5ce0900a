"""Video outputs: greenscreen or alpha as H.264 or HEVC, with the source's audio copied and its timing kept.

The file appears when it is finished; before that it is a hidden file that nothing reads.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame

from vr180_ofx.engine.frame import Frame
from vr180_ofx.media.errors import MediaError
from vr180_ofx.media.picture import SourceFrame
from vr180_ofx.output.pictures import over_colour, together
from vr180_ofx.output.writer import Job
from vr180_ofx.vr180.projection import FloatArray

_CODECS = {"h264": "libx264", "hevc": "libx265"}
#: Ticks per second of the output: divides all common rates and 90 kHz.
_TIME_BASE = Fraction(1, 90_000)


class VideoOutput:
    """See `output.writer.Writer`."""

    needs_source = True
    resumable = False
    parallel = 1

    def __init__(self, job: Job) -> None:
        self._job = job
        self._views = job.clip.views if not job.settings.output.maintain_sbs and len(job.clip.views) > 1 else ("",)
        self._files: dict[str, _VideoFile] = {}
        self.needs_source = job.settings.output.format == "greenscreen"

    def paths(self, index: int) -> list[Path]:
        kind = "greenscreen" if self.needs_source else "alpha"
        return [self._job.stem.with_name(f"{self._job.name}_{kind}{'_' + v if v else ''}.mp4") for v in self._views]

    def present(self, index: int) -> bool:
        if not all(p.exists() for p in self.paths(index)):
            return False
        return all(_comment(p) == self._job.identity for p in self.paths(index))

    def write(self, frame: Frame, source: SourceFrame | None) -> None:
        if self.needs_source:
            assert source is not None
            eyes = over_colour(frame, source, self._job.settings.output.background_color)
        else:
            eyes = {v: np.repeat(m.alpha[..., None], 3, axis=-1) for v, m in frame.views.items()}
        pictures = {"": together(eyes, self._job.clip.geometry.layout)} if self._views == ("",) else eyes
        for view, path in zip(self._views, self.paths(0), strict=True):
            file = self._files.get(view)
            if file is None:
                file = self._files[view] = _VideoFile(self._job, path, pictures[view].shape[1], pictures[view].shape[0])
            file.add(pictures[view], frame.index)

    def skip(self, index: int) -> None:
        """The frame before is shown longer: times are kept, nothing slides."""

    def finish(self) -> list[str]:
        notes = []
        for file in self._files.values():
            notes += file.finish()
        return notes

    def abort(self) -> None:
        for file in self._files.values():
            file.abort()


class _VideoFile:
    def __init__(self, job: Job, path: Path, width: int, height: int) -> None:
        self._job, self.path = job, path
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=".part.mp4", dir=path.parent)
        os.close(handle)
        self._part = Path(name)
        self._container = av.open(name, "w", options={"movflags": "+faststart+use_metadata_tags"})
        self._container.metadata["comment"] = job.identity
        output = job.settings.output
        # 4:2:0 needs even sides: an odd last row or column is repeated
        self._width, self._height = width + width % 2, height + height % 2
        stream: Any = self._container.add_stream(_CODECS[output.video_codec], rate=job.fps.limit_denominator(100_000))
        stream.width, stream.height = self._width, self._height
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = _TIME_BASE
        stream.codec_context.options = {"crf": str(output.video_quality), "preset": "fast"} | (
            {"x265-params": "log-level=error"} if output.video_codec == "hevc" else {}
        )
        # BT.709, limited range: H.273 code points
        stream.codec_context.colorspace = stream.codec_context.color_primaries = stream.codec_context.color_trc = 1
        stream.codec_context.color_range = 1
        if output.video_codec == "hevc":
            stream.codec_context.codec_tag = "hvc1"
        self._stream = stream
        self._audio = _AudioCopy(job, self._container) if job.settings.audio.preserve_audio and _has_audio(job) else None
        self._times: list[int] = []
        self._origin = job.clip.time_s(job.frames[0])

    def add(self, picture: FloatArray, index: int) -> None:
        pixels = np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)
        if pixels.shape[:2] != (self._height, self._width):
            pixels = np.pad(pixels, ((0, self._height - pixels.shape[0]), (0, self._width - pixels.shape[1]), (0, 0)), "edge")
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24").reformat(
            format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG"
        )
        frame.pts = round(Fraction(self._job.clip.time_s(index) - self._origin).limit_denominator(10**6) / _TIME_BASE)
        frame.time_base = _TIME_BASE
        self._times.append(frame.pts)
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def finish(self) -> list[str]:
        """Flushes, copies the sound, checks what was written against what was meant, and gives the file its name."""
        for packet in self._stream.encode(None):
            self._container.mux(packet)
        notes = []
        if self._audio is not None:
            notes += self._audio.run()
        self._container.close()
        found = _frame_times(self._part)
        if len(found) != len(self._times):
            self.abort()
            raise MediaError(f"{self.path} would have {len(found)} frames instead of {len(self._times)}; it was not kept")
        drift = max((abs(a - float(b * _TIME_BASE)) for a, b in zip(found, self._times, strict=True)), default=0.0)
        if drift > 0.5 / float(self._job.fps) and self._job.settings.audio.verify_sync:
            self.abort()
            raise MediaError(f"{self.path} would be up to {drift * 1000:.1f} ms out of time; it was not kept")
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(self._part, 0o666 & ~umask)
        os.replace(self._part, self.path)
        return [*notes, f"{self.path.name}: {len(found)} frames, timing off by at most {drift * 1000:.2f} ms"]

    def abort(self) -> None:
        with contextlib.suppress(av.error.FFmpegError, OSError, ValueError):
            self._container.close()
        self._part.unlink(missing_ok=True)


class _AudioCopy:
    """Copies every audio stream packet by packet: not one sample is decoded."""

    def __init__(self, job: Job, container: av.container.OutputContainer) -> None:
        self._job = job
        self._source = av.open(str(job.clip.path))
        self._container = container
        self._pairs = {}
        self._refused = []
        for stream in self._source.streams.audio:
            try:
                self._pairs[stream.index] = container.add_stream_from_template(stream)
            except (ValueError, av.error.FFmpegError) as error:
                self._refused.append(f"the sound ({stream.codec_context.name}) cannot be copied into mp4: {error}")

    def run(self) -> list[str]:
        """Only what lies within the rendered frames; offsets against the picture stay as they were."""
        clip, frames = self._job.clip, self._job.frames
        origin = clip.time_s(frames[0])
        whole = len(frames) == len(clip)
        end = clip.time_s(frames[-1]) + 1 / float(clip.fps)
        count = 0
        for packet in self._source.demux(list(self._source.streams.audio)):
            if packet.dts is None or packet.stream_index not in self._pairs:
                continue
            base = packet.time_base
            seconds = float((packet.pts if packet.pts is not None else packet.dts) * base)
            if not whole and not origin <= seconds < end:
                continue
            shift = round(Fraction(origin).limit_denominator(10**6) / base)
            packet.pts = None if packet.pts is None else packet.pts - shift
            packet.dts -= shift
            packet.stream = self._pairs[packet.stream_index]
            self._container.mux(packet)
            count += 1
        self._source.close()
        return [*self._refused, f"sound copied: {count} packets of {len(self._pairs)} stream(s)"]


def _has_audio(job: Job) -> bool:
    try:
        with av.open(str(job.clip.path)) as container:
            return bool(container.streams.audio)
    except (av.error.FFmpegError, OSError):
        return False


def _comment(path: Path) -> str | None:
    try:
        with av.open(str(path)) as container:
            return container.metadata.get("comment")
    except (av.error.FFmpegError, OSError):
        return None


def _frame_times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return sorted(float(p.pts * p.time_base) for p in container.demux(stream) if p.pts is not None and p.size)
