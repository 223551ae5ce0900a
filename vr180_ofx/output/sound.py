"""Sound and time code of the source in a video that is written: copied packet by packet where the container takes it, else converted."""

from __future__ import annotations

import errno
import io
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import av

from vr180_ofx.media.files import readable
from vr180_ofx.output.contract import Job

log = logging.getLogger(__name__)
#: What containers take, by FFmpeg's names, and what sound is converted to for them: the first of the second column when nothing is
#: asked for, or it cannot be had. FFmpeg writes PCM into MP4 under a name by which it is read wrongly, and no Opus into MOV.
_TAKES = {
    ".mp4": (("aac", "mp3", "ac3", "eac3", "alac", "flac", "opus", "dts", "truehd", "mp2"), ("aac", "libopus")),
    ".mov": (("aac", "mp3", "ac3", "eac3", "alac", "mp2"), ("pcm_s24le", "aac")),
    ".webm": (("opus", "vorbis"), ("libopus",)),
}
_ENCODERS = {"aac": "aac", "opus": "libopus", "pcm": "pcm_s24le"}
_BIT_RATE = 192_000
_USUAL_RATE = 48_000
#: How so many channels are taken to lie where the source does not say it; of others nobody could tell.
_USUAL_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1", 16: "hexadecagonal"}
#: Channels that Opus keeps apart, without a word on where they lie (RFC 7845, section 5.1.1.3), and those of ambisonics (RFC 8486).
_DISCRETE, _AMBISONIC = {"mapping_family": "255"}, {"mapping_family": "2"}
#: More planes of sound PyAV does not read.
_PLANES = 8
_USED_UP = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOMEM)
_Failed = (av.error.FFmpegError, ValueError, OSError)


def has_sound(job: Job) -> bool:
    try:
        with readable(job.clip.path) as name, av.open(name) as container:
            return bool(container.streams.audio)
    except (av.error.FFmpegError, OSError):
        return False


@dataclass(frozen=True, slots=True)
class _Encoding:
    """How a track is encoded. layout: of its channels, by FFmpeg's name. relabelled: whether the source's channels are only given these
    names, and not mixed."""

    encoder: str
    layout: str
    rate: int
    options: dict[str, str]
    relabelled: bool

    def add_to(self, container: av.container.OutputContainer) -> Any:
        made: Any = container.add_stream(self.encoder, rate=self.rate, options=self.options)
        made.codec_context.layout = self.layout
        if not self.encoder.startswith("pcm"):
            made.codec_context.bit_rate = _BIT_RATE * max(1, made.codec_context.layout.nb_channels // 2)
        return made


class Sound:
    """All audio streams of the source, for one container that is being written. Made before its first frame.

    Whatever is wrong with the sound, the picture goes on without it. notes: what became of it. warnings: what of it is not there.
    """

    def __init__(self, job: Job, container: av.container.OutputContainer, suffix: str) -> None:
        self._job = job
        with readable(job.clip.path) as name:
            self._source = av.open(name)
        self._container = container
        self._copied: dict[int, Any] = {}
        self._made: dict[int, tuple[Any, _Encoding]] = {}
        self._resamplers: dict[int, Any] = {}
        self._counts: Counter[int] = Counter()
        self.notes: list[str] = []
        self.warnings: list[str] = []
        for stream in self._source.streams.audio:
            new = self._added(stream, suffix)
            for key in ("language", "title", "handler_name"):
                if new is not None and key in stream.metadata:
                    new.metadata[key] = stream.metadata[key]

    def _added(self, stream: Any, suffix: str) -> Any:
        """The stream's place in what is written; None when there can be none."""
        asked = self._job.settings.audio.audio_codec
        takes, makes = _TAKES[suffix]
        context = stream.codec_context
        if context is None:
            self.warnings.append(f"the sound of stream {stream.index} is of a kind that FFmpeg does not know; it was left out")
            return None
        codec = context.name
        fits = codec in takes or (suffix == ".mov" and codec.startswith("pcm_"))
        if asked == "copy" and fits and _writable(suffix, lambda c: c.add_stream_from_template(stream)):
            self._copied[stream.index] = self._container.add_stream_from_template(stream)
            return self._copied[stream.index]
        wanted = _ENCODERS.get(asked, makes[0])
        first = wanted if wanted in makes else makes[0]
        found = next((e for e in _encodings(context, [first, *makes]) if _writable(suffix, e.add_to)), None)
        if found is None:
            self.warnings.append(f"the sound ({codec}, {context.layout.name}) cannot be written into {suffix[1:]}; it was left out")
            return None
        new = found.add_to(self._container)
        self._made[stream.index] = (new, found)
        why = f"{suffix[1:]} takes no {codec if asked == 'copy' else asked}"
        if asked != "copy" and wanted == found.encoder:
            why = f"audio.audio_codec is {asked}"
        elif asked == "copy" and fits:
            why = f"{suffix[1:]} does not take it as it is"
        lies = f"; its {context.layout.nb_channels} channels are taken for {found.layout}" if found.relabelled else ""
        self.notes.append(f"the sound was converted from {codec} to {found.encoder.removeprefix('lib')}: {why}{lies}")
        return new

    def run(self) -> None:
        """Only what lies within the rendered frames; offsets against the picture stay as they were. Raises OSError when the disk is
        full."""
        try:
            for packet in self._source.demux(list(self._source.streams.audio)):
                self._carry(packet)
        except _Failed as error:
            _raise_if_used_up(error)
            self.warnings.append(f"the sound breaks off: it cannot be read on ({_words(error)})")
        for index, (made, _) in self._made.items():
            try:
                if index in self._resamplers:
                    for frame in self._resamplers[index].resample(None):
                        self._container.mux(made.encode(frame))
                    self._container.mux(made.encode(None))
            except _Failed as error:
                _raise_if_used_up(error)
                self._counts[index] += 1
        self._source.close()
        if self._copied:
            copied = sum(self._counts[-1 - index] for index in self._copied)
            self.notes.append(f"sound copied: {copied} packets of {len(self._copied)} stream(s)")
        self.warnings += [f"{count} packets of the sound (stream {index}) are damaged and were left out" for index, count in
                          sorted(self._counts.items()) if index >= 0]  # fmt: skip

    def _carry(self, packet: Any) -> None:
        clip, frames = self._job.clip, self._job.frames
        origin = clip.time_s(frames[0])
        whole = len(frames) == len(clip)
        end = clip.time_s(frames[-1]) + 1 / float(clip.fps)
        index = packet.stream_index
        try:
            if index in self._made:
                for frame in cast(list[av.AudioFrame], packet.decode()):
                    if whole or origin <= (frame.time or 0.0) < end:
                        self._encode(index, frame, origin)
            elif packet.dts is not None and index in self._copied:
                base = packet.time_base
                seconds = float((packet.pts if packet.pts is not None else packet.dts) * base)
                if not whole and not origin <= seconds < end:
                    return
                shift = round(Fraction(origin).limit_denominator(10**6) / base)
                packet.pts = None if packet.pts is None else packet.pts - shift
                packet.dts -= shift
                packet.stream = self._copied[index]
                self._container.mux(packet)
                self._counts[-1 - index] += 1
        except _Failed as error:
            _raise_if_used_up(error)
            log.info("a packet of sound cannot be carried over: %s", error)
            self._counts[index] += 1

    def _encode(self, index: int, frame: Any, origin: float) -> None:
        made, encoding = self._made[index]
        if encoding.relabelled and frame.layout.nb_channels == made.codec_context.layout.nb_channels:
            frame = _relabelled(frame, encoding.layout)
        if index not in self._resamplers:
            context = made.codec_context
            self._resamplers[index] = av.AudioResampler(context.format, context.layout, context.sample_rate, context.frame_size or None)
        frame.pts = None if frame.pts is None else frame.pts - round(Fraction(origin).limit_denominator(10**6) / frame.time_base)
        for part in self._resamplers[index].resample(frame):
            self._container.mux(made.encode(part))


def _writable(suffix: str, add: Callable[[av.container.OutputContainer], Any]) -> bool:
    """Whether a container of this kind begins with such a stream in it, which is tried in memory: one that does not ends the video."""
    try:
        with av.open(io.BytesIO(), "w", format=suffix[1:]) as trial:
            add(trial)
            trial.start_encoding()
    except _Failed:
        return False
    return True


def _encodings(context: Any, encoders: list[str]) -> Iterator[_Encoding]:
    """Ways to encode a track, the best first: its own layout of channels, the usual one of as many, channels without places."""
    own, count = context.layout.name, context.layout.nb_channels
    ambisonic = own.startswith("ambisonic")
    stated = not own.endswith(" channels") and not ambisonic
    usual = _USUAL_LAYOUTS.get(count)
    for encoder in dict.fromkeys(encoders):
        rates = av.codec.Codec(encoder, "w").audio_rates
        rate = _USUAL_RATE if encoder == "libopus" or (rates and context.sample_rate not in rates) else context.sample_rate
        if stated:
            yield _Encoding(encoder, own, rate, {}, relabelled=False)
        if ambisonic and encoder == "libopus":
            yield _Encoding(encoder, own, rate, _AMBISONIC, relabelled=False)
        if usual is not None:
            yield _Encoding(encoder, usual, rate, {}, relabelled=not stated)
    for encoder in dict.fromkeys(encoders):
        yield _Encoding(encoder, own, _USUAL_RATE, _DISCRETE if encoder == "libopus" else {}, relabelled=False)


def _relabelled(frame: Any, layout: str) -> Any:
    """The same samples, said to be of channels that lie like this."""
    if frame.format.is_planar and frame.layout.nb_channels > _PLANES:
        (frame,) = av.AudioResampler(frame.format.packed).resample(frame)
    new = av.AudioFrame.from_ndarray(frame.to_ndarray(), format=frame.format.name, layout=layout)
    new.sample_rate, new.pts, new.time_base = frame.sample_rate, frame.pts, frame.time_base
    return new


def _raise_if_used_up(error: Exception) -> None:
    if getattr(error, "errno", None) in _USED_UP:
        raise error


def _words(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


__all__ = ["Sound", "has_sound"]
