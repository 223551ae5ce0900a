"""What a video says beside its pictures: stereo and spherical metadata, how players turn it, and what else is in the file."""

from __future__ import annotations

import logging
import math
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vr180_ofx.errors import MediaError
from vr180_ofx.media.container import video_streams
from vr180_ofx.media.contract import Geometry, StreamFacts
from vr180_ofx.settings.mattes import LEAST_FOV_DEGREES
from vr180_ofx.timecode import Timecode

log = logging.getLogger(__name__)

#: AV_STEREO3D_UNSPEC: two views in one stream, of which FFmpeg gives the first (MV-HEVC).
_TWO_VIEWS = 8


def stream_notes(container: av.container.InputContainer, stream: VideoStream, frame: VideoFrame) -> tuple[str, ...]:
    """What is not as the pictures seem, in words. frame: the first that can be decoded."""
    notes = []
    films = video_streams(container)
    if len(films) > 1:
        size = f"{stream.codec_context.width}x{stream.codec_context.height}"
        notes.append(f"the file holds {len(films)} video streams; only the first ({size}) is read")
    found: Any = frame.side_data
    for data in found:
        raw = bytes(data)
        if data.type.name == "STEREO3D" and len(raw) >= 4 and struct.unpack_from("<I", raw)[0] == _TWO_VIEWS:
            notes.append("its video holds two views in one stream (MV-HEVC); only the first is read")
    turn = turned(frame)
    if turn:
        notes.append(f"players show it {turn}; it is read, and mattes lie, as its pixels are stored")
    if frame.interlaced_frame:
        notes.append("it is interlaced; both fields are taken for one moment, and edges that move are combed as they are in it")
    shape = Fraction(stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or 1)
    if shape > 0 and shape != 1:
        notes.append(
            f"its pixels are {float(shape):.4g} times as wide as high; mattes have the pixels that are stored, and projections go by them"
        )
    return tuple(notes)


def check_upright(path: Path, frame: VideoFrame, geometry: Geometry) -> None:
    """Raises MediaError for a stereo picture that players turn: where its eyes lie, and which way is up, is not known then."""
    turn = turned(frame)
    if turn and geometry.layout.name != "mono":
        raise MediaError(
            f"{path} is stereo ({geometry.layout.name}), and its metadata says that players show it {turn}; which half is which eye, and "
            "which way is up, is not known. Write it upright (ffmpeg -i IN OUT turns its pixels; ffmpeg -display_rotation 0 -i IN -c copy "
            "OUT drops the metadata), or set input.layout=mono"
        )


def turned(frame: VideoFrame) -> str:
    """How the file wants its pictures shown, in words; empty for upright. By its display matrix (libavutil/display.h)."""
    found: Any = frame.side_data
    for data in found:
        raw = bytes(data)
        if data.type.name != "DISPLAYMATRIX" or len(raw) < 36:
            continue
        a, b, _, c, d = struct.unpack_from("<5i", raw)
        if a > 0 and d > 0 and abs(b) + abs(c) < (abs(a) + abs(d)) / 1000:
            return ""
        if not any((a, b, c, d)):
            return ""  # no matrix at all
        mirrored = float(a) * d - float(b) * c < 0
        # of a mirrored picture the turn is what is left once it is mirrored back
        degrees = round(math.degrees(math.atan2(b, -a if mirrored else a))) % 360
        words = ([f"turned by {degrees} degrees"] if degrees else []) + (["mirrored"] if mirrored else [])
        return " and ".join(words)
    return ""


def facts_from_stream(frame: VideoFrame) -> StreamFacts:
    """Stereo and spherical metadata (st3d, sv3d, or the codec's own), which FFmpeg attaches to the frames.

    Layouts of AVStereo3D (libavutil/stereo3d.h) and AVSphericalMapping (libavutil/spherical.h).
    """
    layout = projection = None
    fov: float | None = None
    baseline: float | None = None
    swap = False
    broken = ""
    found: Any = frame.side_data
    for data in found:
        raw = bytes(data)
        kind = data.type.name
        if kind == "STEREO3D" and len(raw) >= 8:
            code, flags = struct.unpack_from("<Ii", raw)
            layout = {0: "mono", 1: "sbs", 2: "tb"}.get(code)
            swap = bool(flags & 1)
            if len(raw) >= 20:
                # FFmpeg 7.1 and later: the cameras' distance in micrometres, 0 when the file does not say
                baseline = struct.unpack_from("<I", raw, 16)[0] / 1e6 or None
        elif kind == "SPHERICAL" and len(raw) >= 32:
            code, _yaw, _pitch, _roll, left, _top, right, _bottom = struct.unpack_from("<IiiiIIII", raw)
            if code in (0, 2):  # whole, or a tile given by its bounds in 0.32 fixed point
                span = 360.0 * (1 - (left + right) / 2**32)
                if span < LEAST_FOV_DEGREES:
                    broken = f"its spherical metadata gives an eye {span:g} degrees; it is not followed (input.fov_degrees sets them)"
                    continue
                projection, fov = "equirect180", None if abs(span - 180) < 1 else span
            elif code == 3:
                projection = "equirect180"
            elif code == 4:
                projection = "flat"
            elif code == 5:
                projection, fov = "fisheye", None
    return StreamFacts(layout, projection, fov, swap, baseline, (broken,) if broken else ())


def stream_timecode(container: av.container.InputContainer) -> str | None:
    """The timecode of the first frame as a video file has it, in words: of QuickTime's timecode track, or a tag of the file."""
    streams = sorted(container.streams, key=lambda s: s.type != "video")
    for tags in (*(s.metadata for s in streams), container.metadata):
        # Matroska writes its tags in capitals
        for key, value in tags.items():
            if key.lower() == "timecode":
                return str(value)
    return None


def timecode_or_none(text: str | None, fps: Fraction) -> Timecode | None:
    """A file's word for a timecode; None where it is none at its own rate: there it could only mislead."""
    try:
        return None if text is None else Timecode.of(text, fps)
    except ValueError as error:
        log.info("a file's timecode is not used: %s", error)
        return None
