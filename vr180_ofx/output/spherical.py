"""Stereo and spherical metadata in MP4 and MOV files: the boxes ``st3d`` and ``sv3d`` of Google's Spherical Video V2.

FFmpeg writes them only for streams whose side data it was given, which its Python binding cannot do; so they are put into the finished
file, into the video's sample entry, and everything that lies behind is told that it moved.
"""

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

from vr180_ofx.vr180.projection import Equirectangular, Projection

_STEREO = {"mono": 0, "tb": 1, "sbs": 2}
#: Boxes on the way from ``moov`` to the chunk offsets and sample entries.
_WAY = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
#: Bytes of a visual sample entry before the boxes in it: its header and ISO/IEC 14496-12's VisualSampleEntry.
_ENTRY = 8 + 78


def add_spherical(path: Path, out: Path, layout: str, projection: Projection) -> bool:
    """Writes the MP4 or MOV file ``path`` to ``out``, with what its picture is. False when there is nothing to say (flat and mono), or no
    place to say it; ``out`` is left as it is then. Raises OverflowError, OSError.

    layout: sbs, tb or mono. Fisheyes get the stereo layout alone: the format has no box for a fisheye's field of view.
    """
    boxes = b""
    if layout != "mono":
        boxes += _box(b"st3d", struct.pack(">IB", 0, _STEREO[layout]))
    if isinstance(projection, Equirectangular):
        across, down = projection.span_degrees
        # what is cut off at each side, in 0.32 fixed point of the whole sphere
        x, y = (min(round((1 - span / whole) / 2 * 2**32), 2**32 - 1) for span, whole in ((across, 360), (down, 180)))
        equi = _box(b"equi", struct.pack(">IIIII", 0, y, y, x, x))
        head = _box(b"prhd", struct.pack(">Iiii", 0, 0, 0, 0))
        boxes += _box(b"sv3d", _box(b"svhd", struct.pack(">I", 0) + b"vr180-ofx\0") + _box(b"proj", head + equi))
    if not boxes:
        return False
    with open(path, "rb") as stream:
        found = {name: (start, size) for name, start, size in _top(stream)}
        if b"moov" not in found:
            return False
        start, size = found[b"moov"]
        stream.seek(start)
        old = stream.read(size)
    # only what lies behind the header moves
    moves = found.get(b"mdat", (0, 0))[0] > start
    new = _edited(old, boxes, len(boxes) if moves else 0)
    if len(new) == len(old):
        return False
    with open(path, "rb") as source, open(out, "wb") as target:
        target.write(source.read(start))
        target.write(new)
        source.seek(start + size)
        shutil.copyfileobj(source, target, 1 << 22)
    return True


def _box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + name + body


def _top(stream: object) -> Iterator[tuple[bytes, int, int]]:
    """(name, start, size) of the boxes of a file."""
    position = 0
    while True:
        stream.seek(position)  # type: ignore[attr-defined]
        head = stream.read(16)  # type: ignore[attr-defined]
        if len(head) < 8:
            return
        size, name = struct.unpack(">I4s", head[:8])
        if size == 1:
            size = struct.unpack(">Q", head[8:16])[0]
        elif size == 0:
            size = stream.seek(0, 2) - position  # type: ignore[attr-defined]
        if size < 8:
            return
        yield name, position, size
        position += size


def _children(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    while start + 8 <= end:
        size, name = struct.unpack_from(">I4s", data, start)
        if size < 8 or start + size > end:
            return
        yield name, start, size
        start += size


def _edited(moov: bytes, boxes: bytes, moved: int) -> bytes:
    """``moov`` with ``boxes`` in its first video's sample entries. moved: what to add to the places of chunks."""
    return _rebuilt(moov, 0, len(moov), boxes, moved)[0]


def _rebuilt(data: bytes, start: int, end: int, boxes: bytes, moved: int) -> tuple[bytes, bool]:
    """(the box, whether something was put in)."""
    name = data[start + 4 : start + 8]
    body, changed = b"", False
    if name not in _WAY:
        if name in (b"stco", b"co64"):
            return _shifted(data[start:end], moved), False
        return data[start:end], False
    video = name != b"trak" or _is_video(data, start, end)
    for child, at, size in _children(data, start + 8, end):
        if child == b"stsd" and video:
            piece, added = _described(data[at : at + size], boxes)
        elif child == b"trak" and changed:
            # one video is enough; of the others only the chunks have moved
            piece, added = _rebuilt(data, at, at + size, b"", moved)
        else:
            piece, added = _rebuilt(data, at, at + size, boxes if video else b"", moved)
        changed |= added
        body += piece
    return _box(name, body), changed


def _is_video(data: bytes, start: int, end: int) -> bool:
    for child, at, size in _children(data, start + 8, end):
        if child == b"mdia":
            return any(c == b"hdlr" and data[a + 16 : a + 20] == b"vide" for c, a, _ in _children(data, at + 8, at + size))
    return False


def _described(stsd: bytes, boxes: bytes) -> tuple[bytes, bool]:
    if not boxes:
        return stsd, False
    body = stsd[8:16]
    for name, at, size in _children(stsd, 16, len(stsd)):
        body += _box(name, stsd[at + 8 : at + size] + boxes) if size >= _ENTRY else stsd[at : at + size]
    return _box(b"stsd", body), True


def _shifted(box: bytes, moved: int) -> bytes:
    if not moved:
        return box
    kind = ">I" if box[4:8] == b"stco" else ">Q"
    width = struct.calcsize(kind)
    out = bytearray(box)
    for k in range(struct.unpack_from(">I", box, 12)[0]):
        place = 16 + k * width
        value = struct.unpack_from(kind, box, place)[0] + moved
        if value >= 2 ** (8 * width):
            raise OverflowError("the file is too large for its table of chunks")
        struct.pack_into(kind, out, place, value)
    return bytes(out)
