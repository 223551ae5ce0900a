"""Sound and time code of the source in a video that is written: copied packet by packet where the container takes it, else converted."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any, cast

import av

from vr180_ofx.output.contract import Job

#: What containers take, by FFmpeg's names, and what sound is converted to for them: the first of the second column when nothing is
#: asked for, or it cannot be had. FFmpeg writes PCM into MP4 under a name by which it is read wrongly, and no Opus into MOV.
_TAKES = {
    ".mp4": (("aac", "mp3", "ac3", "eac3", "alac", "flac", "opus", "dts", "truehd", "mp2"), ("aac", "libopus")),
    ".mov": (("aac", "mp3", "ac3", "eac3", "alac", "mp2"), ("pcm_s24le", "aac")),
    ".webm": (("opus", "vorbis"), ("libopus",)),
}
_ENCODERS = {"aac": "aac", "opus": "libopus", "pcm": "pcm_s24le"}
_BIT_RATE = 192_000
_OPUS_RATE = 48_000


def has_sound(job: Job) -> bool:
    try:
        with av.open(str(job.clip.path)) as container:
            return bool(container.streams.audio)
    except (av.error.FFmpegError, OSError):
        return False


class Sound:
    """All audio streams of the source, for one container that is being written. Made before its first frame."""

    def __init__(self, job: Job, container: av.container.OutputContainer, suffix: str) -> None:
        self._job = job
        self._source = av.open(str(job.clip.path))
        self._container = container
        self._copied: dict[int, Any] = {}
        self._made: dict[int, Any] = {}
        self._notes: list[str] = []
        asked = job.settings.audio.audio_codec
        takes, makes = _TAKES[suffix]
        for stream in self._source.streams.audio:
            codec = stream.codec_context.name
            fits = codec in takes or (suffix == ".mov" and codec.startswith("pcm_"))
            try:
                if asked == "copy" and fits:
                    new: Any = container.add_stream_from_template(stream)
                    self._copied[stream.index] = new
                else:
                    wanted = _ENCODERS.get(asked, makes[0])
                    encoder = wanted if wanted in makes else makes[0]
                    new = self._encoder(stream, encoder)
                    self._made[stream.index] = new
                    why = f"{suffix[1:]} takes no {codec if asked == 'copy' else asked}"
                    if asked != "copy" and wanted == encoder:
                        why = f"audio.audio_codec is {asked}"
                    self._notes.append(f"the sound was converted from {codec} to {encoder.removeprefix('lib')}: {why}")
                for key in ("language", "title", "handler_name"):
                    if key in stream.metadata:
                        new.metadata[key] = stream.metadata[key]
            except (ValueError, av.error.FFmpegError) as error:
                self._notes.append(f"the sound ({codec}) cannot be written into {suffix[1:]}: {error}")

    def _encoder(self, stream: Any, encoder: str) -> Any:
        context = stream.codec_context
        rate = _OPUS_RATE if encoder == "libopus" else context.sample_rate
        made: Any = self._container.add_stream(encoder, rate=rate)
        made.codec_context.layout = context.layout
        if not encoder.startswith("pcm"):
            made.codec_context.bit_rate = _BIT_RATE * max(1, context.layout.nb_channels // 2)
        return made

    def run(self) -> list[str]:
        """Only what lies within the rendered frames; offsets against the picture stay as they were."""
        clip, frames = self._job.clip, self._job.frames
        origin = clip.time_s(frames[0])
        whole = len(frames) == len(clip)
        end = clip.time_s(frames[-1]) + 1 / float(clip.fps)
        count = 0
        resamplers: dict[int, Any] = {}
        for packet in self._source.demux(list(self._source.streams.audio)):
            if packet.stream_index in self._made:
                for frame in cast(list[av.AudioFrame], packet.decode()):
                    seconds = frame.time or 0.0
                    if whole or origin <= seconds < end:
                        self._encode(packet.stream_index, frame, resamplers, origin)
                continue
            if packet.dts is None or packet.stream_index not in self._copied:
                continue
            base = packet.time_base
            seconds = float((packet.pts if packet.pts is not None else packet.dts) * base)
            if not whole and not origin <= seconds < end:
                continue
            shift = round(Fraction(origin).limit_denominator(10**6) / base)
            packet.pts = None if packet.pts is None else packet.pts - shift
            packet.dts -= shift
            packet.stream = self._copied[packet.stream_index]
            self._container.mux(packet)
            count += 1
        for index, made in self._made.items():
            if index in resamplers:
                for frame in resamplers[index].resample(None):
                    self._container.mux(made.encode(frame))
            self._container.mux(made.encode(None))
        self._source.close()
        if self._copied:
            self._notes.append(f"sound copied: {count} packets of {len(self._copied)} stream(s)")
        return self._notes

    def _encode(self, index: int, frame: Any, resamplers: dict[int, Any], origin: float) -> None:
        made = self._made[index]
        if index not in resamplers:
            context = made.codec_context
            resamplers[index] = av.AudioResampler(context.format, context.layout, context.sample_rate, context.frame_size or None)
        frame.pts = None if frame.pts is None else frame.pts - round(Fraction(origin).limit_denominator(10**6) / frame.time_base)
        for part in resamplers[index].resample(frame):
            self._container.mux(made.encode(part))


def time_code(job: Job) -> str | None:
    """The time code of the first rendered frame, ``HH:MM:SS:FF`` (``;`` before FF when frames are dropped), when the source has one."""
    try:
        with av.open(str(job.clip.path)) as container:
            tagged = [container.metadata, *(s.metadata for s in container.streams)]
    except (av.error.FFmpegError, OSError):
        return None
    text = next((m["timecode"] for m in tagged if "timecode" in m), None)
    return later(text, job.frames[0], job.fps) if text else None


def later(text: str, frames: int, fps: Fraction) -> str | None:
    """A time code some frames on; None when it is not understood. SMPTE ST 12-1, with its dropped numbers."""
    match = re.fullmatch(r"(\d\d):(\d\d):(\d\d)([:;.])(\d\d)", text.strip())
    if match is None:
        return None
    hours, minutes, seconds, count = (int(match.group(k)) for k in (1, 2, 3, 5))
    rate, dropping = round(fps), match.group(4) != ":"
    dropped = rate // 15 if dropping else 0
    n = ((hours * 60 + minutes) * 60 + seconds) * rate + count
    total = hours * 60 + minutes
    n -= dropped * (total - total // 10)
    n += frames
    if dropping:
        # ten minutes hold nine droppings
        ten, one = rate * 600 - dropped * 9, rate * 60 - dropped
        tens, rest = divmod(n, ten)
        n += dropped * 9 * tens + (dropped * ((rest - dropped) // one) if rest > dropped else 0)
    seconds, count = divmod(n, rate)
    return f"{seconds // 3600 % 24:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{match.group(4)}{count:02d}"


__all__ = ["Sound", "has_sound", "later", "time_code"]
