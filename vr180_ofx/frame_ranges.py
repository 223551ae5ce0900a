"""Ranges of frames as people write them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from vr180_ofx.errors import SettingsError
from vr180_ofx.wording import short

_RANGE = re.compile(r"\s*([0-9]+)\s*(?:-\s*([0-9]+)\s*)?")
#: Digits of a frame number: more than a clip of a year has frames.
_DIGITS = 12


def frame_ranges(text: str) -> list[tuple[int, int]] | None:
    """``1-48,100`` -> [(1, 48), (100, 100)]; None for ``all``."""
    if text.strip().lower() == "all":
        return None
    ranges = []
    for part in text.split(","):
        match = _RANGE.fullmatch(part)
        if match is None or any(len(n or "") > _DIGITS for n in match.groups()):
            raise SettingsError(f"input.frames is {short(text)}; allowed are 'all' and ranges counted from 0 such as 1-48,100")
        first = int(match.group(1))
        last = first if match.group(2) is None else int(match.group(2))
        if last < first:
            raise SettingsError(f"input.frames has the range {short(part.strip())}; its first frame comes after its last")
        ranges.append((first, last))
    return ranges


def parse_frames(text: str, count: int) -> list[int]:
    """``all`` or ``1-48,100`` (0-based, both ends included) -> the sorted frame positions of a clip of ``count`` frames."""
    ranges = frame_ranges(text)
    if ranges is None:
        return list(range(count))
    chosen: list[int] = []
    # sorted, what overlaps is gone through once, however many ranges there are
    for first, last in sorted(ranges):
        if first >= count:
            raise SettingsError(f"input.frames asks for frame {first}; the clip has frames 0..{count - 1}")
        begin = max(first, chosen[-1] + 1 if chosen else 0)
        chosen.extend(range(begin, min(last, count - 1) + 1))
    return chosen


def ranges_text(frames: Iterable[int]) -> str:
    """[1, 2, 3, 7] -> '1-3, 7'."""
    parts: list[list[int]] = []
    for n in frames:
        if parts and n == parts[-1][1] + 1:
            parts[-1][1] = n
        else:
            parts.append([n, n])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)
