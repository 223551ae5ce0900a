"""How long a Matroska file says that it is (RFC 8794, section 4 and 5; RFC 9559)."""

from __future__ import annotations

from pathlib import Path

from vr180_ofx.media.files import readable

_EBML = bytes.fromhex("1a45dfa3")
_SEGMENT = bytes.fromhex("18538067")


def segment_end(path: Path) -> int:
    """The byte at which the segment, and with it the file, ends; 0 where the file does not say (a recording that never finished)."""
    with readable(path) as name, open(name, "rb") as stream:
        head = stream.read(64)
        if not head.startswith(_EBML):
            return 0
        length, size = _number(head[4:])
        start = 4 + length + size
        stream.seek(start)
        head = stream.read(16)
        if not head.startswith(_SEGMENT):
            return 0
        length, size = _number(head[4:])
        # all bits set: the size was not known when the header was written
        unknown = length == 0 or size == (1 << 7 * length) - 1
        return 0 if unknown else start + 4 + length + size


def _number(data: bytes) -> tuple[int, int]:
    """A variable-size integer: (its own length in bytes, its value); (0, 0) when it is none."""
    length = 9 - data[0].bit_length() if data else 9
    if length > 8 or len(data) < length:
        return 0, 0
    return length, int.from_bytes(data[:length], "big") & ((1 << 7 * length) - 1)
