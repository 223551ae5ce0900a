"""Opening videos with FFmpeg, with errors for people."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import av.logging
from av.video.format import VideoFormat
from av.video.stream import VideoStream

from vr180_ofx.errors import MediaError
from vr180_ofx.media.files import check_file, check_picture, picture_limit, readable

# FFmpeg's remarks must not reach Python: a decoder thread that waits for the interpreter's lock to log something, while the
# main thread holds that lock to close the decoder and waits for the thread, waits for ever. What matters is said in our words.
av.logging.set_level(None)
#: HLS, FFmpeg's concat, DASH, SDP: documents that make FFmpeg open other files and addresses.
_PLAYLISTS = (b"#EXTM3U", b"ffconcat", b"<MPD", b"<?xml", b"v=0")
#: The pictures that a decoder holds at least: what it puts out, what it refers to, and one that it works on.
_HELD = 3
#: Bytes of a pixel, at least: 4:2:0 in 8 bits.
_LEAST_BYTES = 1.5
#: What a file without a usable rate gets: nothing follows from it but times.
NOMINAL_RATE = Fraction(25)


def decoder_options(limit: int | None = None) -> dict[str, str]:
    """FFmpeg's options by which no decoder begins a picture that does not fit. limit: as of `picture_limit`, which is the default."""
    pixels = int((picture_limit() if limit is None else limit) / _HELD / _LEAST_BYTES)
    # FFmpeg's own bound, a 32-bit number
    return {"max_pixels": str(max(1, min(pixels, 2**31 - 1)))}


def open_container(path: Path, limit: int | None = None) -> av.container.InputContainer:
    """Opens a file with FFmpeg, with an error for people when it is no such thing. limit: bytes for a picture, see `picture_limit`."""
    check_file(path)
    try:
        with readable(path) as name:
            with open(name, "rb") as stream:
                head = stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
            if head.startswith(_PLAYLISTS):
                raise MediaError(f"{path} is a playlist, which names other files; it is not followed. Name the video itself")
            return av.open(name, metadata_errors="replace", options=decoder_options(limit))
    except FileNotFoundError:
        raise MediaError(f"{path} does not exist") from None
    except PermissionError:
        raise MediaError(f"{path} cannot be read: permission denied") from None
    except av.error.InvalidDataError:
        raise MediaError(
            f"{path} is not a video that FFmpeg can open: it is damaged, cut off before its index (moov), or another kind of file"
        ) from None
    except MemoryError:
        raise MediaError(f"{path} cannot be opened: it asks for more memory than there is; it is damaged") from None
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise MediaError(f"{path} cannot be opened: {getattr(error, 'strerror', None) or error}") from None


def first_video(container: av.container.InputContainer, path: Path, limit: int | None = None) -> VideoStream:
    """The first video stream that is not a cover picture. Raises MediaError when this FFmpeg cannot decode it, ResourceError when its
    pictures do not fit into memory.
    """
    streams = video_streams(container)
    if not streams:
        kinds = ", ".join(sorted({s.type for s in container.streams})) or "nothing"
        raise MediaError(f"{path} has no video in it (it holds: {kinds})")
    stream = streams[0]
    context = stream.codec_context
    if context is None:
        raise MediaError(f"{path} has video in a codec that this FFmpeg does not know; convert it, for instance to ProRes or HEVC")
    width, height = int(context.width or 0), int(context.height or 0)
    if width <= 0 or height <= 0:
        raise MediaError(
            f"{path} has video ({context.name}) whose pictures have no size that can be read: it is damaged, or they are larger than "
            "memory allows (processing.max_memory_gb)"
        )
    allowed = picture_limit() if limit is None else limit
    check_picture(path, width, height, _HELD * _picture_bytes(context.pix_fmt, width, height), allowed)
    return stream


def video_streams(container: av.container.InputContainer) -> list[VideoStream]:
    """Those that are films: no cover pictures."""
    return [s for s in container.streams.video if not (int(s.disposition) & 0x400)]  # AV_DISPOSITION_ATTACHED_PIC


def _picture_bytes(pixels: str | None, width: int, height: int) -> int:
    """What a decoded picture takes. pixels: FFmpeg's name of the format, None where it is not known."""
    if pixels is None:
        return int(_LEAST_BYTES * width * height)
    parts = VideoFormat(pixels, width, height).components
    return sum(p.width * p.height * (1 if p.bits <= 8 else 2 if p.bits <= 16 else 4) for p in parts)


def usable_rate(*rates: Fraction | None) -> Fraction:
    """The first of these that is above 0: containers hold rates of 0 and below."""
    return next((Fraction(r) for r in rates if r is not None and r > 0), NOMINAL_RATE)
