"""Ranges of frames as people write them."""

from __future__ import annotations

from vr180_ofx.errors import SettingsError
from vr180_ofx.wording import short


def frame_ranges(text: str) -> list[tuple[int, int]] | None:
    """``1-48,100`` -> [(1, 48), (100, 100)]; None for ``all``."""
    if text.strip().lower() == "all":
        return None
    ranges = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        try:
            a = int(first)
            b = int(last) if dash else a
        except ValueError:
            raise SettingsError(f"input.frames is {short(text)}; allowed are 'all' and ranges counted from 0 such as 1-48,100") from None
        if a < 0 or b < a:
            raise SettingsError(f"input.frames has the range {short(part.strip())}; its first frame comes after its last")
        ranges.append((a, b))
    return ranges


def parse_frames(text: str, count: int) -> list[int]:
    """``all`` or ``1-48,100`` (0-based, both ends included) -> the sorted frame positions of a clip of ``count`` frames."""
    ranges = frame_ranges(text)
    if ranges is None:
        return list(range(count))
    chosen: set[int] = set()
    for a, b in ranges:
        if a >= count:
            raise SettingsError(f"input.frames asks for frame {a}; the clip has frames 0..{count - 1}")
        chosen.update(range(a, min(b, count - 1) + 1))
    return sorted(chosen)


def ranges_text(frames: list[int]) -> str:
    """[1, 2, 3, 7] -> '1-3, 7'."""
    parts: list[list[int]] = []
    for n in frames:
        if parts and n == parts[-1][1] + 1:
            parts[-1][1] = n
        else:
            parts.append([n, n])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)
