"""EXR files that hold something in a band of rows and constants elsewhere: most of a matte.

OpenEXR compresses every line, and an empty one costs as much as a full one: 0.43 of the 1.3 seconds that a frame of 6144x3072
took. Here the rows that matter are compressed and, once, a block of constants; the file is then put together from these. For ZIP and ZIPS
the blocks are ours (`exr_zip`) and the header is the library's; for PIZ all of it is, and the result is byte for byte what the library
makes of whole pictures (both under test).

Source of the layout: OpenEXR, "OpenEXR File Layout" (header, offset tables, chunks).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import OpenEXR

from vr180_ofx.arrays import shapes_repr
from vr180_ofx.output.exr_zip import RowArray, packed
from vr180_ofx.output.inspect import ends_whole
from vr180_ofx.storage import refuse_cut_off

#: Lines to a block; the other compressions are used on whole pictures.
_LINES = {OpenEXR.ZIPS_COMPRESSION: 1, OpenEXR.ZIP_COMPRESSION: 16, OpenEXR.PIZ_COMPRESSION: 32}
_LINES_OF_CODE = {int(compression): lines for compression, lines in _LINES.items()}
_OURS = (OpenEXR.ZIPS_COMPRESSION, OpenEXR.ZIP_COMPRESSION)
_MULTIPART = 0x1000


@dataclass(frozen=True, slots=True)
class RowPart:
    """A part of ``width`` x ``height`` pixels.

    name: of its view; empty in a file of one part. header: attributes. y0: the first row that the channels hold. channels: name ->
    (rows, width) half or float32. blank: name -> the value in all other rows.
    """

    name: str
    header: dict[str, Any]
    width: int
    height: int
    y0: int
    channels: Mapping[str, RowArray]
    blank: dict[str, float]

    def __repr__(self) -> str:
        return shapes_repr(self)

    @property
    def rows(self) -> int:
        """How many rows the channels hold."""
        return int(next(iter(self.channels.values())).shape[0])


def band(low: int, high: int, height: int, compression: Any) -> tuple[int, int]:
    """The rows that must be given for rows ``low`` to ``high`` (exclusive) to be held: whole blocks, at least one."""
    lines = _LINES.get(compression)
    if lines is None:
        return 0, height
    low, high = max(0, low), min(high, height)
    if high <= low:
        return 0, min(lines, height)
    return low // lines * lines, min(height, -(-high // lines) * lines)


class RowWriter:
    """Writes files of one compression. Safe to call from several threads."""

    def __init__(self, compression: Any) -> None:
        self._compression = compression
        self._blocks: dict[Any, list[bytes]] = {}

    def write(self, path: Path, parts: list[RowPart]) -> None:
        """Writes ``path``, which nobody else reads yet."""
        ours = self._compression in _OURS
        if not ours and all(part.rows == part.height for part in parts):
            _write(path, parts)
            if not ends_whole(path):
                # the library does not see whether its last bytes found room
                with open(path, "r+b") as stream:
                    refuse_cut_off(stream)
            return
        lines = _LINES[self._compression]
        blank = [self._blank(path, part) for part in parts]
        # of what we compress ourselves the library sees one block: for the header
        _write(path, [_first_block(part, lines) for part in parts] if ours else parts)
        with open(path, "r+b") as stream:
            data = stream.read()
            try:
                held = [_packed(part, lines) for part in parts] if ours else [dict(found) for found in _chunks(data)]
                whole = _assembled(data, parts, held, blank, lines)
            except (IndexError, ValueError, struct.error):
                refuse_cut_off(stream)
            stream.seek(0)
            stream.truncate()
            stream.writelines(whole)

    def _blank(self, path: Path, part: RowPart) -> list[bytes]:
        """The compressed blocks of constants: of a whole block, and of what is left at the picture's end."""
        lines = _LINES[self._compression]
        rows = min(part.height, lines + part.height % lines)
        kinds = {name: values.dtype for name, values in part.channels.items()}
        key = (part.width, rows, tuple((name, value, kinds[name].str) for name, value in part.blank.items()))
        if key not in self._blocks:
            channels: dict[str, RowArray] = {n: np.full((rows, part.width), value, kinds[n]) for n, value in part.blank.items()}
            if self._compression in _OURS:
                self._blocks[key] = list(packed(channels, lines))
            else:
                header = {"compression": self._compression, "type": OpenEXR.scanlineimage}
                _write(path, [RowPart("", header, part.width, rows, 0, channels, part.blank)])
                try:
                    self._blocks[key] = [data for _, data in _chunks(path.read_bytes())[0]]
                except (IndexError, ValueError, struct.error):
                    with open(path, "r+b") as stream:
                        refuse_cut_off(stream)
        return self._blocks[key]


def _first_block(part: RowPart, lines: int) -> RowPart:
    return replace(part, channels={name: values[:lines] for name, values in part.channels.items()})


def _packed(part: RowPart, lines: int) -> dict[int, bytes]:
    """y -> the compressed block that begins there."""
    return {part.y0 + k * lines: block for k, block in enumerate(packed(part.channels, lines))}


def _write(path: Path, parts: list[RowPart]) -> None:
    made = []
    for part in parts:
        header = part.header | {
            "dataWindow": (_point(0, part.y0), _point(part.width - 1, part.y0 + part.rows - 1)),
            "displayWindow": (_point(0, 0), _point(part.width - 1, part.height - 1)),
        }
        made.append(OpenEXR.Part(header, dict(part.channels), part.name) if part.name else OpenEXR.Part(header, dict(part.channels)))
    OpenEXR.File(made).write(str(path))


def _point(x: int, y: int) -> npt.NDArray[np.int32]:
    return np.array([x, y], np.int32)


def _assembled(data: bytes, parts: list[RowPart], held: list[dict[int, bytes]], blank: list[list[bytes]], lines: int) -> list[bytes]:
    """The file with the rows of each part, and those above and below. data: a file with the same headers. held: y -> block."""
    many = _is_multipart(data)
    headers, end = _headers(data)
    head = bytearray(data[:end])
    counts = [-(-part.height // lines) for part in parts]
    tables, blocks = [], []
    # headers keep their length, and so the chunks begin where they began, but for longer tables
    position = end + 8 * sum(counts)
    for number, (part, fields, count) in enumerate(zip(parts, headers, counts, strict=True)):
        struct.pack_into("<4i", head, fields["dataWindow"], 0, 0, part.width - 1, part.height - 1)
        if "chunkCount" in fields:
            struct.pack_into("<i", head, fields["chunkCount"], count)
        sizes = []
        for run in _runs(part, held[number], blank[number], lines):
            chunks, size = run.chunks(number if many else None, lines)
            blocks += chunks
            sizes.append(size)
        # each chunk begins where the one before ends
        ends = position + np.cumsum(np.concatenate(sizes))
        tables.append(np.concatenate([[position], ends[:-1]]).astype("<u8").tobytes())
        position = int(ends[-1])
    return [bytes(head), *tables, *blocks]


@dataclass(frozen=True, slots=True)
class _Run:
    """Blocks one after the other. y: of the first one. contents: theirs; or one for ``count`` of them that are equal."""

    y: int
    contents: list[bytes]
    count: int

    def chunks(self, number: int | None, lines: int) -> tuple[list[bytes], npt.NDArray[np.int64]]:
        """As they stand in the file, and how long each is. number: of the part, in a file of several."""
        sizes = np.fromiter(map(len, self.contents), np.int64, len(self.contents))
        fields = 2 if number is None else 3
        heads = np.empty((self.count, fields), "<i4")
        if number is not None:
            heads[:, 0] = number
        heads[:, -2] = self.y + lines * np.arange(self.count)
        heads[:, -1] = sizes
        if len(self.contents) < self.count:
            # thousands of lines hold nothing: put together as one picture of bytes
            same = np.empty((self.count, 4 * fields + len(self.contents[0])), np.uint8)
            same[:, : 4 * fields] = heads.view(np.uint8)
            same[:, 4 * fields :] = np.frombuffer(self.contents[0], np.uint8)
            return [same.tobytes()], np.full(self.count, same.shape[1])
        bits, step = heads.tobytes(), 4 * fields
        return [part for k, content in enumerate(self.contents) for part in (bits[k * step : k * step + step], content)], sizes + step


def _runs(part: RowPart, held: Mapping[int, bytes], blank: list[bytes], lines: int) -> Iterator[_Run]:
    """All blocks of a part from above: constants, those that are held, constants, and at the end one of fewer lines."""
    first, last = min(held), max(held)
    if first:
        yield _Run(0, blank[:1], first // lines)
    yield _Run(first, [held[y] for y in range(first, last + 1, lines)], (last - first) // lines + 1)
    below = last + lines
    whole = (part.height - below) // lines
    if whole > 0:
        yield _Run(below, blank[:1], whole)
        below += whole * lines
    if below < part.height:
        # its constants come last
        yield _Run(below, blank[-1:], 1)


def _is_multipart(data: bytes) -> bool:
    return bool(struct.unpack_from("<i", data, 4)[0] & _MULTIPART)


def _headers(data: bytes) -> tuple[list[dict[str, int]], int]:
    """Where in the file the value of each attribute lies, a dict per part; and where the headers end."""
    headers: list[dict[str, int]] = []
    at = 8
    while True:
        fields: dict[str, int] = {}
        while data[at]:
            name_end = data.index(0, at)
            type_end = data.index(0, name_end + 1)
            (size,) = struct.unpack_from("<i", data, type_end + 1)
            fields[data[at:name_end].decode()] = type_end + 5
            at = type_end + 5 + size
        at += 1
        headers.append(fields)
        if not _is_multipart(data):
            return headers, at
        if not data[at]:
            return headers, at + 1


def _chunks(data: bytes) -> list[list[tuple[int, bytes]]]:
    """(y, content) of every chunk of every part."""
    headers, at = _headers(data)
    many = _is_multipart(data)
    out = []
    for fields in headers:
        _, y0, _, y1 = struct.unpack_from("<4i", data, fields["dataWindow"])
        count = -(-(y1 - y0 + 1) // _LINES_OF_CODE[data[fields["compression"]]])
        found = []
        for offset in struct.unpack_from(f"<{count}Q", data, at):
            start = offset + (4 if many else 0)
            y, size = struct.unpack_from("<2i", data, start)
            found.append((y, data[start + 8 : start + 8 + size]))
        out.append(found)
        at += 8 * count
    return out
