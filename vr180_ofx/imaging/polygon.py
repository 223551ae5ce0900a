"""Polygons as coverage."""

from __future__ import annotations

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.rect import Rect

#: Lines that are looked at in each row of pixels. Along them coverage is exact, across them it is a mean: slanted edges are off by less
#: than 1/16 of a step of eight bits... of coverage 1/32, which is what half-transparent edges of mattes are themselves off by.
_LINES = 16


def coverage(points: FloatArray, rect: Rect) -> FloatArray:
    """How much of each pixel of ``rect`` lies in a polygon, (rect.height, rect.width) float32, 0..1.

    points: (n, 2) continuous pixels, closed; where it crosses itself, what it goes around an even number of times is outside.
    """
    rows = rect.height * _LINES
    out = np.zeros((rows, rect.width + 2), np.float32)
    if rect.empty:
        return np.zeros((rect.height, rect.width), np.float32)
    start = np.asarray(points, np.float64) - (rect.x0, rect.y0)
    end = np.roll(start, -1, axis=0)
    lines, places = [], []
    for (x0, y0), (x1, y1) in zip(start, end, strict=True):
        # lines at (k + 0.5) / _LINES, an end belongs to the part below it
        low, high = sorted((y0, y1))
        first, last = (int(np.clip(np.ceil(v * _LINES - 0.5), 0, rows)) for v in (low, high))
        if first < last:
            k = np.arange(first, last)
            lines.append(k)
            places.append(x0 + (x1 - x0) * ((k + 0.5) / _LINES - y0) / (y1 - y0))
    if lines:
        line, place = np.concatenate(lines), np.clip(np.concatenate(places), 0, rect.width)
        order = np.lexsort((place, line))
        line, place = line[order], place[order]
        # each line is entered and left in turn
        rank = np.arange(len(line)) - np.searchsorted(line, line)
        sign = np.where(rank % 2 == 0, 1.0, -1.0).astype(np.float32)
        whole = np.floor(place).astype(np.int64)
        part = (place - whole).astype(np.float32)
        np.add.at(out, (line, whole), sign * (1 - part))
        np.add.at(out, (line, whole + 1), sign * part)
    filled = np.cumsum(out, axis=1)[:, : rect.width]
    means = filled.reshape(rect.height, _LINES, rect.width).mean(axis=1)
    clipped: FloatArray = np.clip(means, 0, 1).astype(np.float32)
    return clipped
