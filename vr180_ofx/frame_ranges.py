"""Frames as people name them: the numbers that output files carry, ranges of them, and timecodes.

Inside the program, in Python and over HTTP frames are counted from 0: these are called *index*. On the command line, in settings and
in all messages they are called by the *number* of their file. Where an index becomes a number, or a number an index, it does so by a
`Numbering`, which `media.numbering.numbering` makes of a clip and its settings::

    numbers = numbering(clip, settings)
    numbers.number(9)                 # 1010, where the first file is clip.1001.exr
    numbers.index_of("1010")          # 9; timecodes are understood, too; raises SettingsError with what is allowed
    numbers.parse("1010-1020x2,1030") # [9, 11, 13, 15, 17, 19, 29]
    numbers.text([9, 10, 11, 29])     # "1010-1012, 1030"
    numbers.told("cut at #9")         # "cut at 1010": notes that are kept (a plan's) name frames as #index, see `mark`
    numbers.file(9)                   # "clip.1010.exr"
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from vr180_ofx.errors import SettingsError
from vr180_ofx.timecode import Timecode, is_timecode
from vr180_ofx.wording import short

_POINT = r"[0-9]+(?::[0-9]+:[0-9]+[:;.][0-9]+)?"
_RANGE = re.compile(rf"\s*({_POINT})\s*(?:-\s*({_POINT})\s*(?:x\s*([0-9]+)\s*)?)?")
#: Digits of a frame number: more than a clip of a year has frames.
_DIGITS = 12
#: What ranges that count from 0 begin with, whatever the files' numbers are: what `input.frames` meant before version 0.3.0.
INDEX = "index:"
_ALLOWED = f"'all', ranges of output frame numbers such as 1010-1020x2,1030, or timecodes; '{INDEX}0-10' counts from 0"
_MARK = re.compile(r"#([0-9]+)(?:-([0-9]+))?")


class FrameRange(NamedTuple):
    """From ``first`` to ``last``, both included, each ``step``-th. A point is a number, or a timecode's text."""

    first: int | str
    last: int | str
    step: int = 1


def frame_ranges(text: str, what: str = "input.frames") -> list[FrameRange] | None:
    """``1-48,100-120x2`` -> [(1, 48, 1), (100, 120, 2)]; None for ``all``. what: what is being read, for messages. Raises SettingsError."""
    text = text.strip()
    if text.lower() == "all":
        return None
    ranges = []
    for part in text.removeprefix(INDEX).split(","):
        match = _RANGE.fullmatch(part)
        if match is None or any(len(n or "") > _DIGITS for n in match.groups()) or (match.group(3) or "1").strip("0") == "":
            raise SettingsError(f"{what} is {short(text)}; allowed are {_ALLOWED}")
        first = _point(match.group(1), text, what)
        last = first if match.group(2) is None else _point(match.group(2), text, what)
        if isinstance(first, int) and isinstance(last, int) and last < first:
            raise SettingsError(f"{what} has the range {short(part.strip())}; its first frame comes after its last")
        ranges.append(FrameRange(first, last, int(match.group(3) or 1)))
    return ranges


def _point(text: str, whole: str, what: str) -> int | str:
    if text.isdigit():
        return int(text)
    if not is_timecode(text):
        raise SettingsError(f"{what} is {short(whole)}; {short(text)} is no timecode: one is written 01:00:00:00")
    return text


@dataclass(frozen=True, slots=True)
class Numbering:
    """How the frames of one clip are called: which number the first one has, and which timecode.

    count: frames of the clip. start: the number of the frame at index 0, as its output file has it. name: what files are called
    after. timecode: of the frame at index 0; None where the clip has none.
    """

    count: int
    start: int = 0
    name: str = "clip"
    timecode: Timecode | None = None

    @property
    def last(self) -> int:
        """The number of the clip's last frame."""
        return self.start + self.count - 1

    def number(self, index: int) -> int:
        """The number of the frame at ``index``, which may lie outside the clip."""
        return index + self.start

    def file(self, index: int, suffix: str = ".exr") -> str:
        """What the file of a frame is called where each frame has one."""
        return f"{self.name}.{self.number(index):04d}{suffix}"

    def timecode_of(self, index: int) -> Timecode | None:
        """The timecode of the frame at ``index``; None where the clip has none."""
        return None if self.timecode is None else self.timecode + index

    def index(self, number: int, what: str = "frame") -> int:
        """Where the frame with ``number`` lies, counted from 0. what: what is being read. Raises SettingsError outside the clip."""
        if not self.start <= number <= self.last:
            raise SettingsError(f"{what} asks for frame {number}; the clip has frames {self.allowed}")
        return number - self.start

    @property
    def allowed(self) -> str:
        """The clip's frames in words."""
        clock = "" if self.timecode is None else f" (timecode {self.timecode} to {self.timecode_of(self.count - 1)})"
        return f"{self.start} to {self.last}{clock}"

    def index_of(self, text: str, what: str = "frame") -> int:
        """The index of one frame that is named by its number or its timecode. Raises SettingsError."""
        ranges = frame_ranges(text, what)
        if ranges is None or len(ranges) != 1 or ranges[0].first != ranges[0].last:
            raise SettingsError(f"{what} is {short(text)}; it is one frame of {self.allowed}")
        return self._based(text)._index(ranges[0].first, what)

    def parse(self, text: str, what: str = "input.frames") -> list[int]:
        """``all``, or ranges such as ``1010-1020x2,1030``: the indices that are meant, ascending, each once.

        Ends of ranges are included; a range may reach beyond the clip's last frame, never begin there. Raises SettingsError.
        """
        numbers = self._based(text)
        ranges = frame_ranges(text, what)
        if ranges is None:
            return list(range(self.count))
        whole: list[tuple[int, int]] = []
        stepped: set[tuple[int, int, int]] = set()
        for first, last, step in ranges:
            begin = numbers._index(first, what)
            end = begin if last == first else min(numbers._end(last, what), self.count - 1)
            if end < begin:
                raise SettingsError(f"{what} has the range {short(f'{first}-{last}')}; its first frame comes after its last")
            if step == 1:
                whole.append((begin, end))
            else:
                stepped.add((begin, end, step))
        # what overlaps is gone through once, however many ranges there are
        chosen = bytearray(self.count)
        at = 0
        for begin, end in sorted(whole):
            at = max(at, begin)
            if end >= at:
                chosen[at : end + 1] = b"\1" * (end + 1 - at)
                at = end + 1
        for begin, end, step in stepped:
            chosen[begin : end + 1 : step] = b"\1" * len(range(begin, end + 1, step))
        return [n for n, asked in enumerate(chosen) if asked]

    def _based(self, text: str) -> Numbering:
        return Numbering(self.count, 0, self.name, self.timecode) if text.strip().startswith(INDEX) else self

    def _index(self, point: int | str, what: str) -> int:
        index = self._end(point, what)
        if not 0 <= index < self.count:
            hint = f"; '{INDEX}...' counts from 0" if index < 0 else ""
            raise SettingsError(f"{what} asks for frame {point}; the clip has frames {self.allowed}{hint}")
        return index

    def _end(self, point: int | str, what: str) -> int:
        """As `_index`, of what may lie behind the clip's end."""
        if isinstance(point, int):
            return point - self.start
        if self.timecode is None:
            raise SettingsError(f"{what} has the timecode {point}, and the clip has none; its frames are {self.allowed}")
        t = self.timecode
        hours, minutes, seconds, frames = (int(n) for n in re.split("[:;.,]", point))
        try:
            return t.until(Timecode.at((hours, minutes, seconds, frames), t.rate, drop=t.drop))
        except ValueError as error:
            raise SettingsError(f"{what}: {error}") from None

    def text(self, indices: Iterable[int]) -> str:
        """Frames in words, by their numbers: [9, 10, 11, 29] -> ``1010-1012, 1030``."""
        return ranges_text(map(self.number, indices))

    def told(self, note: str) -> str:
        """A note that is kept, with the numbers of now: ``#9-11`` becomes ``1010-1012``. See `mark`."""

        def numbered(match: re.Match[str]) -> str:
            first, last = match.groups()
            return str(self.number(int(first))) + ("" if last is None else f"-{self.number(int(last))}")

        return _MARK.sub(numbered, note)


def mark(indices: Iterable[int]) -> str:
    """Frames in a note that is kept longer than their numbers, such as a plan's: [3, 4, 5, 7] -> ``#3-5, #7``; see `Numbering.told`."""
    return ", ".join(f"#{part}" for part in ranges_text(indices).split(", "))


def parse_frames(text: str, count: int) -> list[int]:
    """``all`` or ``1-48,100`` (counted from 0, both ends included) -> the sorted indices of a clip of ``count`` frames."""
    return Numbering(count).parse(text)


def ranges_text(frames: Iterable[int]) -> str:
    """[1, 2, 3, 7] -> '1-3, 7': of whatever numbers; see `Numbering.text`."""
    parts: list[list[int]] = []
    for n in frames:
        if parts and n == parts[-1][1] + 1:
            parts[-1][1] = n
        else:
            parts.append([n, n])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)
