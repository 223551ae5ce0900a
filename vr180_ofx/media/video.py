"""Exact random access to video by PyAV.

Reading frame n after n - 1 goes on decoding; reading any other frame seeks to its keyframe and decodes at most one
group of pictures.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame

from vr180_ofx.arrays import Array
from vr180_ofx.errors import ClipChangedError, FrameError, FrameIndexError
from vr180_ofx.media.colour import display_transform, tags_from_codes, with_colorspace
from vr180_ofx.media.container import decoder_options, first_video, open_container
from vr180_ofx.media.contract import ColourTags, EyeImage
from vr180_ofx.media.files import file_identity, picture_limit, readable
from vr180_ofx.media.hardware import CardFrame, CardFrames, UnreadableSurface, open_accelerated, say_once
from vr180_ofx.media.index import FrameIndex
from vr180_ofx.media.index_file import load_index
from vr180_ofx.media.picture import RgbEye, YuvEye
from vr180_ofx.vr180.layout import Layout

log = logging.getLogger(__name__)
#: In the memory that the decoder writes to, or in tensors on a graphics card.
DecodedFrame = VideoFrame | CardFrame


class VideoReader:
    """Decodes one video file. Safe to call from several threads; each read holds the decoder for itself.

    seeks: how often the decoder had to be repositioned. decoded: how many frames it has put out.
    """

    def __init__(
        self, path: Path, threads: int = 0, *, fast: bool = False, gpu: bool = False, card: str | None = None, limit: int | None = None
    ) -> None:  # fmt: skip
        """threads: decoder threads, 0 for one per core. fast: skip the loop filter (for analysis, not for output).

        gpu: decode with the graphics card where it can. Not together with ``fast``, whose pictures only the CPU makes: what is
        found in a clip must not depend on the machine. card: the CUDA device, with its number, on which frames that it decodes stay, as
        `CardFrame`; None: they come down. What the card does not decode the CPU does, and that is said once.
        limit: bytes that a picture may take, see `picture_limit`.
        """
        self.path = path
        self.limit = picture_limit() if limit is None else limit
        self.index: FrameIndex = load_index(path, self.limit)
        self.seeks = 0
        self.decoded = 0
        self._identity = file_identity(path)
        self._threads = threads
        self._fast = fast
        self._gpu = gpu and not fast
        self._card = card
        #: Takes frames off the decoder while it leaves them on the card.
        self._taking: CardFrames | None = None
        self._bits = 8
        self._lock = threading.Lock()
        self._container: av.container.InputContainer | None = None
        self._frames: Iterator[VideoFrame] | None = None
        self._position = -1  # index of the frame that the decoder delivered last
        self._recent: OrderedDict[int, DecodedFrame] = OrderedDict()
        self._by_pts = {int(p): i for i, p in enumerate(self.index.pts)}
        self._ordinal = 0

    def __len__(self) -> int:
        return len(self.index)

    @property
    def on_card(self) -> bool:
        """Whether frames come from a graphics card's decoder, and stay there: known once one was read."""
        return self._taking is not None

    def close(self) -> None:
        """Lets the decoder and its frames go; the next `read` opens it again."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        self._frames = None
        self._recent.clear()
        if self._taking is not None:
            self._taking.close()
            self._taking = None
        if self._container is not None:
            self._container.close()
            self._container = None
        self._position = -1

    def _open(self) -> Any:
        accelerated = None
        if self._gpu:
            with readable(self.path) as name:
                accelerated = open_accelerated(name, self._card)
        self._container = accelerated or open_container(self.path, self.limit)
        stream = first_video(self._container, self.path, self.limit)
        context = stream.codec_context
        if accelerated is not None and context.is_hwaccel:
            # one thread feeds the card; more would only hold more of its surfaces
            context.thread_count = 1
            if self._card is not None:
                self._taking = CardFrames(self._card)
                self._bits = max((c.bits for c in context.format.components), default=8) if context.format is not None else 8
            return stream
        if accelerated is not None:
            say_once(self.path, f"its decoder knows no {context.name}")
            self._gpu = False
        context.thread_type = "FRAME" if "FRAME" in str(context.thread_type) or self._threads != 1 else "NONE"
        context.thread_count = self._threads
        context.options = decoder_options(self.limit) | ({"skip_loop_filter": "all"} if self._fast else {})
        return stream

    def read(self, n: int) -> DecodedFrame:
        """The decoded frame at position ``n`` (0-based, presentation order).

        Raises FrameError when this frame cannot be decoded, ClipChangedError when the file is no longer the same.
        """
        if not 0 <= n < len(self.index):
            raise FrameIndexError(n, len(self.index))
        with self._lock:
            self.check()
            if int(self.index.pts[n]) in self.index.damaged:
                raise FrameError(self.path, n, "its data is cut off or damaged")
            if n in self._recent:
                return self._recent[n]
            try:
                frame = self._find(n)
                if frame is None and self._taking is not None:
                    raise UnreadableSurface(f"it gives no frame {n}")
            except UnreadableSurface as problem:
                say_once(self.path, str(problem))
                self._gpu = False
                self._close()
                frame = self._find(n)
            if frame is None or frame.is_corrupt:
                raise FrameError(self.path, n, "its data is missing or damaged")
            return frame

    def _find(self, n: int) -> DecodedFrame | None:
        """The frame, from wherever the decoder stands; None when it does not come."""
        # going on beats seeking while the wanted frame lies ahead and no keyframe lies in between
        ahead = self._frames is not None and self._position < n
        behind_keyframe = not ahead or int(self.index.key[n]) > int(self.index.pts[max(self._position, 0)])
        if behind_keyframe and not (ahead and n == self._position + 1):
            self._seek(n)
        frame = self._advance(n)
        if frame is None:
            # a damaged stretch can swallow frames, and some formats seek past their goal: one more try from afar
            self._seek(n, afar=True)
            frame = self._advance(n)
        return frame

    def check(self) -> None:
        """Raises ClipChangedError when the file is no longer the one that was opened."""
        if self._identity != _identity_or_none(self.path):
            raise ClipChangedError(self.path)

    def _seek(self, n: int, *, afar: bool = False) -> None:
        if self._container is None:
            self._open()
        assert self._container is not None
        stream = first_video(self._container, self.path, self.limit)
        self._recent.clear()
        fresh = self._frames is None and self._position == -1
        goal = n
        if afar:
            # the keyframe before the one that should have been enough
            goal = max(0, int(np.searchsorted(self.index.pts, int(self.index.key[n]))) - 1) if not self.index.by_ordinal else 0
        if not (fresh and int(self.index.key[goal]) == int(self.index.key[0])):
            self.seeks += 1
            try:
                if self.index.by_bytes:
                    self._container.seek(int(self.index.seek[goal]), backward=True, unsupported_byte_offset=True)
                else:
                    self._container.seek(int(self.index.seek[goal]), stream=stream, backward=True)
            except av.error.FFmpegError:
                # formats that cannot seek: start over
                self._close()
                stream = self._open()
        self._ordinal = int(self.index.key[goal])
        self._frames = self._decode(stream)
        self._position = -1

    def _decode(self, stream: Any) -> Iterator[VideoFrame]:
        assert self._container is not None
        packets = self._container.demux(stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError as error:
                log.warning("%s: reading stops early: %s", self.path, error.strerror)
                with contextlib.suppress(av.error.FFmpegError):
                    yield from stream.decode(None)
                return
            if self.index.by_ordinal and packet.size:
                packet.pts = packet.dts = self._ordinal
                self._ordinal += 1
            try:
                yield from packet.decode()
            except av.error.FFmpegError as error:
                log.warning("%s: a packet at %s cannot be decoded: %s", self.path, packet.pts, error.strerror)

    def _advance(self, n: int) -> DecodedFrame | None:
        """Decodes until frame ``n`` comes out; None when the decoder goes past it."""
        assert self._frames is not None
        for decoded in self._frames:
            self.decoded += 1
            position = self._by_pts.get(int(decoded.pts)) if decoded.pts is not None else None
            if position is None:
                continue  # discarded by an edit list, or not decodable on its own
            frame = self._taken(decoded)
            self._position = position
            self._recent[position] = frame
            while len(self._recent) > 2:
                self._recent.popitem(last=False)
            if position == n:
                return frame
            if position > n:
                return None
        self._frames = None
        self._position = -1
        return None

    def _taken(self, frame: VideoFrame) -> DecodedFrame:
        """Off the card's decoder, where it is on one. Raises UnreadableSurface when the card does not do its work."""
        if self._taking is None:
            return frame
        if frame.format.name != "cuda":
            # FFmpeg fell back to the CPU, on the one thread that was meant to feed the card
            raise UnreadableSurface(f"it does not take this {frame.format.name}")
        return self._taking.taken(frame, self._bits)


def _identity_or_none(path: Path) -> tuple[int, int] | None:
    try:
        return file_identity(path)
    except OSError:
        return None


class FrameConverter:
    """Turns decoded frames into eyes without copying: planes stay where they are."""

    def __init__(self, layout: Layout, colorspace: str = "auto") -> None:
        self.layout = layout
        self._colorspace = colorspace
        self._tags: dict[tuple[Any, ...], ColourTags] = {}

    def tags(self, frame: DecodedFrame) -> ColourTags:
        fmt = frame.format
        key = (fmt.name, int(frame.colorspace), int(frame.color_range), int(frame.color_trc), int(frame.color_primaries))
        if key not in self._tags:
            matrix, range_, transfer, primaries = key[1:]
            tags = tags_from_codes(
                matrix=matrix, range_=range_, transfer=transfer, primaries=primaries, height=frame.height, rgb=bool(fmt.is_rgb)
            )
            if fmt.name.startswith("yuvj"):
                tags = ColourTags(tags.matrix, True, tags.transfer, tags.primaries, None, tags.assumed)
            self._tags[key] = with_colorspace(tags, self._colorspace)
        return self._tags[key]

    def eyes(self, frame: DecodedFrame) -> dict[str, EyeImage]:
        tags = self.tags(frame)
        transform = display_transform(tags)
        width, height = self.layout.eye_size
        fmt = frame.format
        bits = fmt.components[0].bits if fmt.components else 8
        eyes: dict[str, EyeImage] = {}
        if fmt.is_rgb and isinstance(frame, VideoFrame):
            wide = bits > 8
            name = "rgb48le" if wide else "rgb24"
            pixels = frame.to_ndarray(format=name)
            for view in self.layout.views:
                eyes[view] = RgbEye(pixels, self.layout.origin(view), width, height, transform, tags)
            return eyes
        if isinstance(frame, VideoFrame) and not _planar(frame):
            frame = frame.reformat(format=_planar_name(frame))
            fmt = frame.format
            bits = fmt.components[0].bits
        y = _plane(frame, 0, bits)
        grey = len(frame.planes) < 3
        u = None if grey else _plane(frame, 1, bits)
        v = None if grey else _plane(frame, 2, bits)
        chroma = (1, 1)
        if u is not None:
            chroma = (-(-frame.width // u.shape[1]), -(-frame.height // u.shape[0]))
        # 4:2:0 and 4:2:2 are left-sited unless tagged otherwise: the chroma sample sits on the even luma column
        shift = -0.5 if chroma[0] == 2 and not fmt.name.startswith("yuvj") else 0.0
        for view in self.layout.views:
            eyes[view] = YuvEye(y, u, v, chroma, bits, tags, self.layout.origin(view), width, height, transform, shift)
        return eyes


def _planar(frame: VideoFrame) -> bool:
    name = frame.format.name
    little = not name.endswith("be")
    return little and (name.startswith(("yuv4", "yuvj4", "yuva4")) or name in ("gray", "gray10le", "gray12le", "gray16le"))


def _planar_name(frame: VideoFrame) -> str:
    """The planar format with the same sampling and depth, so that swscale only moves samples."""
    name = frame.format.name
    bits = max((c.bits for c in frame.format.components), default=8)
    if name.startswith(("gray", "ya", "mono")):
        return "gray16le" if bits > 8 else "gray"
    wide = frame.format.chroma_width(64) == 64
    tall = frame.format.chroma_height(64) == 64
    sampling = "444" if wide else "422" if tall else "420"
    return f"yuv{sampling}p" + {8: "", 10: "10le", 12: "12le"}.get(bits, "16le" if bits > 8 else "")


def _plane(frame: DecodedFrame, number: int, bits: int) -> Array:
    if isinstance(frame, CardFrame):
        return frame.planes[number]
    plane = frame.planes[number]
    kind = np.dtype(np.uint16 if bits > 8 else np.uint8)
    rows: Array = np.frombuffer(memoryview(plane), kind).reshape(plane.height, plane.line_size // kind.itemsize)
    view: Array = rows[:, : plane.width]
    return view
