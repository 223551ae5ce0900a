"""SMPTE timecode: the name of a frame by the clock of the camera or of the edit (SMPTE ST 12-1).

At 29.97 and 59.94 frames a second two numbers (four at 59.94) are left out at each minute but every tenth, so that the clock is right
after ten minutes: drop-frame. It is the count that drops them, never the pictures.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction

_TEXT = re.compile(r"([0-9]{1,2}):([0-9]{2}):([0-9]{2})([:;.,])([0-9]{2,3})")
#: Numbers that drop-frame leaves out at a minute, for each 30 frames of the rate (ST 12-1, 5.2.2).
_DROPPED = 2
#: Frames a second above which a header counts pairs of frames, and where its 32 bits have the two flags (OpenEXR's TV60 packing).
_PAIRS_ABOVE = 30
_DROP, _SECOND = 6, 15


def is_timecode(text: str) -> bool:
    """Whether ``text`` is written as a timecode: 01:00:00:00, or 01:00:00;00 for drop-frame."""
    return _TEXT.fullmatch(text.strip()) is not None


@dataclass(frozen=True, slots=True)
class Timecode:
    """The timecode of a frame.

    frame: how many frames it lies after 00:00:00:00, within a day. rate: numbers that a second has (30 for 29.97). drop: drop-frame.
    """

    frame: int
    rate: int
    drop: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.rate <= 1000 or (self.drop and self.rate % 30):
            raise ValueError(f"a timecode of {self.rate} frames a second{', drop-frame' if self.drop else ''}; drop-frame has 30 or 60")
        object.__setattr__(self, "frame", self.frame % self.day)

    @property
    def _left_out(self) -> int:
        return _DROPPED * self.rate // 30 if self.drop else 0

    @property
    def day(self) -> int:
        """Frames of a day, after which it begins again."""
        return 24 * 3600 * self.rate - 24 * 54 * self._left_out

    @staticmethod
    def of(text: str, fps: Fraction) -> Timecode:
        """From text such as 01:00:00:00; a semicolon before the frames means drop-frame, where `droppable`.

        Raises ValueError when it is none, or none that ``fps`` has.
        """
        match = _TEXT.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text.strip()[:40]!r} is no timecode; one is written 01:00:00:00, with drop-frame 01:00:00;00")
        hours, minutes, seconds, frames = (int(match.group(k)) for k in (1, 2, 3, 5))
        return Timecode.at((hours, minutes, seconds, frames), round(fps), drop=match.group(4) == ";" and droppable(round(fps)))

    @staticmethod
    def at(parts: tuple[int, int, int, int], rate: int, *, drop: bool) -> Timecode:
        """From hours, minutes, seconds and frames. Raises ValueError for numbers that a clock of ``rate`` does not show."""
        hours, minutes, seconds, frames = parts
        zero = Timecode(0, rate, drop)
        said = f"{hours:02d}:{minutes:02d}:{seconds:02d}{';' if drop else ':'}{frames:02d}"
        if hours > 23 or minutes > 59 or seconds > 59 or frames >= rate:
            raise ValueError(f"the timecode {said} does not exist at {rate} frames a second; it goes to 23:59:59:{rate - 1:02d}")
        if seconds == 0 and minutes % 10 and frames < zero._left_out:
            raise ValueError(f"the timecode {said} does not exist: drop-frame leaves it out; the minute begins with {zero._left_out:02d}")
        total = 60 * hours + minutes
        return replace(zero, frame=(60 * total + seconds) * rate + frames - zero._left_out * (total - total // 10))

    @staticmethod
    def of_header(bits: int, fps: Fraction) -> Timecode:
        """From the 32 bits of an EXR's or DPX's header: decimal digits, and the flags of drop-frame and of the second frame of a pair (ST
        12-1 counts pairs above 30 frames a second). Raises ValueError for digits that no clock shows.
        """
        rate = round(fps)
        # each pair of digits leaves room for flags above it
        hours, minutes, seconds, frames = (_digits(bits >> shift & mask) for shift, mask in ((24, 0x3F), (16, 0x7F), (8, 0x7F), (0, 0x3F)))
        if rate > _PAIRS_ABOVE:
            frames = 2 * frames + (bits >> _SECOND & 1)
        return Timecode.at((hours, minutes, seconds, frames), rate, drop=droppable(rate) and bool(bits >> _DROP & 1))

    @property
    def header(self) -> tuple[int, int, int, int, bool, bool]:
        """As headers have it: hours, minutes, seconds, frames (of which a second has 30 at most), drop-frame, second frame of a pair."""
        hours, minutes, seconds, frames = self.parts
        if self.rate <= _PAIRS_ABOVE:
            return hours, minutes, seconds, frames, self.drop, False
        pair, second = divmod(frames, 2)
        return hours, minutes, seconds, pair, self.drop, bool(second)

    @property
    def parts(self) -> tuple[int, int, int, int]:
        """Hours, minutes, seconds and frames, as they are shown."""
        count = self.frame
        if self.drop:
            tens, rest = divmod(count, 600 * self.rate - 9 * self._left_out)
            minutes = max(0, rest - self._left_out) // (60 * self.rate - self._left_out)
            count += self._left_out * (9 * tens + minutes)
        seconds, frames = divmod(count, self.rate)
        return seconds // 3600, seconds // 60 % 60, seconds % 60, frames

    def __add__(self, frames: int) -> Timecode:
        return replace(self, frame=self.frame + frames)

    def until(self, other: Timecode) -> int:
        """How many frames ``other``, of the same clock, comes after this one: from 0, over midnight if need be."""
        return (other.frame - self.frame) % self.day

    def __str__(self) -> str:
        hours, minutes, seconds, frames = self.parts
        return f"{hours:02d}:{minutes:02d}:{seconds:02d}{';' if self.drop else ':'}{frames:02d}"


def _digits(packed: int) -> int:
    tens, ones = divmod(packed, 16)
    if ones > 9:
        raise ValueError(f"{packed:#x} is no pair of decimal digits")
    return 10 * tens + ones


def droppable(rate: int) -> bool:
    """Whether numbers can be dropped at ``rate`` a second. Files of exactly 30 frames a second that say so are counted as they say, and as
    FFmpeg counts them: their numbers have to be found again in other programs.
    """
    return rate % 30 == 0
