"""Grey morphology with ellipses of any size, to a fraction of a pixel."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from vr180_ofx.arrays import FloatArray

#: How far an outline may be inside of the ellipse, in pixels: less than one sees, and less than what an edge of one pixel tells.
_SAGITTA = 0.05
#: Shares of a pixel below this are none: shifts by whole pixels stay exact.
_NO_SHARE = 1e-3


@dataclass(frozen=True, slots=True)
class Ellipse:
    """The places z = (x, y) from a pixel, in pixels, for which z' M^-1 z <= 1.

    xx, xy, yy: of the matrix M, pixels squared; a circle of radius r has r^2, 0 and r^2.
    """

    xx: float
    xy: float
    yy: float

    def __post_init__(self) -> None:
        if not (self.xx > 0 and self.yy > 0 and self.xy**2 < self.xx * self.yy):
            raise ValueError(f"xx {self.xx}, xy {self.xy}, yy {self.yy} are no ellipse")

    @classmethod
    def circle(cls, radius: float) -> Ellipse:
        """radius: above 0, pixels."""
        return cls(radius * radius, 0.0, radius * radius)

    @property
    def reach(self) -> tuple[float, float]:
        """How far it goes to each side, and up and down, in pixels."""
        return math.sqrt(self.xx), math.sqrt(self.yy)

    def scaled(self, factor: float) -> Ellipse:
        """So many times as large; factor: not 0."""
        square = factor * factor
        return Ellipse(self.xx * square, self.xy * square, self.yy * square)


def margins(ellipse: Ellipse) -> tuple[int, int]:
    """How many pixels more than the result `dilate_by` needs at each side, and above and below."""
    across, down = ellipse.reach
    return math.ceil(across) + 1, math.ceil(down) + 1


def dilate_by(values: FloatArray, ellipse: Ellipse, margin: tuple[int, int]) -> FloatArray:
    """The largest value under the ellipse around each pixel, where shares of pixels count linearly between whole ones.

    A straight edge, of any direction and ramp, moves by how far the ellipse goes in its direction, within 0.06 pixels: the ellipse is
    taken row by row, each from end to end to a fraction of a pixel, and where rows are too far apart there are some between them.

    values: (h + 2 down, w + 2 across) float32. margin: (across, down), at least `margins`. Returns (h, w).
    """
    across, down = margin
    least = margins(ellipse)
    if across < least[0] or down < least[1]:
        raise ValueError(f"a margin of {margin} is less than the {least} that this ellipse needs")
    height, width = values.shape[0] - 2 * down, values.shape[1] - 2 * across
    out = values[down : down + height, across : across + width].copy()
    whole, level, wider = 0, values, None
    for dy, dx, half_width in _rows(ellipse):
        while whole < math.floor(half_width):
            level, wider = wider if wider is not None else _widened(level, whole), None
            whole += 1
        share = half_width - whole
        line = level
        if share > _NO_SHARE:
            wider = _widened(level, whole) if wider is None else wider
            line = cv2.addWeighted(level, 1 - share, wider, share, 0)
        for sign in (1, -1) if dy or dx else (1,):
            np.maximum(out, _shifted(line, across + sign * dx, down + sign * dy, width, height), out=out)
    return out


def erode_by(values: FloatArray, ellipse: Ellipse, margin: tuple[int, int]) -> FloatArray:
    """The least value; otherwise as `dilate_by`."""
    out: FloatArray = -dilate_by(-values, ellipse, margin)
    return out


@lru_cache(256)
def _rows(ellipse: Ellipse) -> tuple[tuple[float, float, float], ...]:
    """(how far up or down, how far its middle is to the side, half its width) of each row of an ellipse; the narrowest first."""
    across, down = ellipse.reach
    lean = ellipse.xy / ellipse.yy
    widest = math.sqrt(max(0.0, ellipse.xx - ellipse.xy * lean))
    step = math.sqrt(8 * _SAGITTA / max(across, down))
    angles = sorted({math.asin(min(1.0, y / down)) for y in range(math.floor(down) + 1)} | {math.pi / 2})
    dense = [angles[0]]
    for angle in angles[1:]:
        # a chord of an arc of this angle is so far inside of it: radius * angle^2 / 8
        dense += _between(dense[-1], angle, step)
    return tuple((down * math.sin(a), lean * down * math.sin(a), widest * math.cos(a)) for a in reversed(dense))


def _between(low: float, high: float, step: float) -> Iterator[float]:
    count = max(1, math.ceil((high - low) / step - 1e-9))
    return (low + (high - low) * (k + 1) / count for k in range(count))


def _widened(level: FloatArray, whole: int) -> FloatArray:
    """From the largest of ``whole`` pixels to each side to that of one more; what lies beyond the array is left out."""
    out = level.copy()
    # two windows side by side leave nothing out between them, except from single pixels
    if whole:
        np.maximum(level[:, :-2], level[:, 2:], out=out[:, 1:-1])
    else:
        np.maximum(out[:, 1:], level[:, :-1], out=out[:, 1:])
        np.maximum(out[:, :-1], level[:, 1:], out=out[:, :-1])
    return out


def _shifted(values: FloatArray, x: float, y: float, width: int, height: int) -> FloatArray:
    """(height, width) of ``values`` from the place (x, y) on, linear between pixels."""
    left, top = math.floor(x + _NO_SHARE), math.floor(y + _NO_SHARE)
    share_x, share_y = x - left, y - top
    part = values[top : top + height + 1, left : left + width + 1]
    if share_y > _NO_SHARE:
        part = cv2.addWeighted(part[:height], 1 - share_y, part[1 : height + 1], share_y, 0)
    if share_x > _NO_SHARE:
        part = cv2.addWeighted(part[:height, :width], 1 - share_x, part[:height, 1 : width + 1], share_x, 0)
    return part[:height, :width]
