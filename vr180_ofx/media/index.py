"""The frame index of a video: every frame that will be shown, in presentation order, and where decoding must start.

Built by reading packets, not by trusting headers: durations, frame counts and rates in containers are often wrong.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from vr180_ofx.arrays import shapes_repr
from vr180_ofx.errors import MediaError
from vr180_ofx.media.container import decoder_options, first_video, open_container, usable_rate
from vr180_ofx.media.matroska import segment_end

log = logging.getLogger(__name__)
#: Containers without an index of their own: seeking by time lands anywhere, seeking by byte is exact.
_BYTE_SEEK = {"mpegts", "mpeg", "h264", "hevc", "m4v", "mpegvideo", "av1", "obu", "ivf"}
_NO_PTS = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class FrameIndex:
    """Where each frame of a video is.

    pts: presentation times in stream ticks, ascending, shape (frames,). When ``by_ordinal`` is set the container has no
        usable times: the numbers are positions in decoding order, given to the packets by this program.
    key: for each frame, the number in ``pts`` terms of the keyframe to start from, shape (frames,).
    seek: for each frame, the tick (or the byte, when ``by_bytes``) to seek to for that keyframe, shape (frames,).
    damaged: the ``pts`` of frames whose packets are cut off or fail their checksum.
    durations: ticks each frame is shown, shape (frames,).
    declared: the number of frames that the header claims, 0 when it says nothing.
    lost: frames that the header promises and the file no longer holds, because it was cut off.
    cut_off: whether the file ends before its container says that it does.
    """

    pts: npt.NDArray[np.int64]
    key: npt.NDArray[np.int64]
    seek: npt.NDArray[np.int64]
    durations: npt.NDArray[np.int64]
    time_base: Fraction
    rate: Fraction
    by_ordinal: bool
    declared: int
    by_bytes: bool = False
    damaged: frozenset[int] = frozenset()
    lost: int = 0
    cut_off: bool = False

    def __post_init__(self) -> None:
        lengths = {len(a) for a in (self.pts, self.key, self.seek, self.durations)}
        if len(lengths) != 1:
            raise ValueError(f"the arrays of an index have one length; these have {sorted(lengths)}")

    def __repr__(self) -> str:
        return shapes_repr(self)

    def __len__(self) -> int:
        return int(self.pts.size)

    def time_s(self, index: int) -> float:
        """Presentation time of a frame in seconds, the first frame at its own offset."""
        if self.by_ordinal:
            return float(index / self.rate)
        return float(int(self.pts[index]) * self.time_base)

    @property
    def variable_rate(self) -> bool:
        """Whether frames are shown for clearly different times (more than one tick apart)."""
        if self.by_ordinal or len(self) < 3:
            return False
        steps = np.diff(self.pts)
        return bool(steps.max() - steps.min() > max(2, 0.02 * float(np.median(steps))))


@dataclass(slots=True)
class _Packet:
    pts: int
    dts: int
    pos: int
    duration: int
    key: bool
    damaged: bool


def _read_packets(path: Path, limit: int | None) -> tuple[list[_Packet], VideoStreamFacts]:
    packets: list[_Packet] = []
    hidden = 0
    with open_container(path, limit) as container:
        stream = first_video(container, path, limit)
        matroska = "matroska" in container.format.name
        facts = VideoStreamFacts(
            Fraction(stream.time_base or Fraction(1, 90000)),
            usable_rate(stream.average_rate, stream.guessed_rate, stream.base_rate),
            stream.frames,
            bool(set(container.format.name.split(",")) & _BYTE_SEEK),
            cut_off=matroska and segment_end(path) > path.stat().st_size,
            until_s=container.duration / 1e6 if matroska and container.duration else 0.0,
        )
        demuxer = container.demux(stream)
        while True:
            try:
                packet = next(demuxer)
            except StopIteration:
                break
            except av.error.FFmpegError as error:
                # the end of a truncated file: everything before it is good
                log.warning("%s: reading stops early: %s", path, error.strerror)
                break
            if packet.size == 0 and packet.dts is None:
                continue  # the demuxer's last word
            if packet.size == 0 or packet.is_discard:
                # a frame that repeats the one before, or that an edit list leaves out
                hidden += 1
                continue
            packets.append(
                _Packet(
                    packet.pts if packet.pts is not None else _NO_PTS,
                    packet.dts if packet.dts is not None else _NO_PTS,
                    packet.pos if packet.pos is not None else -1,
                    packet.duration or 0,
                    packet.is_keyframe,
                    packet.is_corrupt,
                )
            )
    return packets, replace(facts, hidden=hidden)


@dataclass(frozen=True, slots=True)
class VideoStreamFacts:
    """What the container says of the stream. until_s: how long all of it lasts, 0 where only the frames themselves are counted."""

    time_base: Fraction
    rate: Fraction
    declared: int
    by_bytes: bool
    hidden: int = 0
    cut_off: bool = False
    until_s: float = 0.0


def build_index(path: Path, limit: int | None = None) -> FrameIndex:
    """Reads every packet of the first video stream; decodes only what the packets leave unclear. limit: bytes for a picture."""
    packets, facts = _read_packets(path, limit)
    if not packets:
        raise MediaError(f"{path} has a video stream without a single frame; was the recording interrupted?")
    times = np.array([p.pts for p in packets], np.int64)
    usable = bool((times != _NO_PTS).all()) and np.unique(times).size == times.size
    if not usable:
        return _index_by_decoding(path, packets, facts, limit)
    keys = np.array([p.key for p in packets])
    if not keys.any():
        # some streams mark no keyframe (intra refresh): decoding starts at the beginning
        keys[0] = True
    first_key = int(np.argmax(keys))
    # frames before the first keyframe in decoding order, and those shown before it, cannot be decoded on their own
    leading = {int(t) for i, t in enumerate(times) if i < first_key or (i > first_key and t < times[first_key])}
    if leading:
        shown = _decodable_at_start(path, int(times[first_key]), limit)
        keep = np.array([int(t) not in leading or int(t) in shown for t in times])
    else:
        keep = np.ones(times.size, bool)
    # the keyframe to start from: the last one in decoding order that is not shown after the frame. A frame shown before
    # the keyframe it follows in decoding order (open GOP) needs the keyframe before that one.
    decoding = np.arange(times.size)
    key_at = np.flatnonzero(keys)
    slot = np.searchsorted(key_at, decoding, side="right") - 1
    start = key_at[np.maximum(slot, 0)]
    for i in np.flatnonzero(times < times[start]):
        s = int(slot[i])
        while s > 0 and times[key_at[s]] > times[i]:
            s -= 1
        start[i] = key_at[s]
    order = np.argsort(times, kind="stable")
    order = order[keep[order]]
    if order.size == 0:
        raise MediaError(f"{path} has {times.size} packets of video but no frame that can be decoded")
    durations = np.array([p.duration for p in packets], np.int64)[order]
    pts = times[order]
    steps = np.diff(pts)
    typical = int(np.median(steps)) if steps.size else max(1, round(1 / (facts.rate * facts.time_base)))
    # what a frame lasts is the distance to the next; only the last one needs its packet's word
    last = int(durations[-1]) if durations[-1] > 0 else typical
    durations = np.append(steps, last).astype(np.int64)
    by_bytes = facts.by_bytes and all(p.pos >= 0 for p in packets if p.key)
    # elsewhere, seeking to a presentation time lands on the keyframe at or before it
    seek = np.array([packets[s].pos for s in start[order]], np.int64) if by_bytes else times[start[order]]
    damaged = frozenset(p.pts for p in packets if p.damaged)
    return FrameIndex(
        pts,
        times[start[order]],
        seek,
        durations,
        facts.time_base,
        facts.rate,
        False,
        facts.declared,
        by_bytes,
        damaged,
        _lost(facts, len(packets), pts, last, typical),
        facts.cut_off,
    )


def _lost(facts: VideoStreamFacts, packets: int, pts: npt.NDArray[np.int64], last: int, typical: int) -> int:
    """Frames that the file no longer holds. last, typical: ticks that the last frame and most frames are shown."""
    if facts.declared:
        return max(0, facts.declared - packets - facts.hidden)
    if not facts.cut_off:
        return 0
    # only its length tells how many there were; of a rate that varies, about
    rest = facts.until_s - float((int(pts[-1]) + last) * facts.time_base)
    return max(0, round(rest / float(max(1, typical) * facts.time_base)))


def _decodable_at_start(path: Path, until: int, limit: int | None) -> set[int]:
    """The presentation times that a decoder really delivers before the first keyframe is shown."""
    shown: set[int] = set()
    with open_container(path, limit) as container:
        stream = first_video(container, path, limit)
        stream.codec_context.options = decoder_options(limit)
        try:
            for frame in container.decode(stream):
                if frame.pts is not None:
                    shown.add(frame.pts)
                    if frame.pts >= until:
                        break
        except av.error.FFmpegError as error:
            log.warning("%s: the first frames cannot be decoded: %s", path, error.strerror)
    return shown


def _index_by_decoding(path: Path, packets: list[_Packet], facts: VideoStreamFacts, limit: int | None) -> FrameIndex:
    """For containers without usable times: number the packets ourselves and see in which order the frames come out."""
    log.info("%s has no usable time stamps; decoding it once to find the order of its frames", path)
    shown: list[int] = []
    with open_container(path, limit) as container:
        stream = first_video(container, path, limit)
        stream.codec_context.options = decoder_options(limit)
        stream.thread_type = "AUTO"
        ordinal = 0
        for packet in container.demux(stream):
            if packet.size:
                packet.pts = packet.dts = ordinal
                ordinal += 1
            try:
                shown.extend(int(f.pts) for f in packet.decode() if f.pts is not None)
            except av.error.FFmpegError as error:
                log.warning("%s: packet %d cannot be decoded: %s", path, ordinal - 1, error.strerror)
    if not shown:
        raise MediaError(f"{path} has {len(packets)} packets of video but no frame that can be decoded")
    order = np.array(shown, np.int64)
    key_at = np.flatnonzero([p.key and p.pos >= 0 for p in packets])
    if key_at.size == 0 or key_at[0] != 0:
        key_at = np.insert(key_at, 0, 0)
    position = {int(o): i for i, o in enumerate(order)}
    # a frame shown before its keyframe belongs to the group before it
    starts = []
    for i, o in enumerate(order):
        slot = int(np.searchsorted(key_at, o, side="right")) - 1
        while slot > 0 and position.get(int(key_at[slot]), 0) > i:
            slot -= 1
        starts.append(int(key_at[slot]))
    seek = np.array([packets[s].pos if s > 0 else 0 for s in starts], np.int64)
    step = max(1, round(1 / (facts.rate * facts.time_base)))
    return FrameIndex(
        order, np.array(starts, np.int64), seek, np.full(order.size, step, np.int64),
        facts.time_base, facts.rate, True, facts.declared, True,
        frozenset(i for i, p in enumerate(packets) if p.damaged), cut_off=facts.cut_off,
    )  # fmt: skip
