"""The part of a picture that a place belongs to, by its colour alone: as far as it stays the same when colours may differ a little more."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vr180_ofx.arrays import BoolArray, FloatArray
from vr180_ofx.imaging.parts import bounds, connected_parts
from vr180_ofx.imaging.rect import Rect

#: Differences of CIE L*a*b* that are tried, one after the other: from less than is seen (2.3, Mahy et al. 1994) to what no shading of one
#: thing makes. Growth is looked at from so many of them below to so many above: one just noticeable difference to each side.
_DIFFERENCES, _STEP = range(1, 31), 2
#: A part whose area grows by less than a quarter is stable (`cv2.MSER`'s own choice); an edge was passed where it grows by more, and by
#: half more than where it grew least.
_STABLE, _MORE = 0.25, 1.5


def stable_part(colours: FloatArray, point: tuple[float, float], room: BoolArray, never: BoolArray, dot: float) -> BoolArray | None:
    """The part around a point, (h, w), that ends at edges of the picture; None where it runs out of ``room``, or into ``never``.

    Colours may differ from that of the point by more and more, and the first difference is taken after which the part suddenly grows
    ("maximally stable extremal regions", Matas et al. 2002, by the distance from the point's own colour).

    colours: (h, w, 3), as `label_fusion.perceptual` gives them. point: pixels. room: (h, w) it lies in there. never: (h, w) what it does
    not have: it ends before. dot: so far around the point is surely in it, pixels.
    """
    part = bounds(room).grown(1).clipped(room.shape[1], room.shape[0])
    out = np.zeros(room.shape, bool)
    inside = _stable(colours[part.slices], (point[0] - part.x0, point[1] - part.y0), room[part.slices], never[part.slices], dot)
    if inside is None:
        return None
    out[part.slices] = inside
    return out


def _stable(colours: FloatArray, point: tuple[float, float], room: BoolArray, never: BoolArray, dot: float) -> BoolArray | None:
    ys, xs = np.mgrid[: room.shape[0], : room.shape[1]] + 0.5
    away = np.hypot(xs - point[0], ys - point[1])
    here = (away <= max(dot, away.min())) & room
    if not here.any():
        return None
    off = np.linalg.norm(colours - np.median(colours[here], axis=0), axis=-1)
    off[here], off[~room] = 0, np.inf
    x, y = (int(v) for v in np.argwhere(here)[len(np.argwhere(here)) // 2][::-1])
    tried: list[BoolArray] = []
    growths: list[float] = []
    for mask in _parts(off, Rect(x, y, x + 1, y + 1)):
        if (mask & never).any():
            break
        tried.append(mask)
        if len(tried) <= 2 * _STEP:
            continue
        before, now, after = (np.count_nonzero(tried[-1 - k]) for k in (2 * _STEP, _STEP, 0))
        growths.append((after - before) / now)
        if growths[-1] > max(_STABLE, _MORE * min(growths)):
            break
    if not growths:
        return None
    return tried[_STEP + int(np.argmin(growths))]


def _parts(off: FloatArray, at: Rect) -> Iterator[BoolArray]:
    """The connected part that ``at`` is in, for each difference."""
    for difference in _DIFFERENCES:
        labels = connected_parts(off < difference, 4).labels
        inside: BoolArray = labels == labels[at.y0, at.x0]
        yield inside
