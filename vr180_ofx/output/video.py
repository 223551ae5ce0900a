"""Video outputs: greenscreen, alpha, ProRes 4444 and WebM with transparency, and packed alpha for VR players.

The source's sound, time code and timing are kept. The file appears when it is finished; before that it is a hidden file that nothing
reads.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
from av.video.frame import VideoFrame

from vr180_ofx.arrays import FloatArray
from vr180_ofx.engine.frame import Frame
from vr180_ofx.errors import MediaError, SettingsError
from vr180_ofx.frame_ranges import ranges_text
from vr180_ofx.media.contract import SourceFrame
from vr180_ofx.media.naming import facts_from_name
from vr180_ofx.output.colour import Foreground
from vr180_ofx.output.contract import Job
from vr180_ofx.output.pictures import over_colour, plate, rgba, together
from vr180_ofx.output.sound import Sound, has_sound
from vr180_ofx.output.spherical import add_spherical
from vr180_ofx.storage import AtomicFile
from vr180_ofx.vr180.packing import name_tags, pack, reprojected
from vr180_ofx.vr180.projection import Equirectangular, Fisheye, Projection

#: Ticks per second of the output: divides all common rates and 90 kHz.
_TIME_BASE = Fraction(1, 90_000)


class VideoOutput:
    """One video, or one for each eye. See `output.contract.Writer`."""

    resumable = False
    parallel = 1

    def __init__(self, job: Job) -> None:
        self._job = job
        self.warnings: list[str] = []
        output = job.settings.output
        self._format = job.format
        self.needs_source = self._format.needs_source
        self._identity = video_identity(job)
        given = job.clip.geometry.layout
        eyes = output.eyes if len(job.clip.views) > 1 else "same"
        if not output.maintain_sbs and eyes == "same" and len(job.clip.views) > 1:
            eyes = "separate"
        packed = self._packed = self._format.shows == "packed"
        if packed:
            if len(job.clip.views) < 2:
                raise SettingsError(f"output.format is {output.format}, which holds two eyes side by side; this clip has one")
            if output.eyes not in ("same", "sbs") or output.projection not in ("same", "fisheye"):
                raise SettingsError(
                    f"output.format is {output.format}, which is a side by side fisheye; leave output.eyes and output.projection alone"
                )
            eyes = "sbs"
        self._apart = eyes == "separate"
        self._views = job.clip.views if self._apart else ("",)
        self._layout = replace(given, name=eyes, swap_eyes=False) if eyes == "sbs" or eyes == "tb" else given
        self._source = job.clip.projection
        self._target = target_projection(self._source, "fisheye" if packed else output.projection, output.fov_degrees)
        self._changed = eyes in ("sbs", "tb") and self._layout.name != given.name
        self._files: dict[str, _VideoFile] = {}
        self._foreground = Foreground(output)

    @property
    def _stem(self) -> str:
        """The clip's name; with a player's tags when the picture is no longer what the clip's own name may say."""
        tags = name_tags(self._layout.name, self._target, packed=self._packed)
        if not (self._changed or self._target != self._source or self._packed):
            return f"{self._job.name}_{self._format.word}"
        return "_".join(w for w in (untagged(self._job.name), self._format.word, tags) if w)

    def paths(self, index: int) -> list[Path]:
        return [self._job.stem.with_name(f"{self._stem}{'_' + v if v else ''}{self._format.suffix}") for v in self._views]

    def present(self, index: int) -> bool:
        if not all(p.exists() for p in self.paths(index)):
            return False
        return all(file_comment(p) == self._identity for p in self.paths(index))

    def write(self, frame: Frame, source: SourceFrame | None) -> None:
        eyes = self._eyes(frame, source)
        pictures = eyes if self._apart else {"": together(eyes, self._layout)}
        for view, path in zip(self._views, self.paths(0), strict=True):
            file = self._files.get(view)
            if file is None:
                layout = "mono" if self._apart else self._layout.name
                height, width = pictures[view].shape[:2]
                file = self._files[view] = _VideoFile(
                    self._job, path, self._identity, width=width, height=height, layout=layout, projection=self._target
                )
            file.add(pictures[view], frame.index)

    def _eyes(self, frame: Frame, source: SourceFrame | None) -> dict[str, FloatArray]:
        """view -> picture in the output's projection, (h, w, 3 or 4)."""
        output, shows = self._job.settings.output, self._format.shows
        if shows == "alpha":
            return {v: np.repeat(self._seen(m.alpha[..., None])[..., None], 3, axis=-1) for v, m in frame.views.items()}
        assert source is not None
        if shows == "composite":
            colour = np.array(output.background_color, np.float32) / 255
            return {v: self._seen(p, colour) for v, p in over_colour(frame, source, output.background_color, self._foreground).items()}
        if shows == "packed":
            plates = {v: self._seen(plate(source.eyes[v], m.width, m.height)) for v, m in frame.views.items()}
            return {v: pack(plates[v], self._seen(m.alpha[..., None])) for v, m in frame.views.items()}
        return {v: self._seen(p) for v, p in rgba(frame, source, self._foreground).items()}

    def _seen(self, picture: FloatArray, around: FloatArray | None = None) -> FloatArray:
        """One eye's picture in the output's projection. around: what lies where the source shows nothing."""
        if self._target == self._source:
            return picture[..., 0] if picture.shape[-1] == 1 else picture
        height, width = picture.shape[:2]
        shrink = self._source.width / width
        source = self._source.resized(width, height)
        target = self._target.resized(round(self._target.width / shrink), round(self._target.height / shrink))
        if picture.shape[-1] == 4:
            # colours of what is transparent must not be mixed in
            straight = picture.copy()
            straight[..., :3] *= straight[..., 3:]
            out = reprojected(straight, source, target)
            alpha = out[..., 3:]
            out[..., :3] = np.clip(np.divide(out[..., :3], alpha, out=np.zeros_like(out[..., :3]), where=alpha > 1e-3), 0, 1)
            return out
        return reprojected(picture, source, target, around)

    def finish(self) -> list[str]:
        notes = []
        for file in self._files.values():
            notes += file.finish()
            self.warnings += [w for w in file.warnings if w not in self.warnings]
        return notes

    def abort(self) -> None:
        for file in self._files.values():
            file.abort()


def target_projection(source: Projection, name: str, fov_degrees: float | None) -> Projection:
    """The projection of an output's eyes. name: same, equirect180 or fisheye. Raises SettingsError."""
    if name == "same":
        if fov_degrees is not None:
            raise SettingsError("output.fov_degrees is set, and output.projection is same; choose equirect180 or fisheye for it")
        return source
    side = source.height
    if name == "fisheye":
        own = source.fov_degrees if isinstance(source, Fisheye) else None
        if fov_degrees is not None and fov_degrees >= 360:
            raise SettingsError(f"output.fov_degrees is {fov_degrees:g}; a fisheye shows less than 360")
        return Fisheye(side, side, fov_degrees or own or 190.0)
    span = fov_degrees or 180.0
    if span > 360:
        raise SettingsError(f"output.fov_degrees is {span:g}; an equirectangular picture spans at most 360")
    return Equirectangular(side * 2 if span > 180 else side, side, (span, min(span, 180.0)))


def untagged(name: str) -> str:
    """A clip's name without what it says of layout and projection."""
    tags = set(facts_from_name(name).tags)
    pieces = re.split(r"([_\-. ]+)", name)
    kept = "".join(p for k, p in enumerate(pieces) if k == 0 or p.lower() not in tags)
    return re.sub(r"([_\-. ])[_\-. ]+", r"\1", kept).strip("_-. ") or name


def video_identity(job: Job) -> str:
    """What a video is known by: how its frames were made, which they are, and what became of the sound. Returns 24 hexadecimal digits."""
    text = f"{job.identity}|{ranges_text(list(job.frames))}|{job.settings.digest('audio')}"
    return hashlib.sha256(text.encode()).hexdigest()[:24]


class _VideoFile:
    """A video that is being written. identity: what it is found again by. width, height: of its pictures. layout: of the eyes in them."""

    def __init__(
        self, job: Job, path: Path, identity: str, *, width: int, height: int, layout: str, projection: Projection
    ) -> None:  # fmt: skip
        self._job, self.path = job, path
        self._layout, self._projection = layout, projection
        self.warnings: list[str] = []
        self._file = AtomicFile(path, steady=True)
        options = {} if path.suffix == ".webm" else {"movflags": "+faststart+use_metadata_tags"}
        self._sink = _Sink(self._file.path, "w")
        self._container: Any = None
        try:
            self._container = av.open(self._sink, "w", format=path.suffix[1:], options=options, io_open=self._again)
            self._begin(identity, width, height)
        except BaseException:
            self.abort()
            raise

    def _again(self, _url: str, _flags: int, _options: dict[str, str]) -> BinaryIO:
        """What is written, to be read: the table of frames is put before them."""
        return open(self._file.path, "rb")

    def _begin(self, identity: str, width: int, height: int) -> None:
        job, path = self._job, self.path
        self._container.metadata["comment"] = identity
        # chroma wants even sides: an odd last row or column is repeated
        self._width, self._height = width + width % 2, height + height % 2
        self._stream = self._encoder()
        self._sound = Sound(job, self._container, path.suffix) if job.settings.audio.preserve_audio and has_sound(job) else None
        self._times: list[int] = []
        self._origin = job.clip.time_s(job.frames[0])

    def _encoder(self) -> Any:
        job, output = self._job, self._job.settings.output
        codec, pix_fmt, options = _codec(self.path.suffix, output.video_codec, output.video_bits, output.video_quality)
        stream: Any = self._container.add_stream(codec, rate=job.fps.limit_denominator(100_000))
        stream.width, stream.height, stream.pix_fmt = self._width, self._height, pix_fmt
        stream.time_base = stream.codec_context.time_base = _TIME_BASE
        stream.codec_context.options = options
        # BT.709, limited range: H.273 code points
        stream.codec_context.colorspace = stream.codec_context.color_primaries = stream.codec_context.color_trc = 1
        stream.codec_context.color_range = 1
        if codec == "libx265":
            stream.codec_context.codec_tag = "hvc1"
        code = job.numbers.timecode_of(job.frames[0])
        if code is not None:
            stream.metadata["timecode"] = str(code)
        if self.path.suffix == ".webm":
            stream.metadata["alpha_mode"] = "1"
            if self._layout != "mono":
                stream.metadata["stereo_mode"] = {"sbs": "left_right", "tb": "top_bottom"}[self._layout]
        self._pix_fmt = pix_fmt
        return stream

    def add(self, picture: FloatArray, index: int) -> None:
        deep = "10" in self._pix_fmt
        peak = 65535 if deep else 255
        pixels = np.clip(picture * np.float32(peak) + np.float32(0.5), 0, peak).astype(np.uint16 if deep else np.uint8)
        if pixels.shape[:2] != (self._height, self._width):
            pixels = np.pad(pixels, ((0, self._height - pixels.shape[0]), (0, self._width - pixels.shape[1]), (0, 0)), "edge")
        given = {(False, 3): "rgb24", (True, 3): "rgb48le", (False, 4): "rgba", (True, 4): "rgba64le"}[deep, pixels.shape[2]]
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format=given).reformat(
            format=self._pix_fmt, dst_colorspace="ITU709", dst_color_range="MPEG"
        )
        frame.pts = round(Fraction(self._job.clip.time_s(index) - self._origin).limit_denominator(10**6) / _TIME_BASE)
        frame.time_base = _TIME_BASE
        self._times.append(frame.pts)
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def finish(self) -> list[str]:
        """Flushes, brings the sound, checks what was written against what was meant, and gives the file its name."""
        for packet in self._stream.encode(None):
            self._container.mux(packet)
        notes = []
        if self._sound is not None:
            self._sound.run()
            notes += self._sound.notes
            self.warnings += self._sound.warnings
        self._close()
        notes += self._described()
        found = _frame_times(self._file.path)
        if len(found) != len(self._times):
            self.abort()
            raise MediaError(f"{self.path} would have {len(found)} frames instead of {len(self._times)}; it was not kept")
        drift = max((abs(a - float(b * _TIME_BASE)) for a, b in zip(found, self._times, strict=True)), default=0.0)
        if drift > 0.5 / float(self._job.fps) and self._job.settings.audio.verify_sync:
            self.abort()
            raise MediaError(f"{self.path} would be up to {drift * 1000:.1f} ms out of time; it was not kept")
        self._file.commit()
        return [*notes, f"{self.path.name}: {len(found)} frames, timing off by at most {drift * 1000:.2f} ms"]

    def _close(self) -> None:
        try:
            if self._container is not None:
                self._container.close()
        except av.error.FFmpegError:
            if self._sink.error is not None:
                raise self._sink.error from None
            raise
        finally:
            self._sink.close()

    def _described(self) -> list[str]:
        """The file with stereo and spherical metadata takes the place of the one without. Returns what there is to say."""
        if self.path.suffix == ".webm":
            return []
        told = AtomicFile(self.path, steady=True)
        try:
            if add_spherical(self._file.path, told.path, self._layout, self._projection):
                self._file, told = told, self._file
        except OverflowError as error:
            return [f"{self.path.name} has no stereo and spherical metadata: {error}"]
        finally:
            told.discard()
        return []

    def abort(self) -> None:
        with contextlib.suppress(av.error.FFmpegError, OSError, ValueError):
            self._close()
        self._file.discard()


class _Sink(io.FileIO):
    """A file that FFmpeg writes to through us: one that it opened by itself stays open for ever where it cannot write its first bytes.

    error: what was wrong when bytes found no room.
    """

    error: OSError | None = None

    def write(self, data: Any) -> int:
        rest = memoryview(data)
        count = len(rest)
        try:
            while len(rest):
                rest = rest[super().write(rest) :]
        except OSError as error:
            self.error = error
            raise
        return count


def _codec(suffix: str, name: str, bits: int, quality: int) -> tuple[str, str, dict[str, str]]:
    """(encoder, pixel format, options) of FFmpeg."""
    if suffix == ".mov":
        return "prores_ks", "yuva444p10le", {"profile": "4444", "alpha_bits": "16", "vendor": "apl0"}
    if suffix == ".webm":
        # frames that look ahead and alpha do not go together in libvpx
        return "libvpx-vp9", "yuva420p", {"crf": str(quality), "b:v": "0", "row-mt": "1", "cpu-used": "4", "auto-alt-ref": "0"}
    options = {"crf": str(quality), "preset": "fast"}
    pix_fmt = "yuv420p10le" if bits == 10 else "yuv420p"
    if name == "hevc":
        return "libx265", pix_fmt, options | {"x265-params": "log-level=error"}
    return "libx264", pix_fmt, options


def file_comment(path: Path) -> str | None:
    """The comment in a video's header, in which ours say what they are known by; None where there is none."""
    try:
        with av.open(str(path)) as container:
            # Matroska writes its tags in capitals
            return next((v for k, v in container.metadata.items() if k.lower() == "comment"), None)
    except (av.error.FFmpegError, OSError):
        return None


def _frame_times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return sorted(float(p.pts * p.time_base) for p in container.demux(stream) if p.pts is not None and p.size)
