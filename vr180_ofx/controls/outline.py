"""Outlines that move and fade: by lengths that may be other ellipses at every place of a picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.controls.blocks import Blocks, pieces, within
from vr180_ofx.controls.lengths import Lengths, Pixels
from vr180_ofx.imaging.ellipse import Ellipse, dilate_by, erode_by, margins
from vr180_ofx.imaging.filter import separable
from vr180_ofx.imaging.morphology import box, erode
from vr180_ofx.imaging.planes import absolute_difference, padded
from vr180_ofx.imaging.rect import Rect

#: Pixels on a side of what is done at once: fits into a core's own cache, and where nothing changes nothing is done.
_TILE = 192
_LEAST_TILE = 8
#: Within a tile the ellipse changes by at most a pixel; between its corners results are mixed, which then is a share of a pixel.
_MOST_CHANGE_PX = 1.0
#: A sharp edge under a Gaussian goes from 90 to 10 per cent within 2 * 1.2816 standard deviations.
_TEN_TO_NINETY = 2 * 1.2815516
#: Beyond 3 standard deviations lie 0.3 per cent of a Gaussian.
_SIGMAS = 3.0
#: What changes by less than a half can tell does not change.
_SAME = 2.0**-11
#: Lengths below this, in units, are none.
_NONE = 1e-3
#: What is done to a tile. (values with a margin around, what a circle is there, the margin) -> values without.
_Step = Callable[[FloatArray, Ellipse, tuple[int, int]], FloatArray]


def resized(
    alpha: FloatArray, confidence: FloatArray, rect: Rect, size: float, *, lengths: Lengths, picture: tuple[int, int]
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Grey morphology with an ellipse, which keeps the profile of soft edges: it moves them by ``size`` units, outwards above 0.

    alpha, confidence: (h, w) float32 of ``rect``; around it alpha is 0, and beyond the picture it goes on as at its border. ``rect`` has
    room for what grows, see `room`. picture: (width, height). Returns both in arrays of their own, or as they are; where alpha changes, it
    is trusted as the least sure of what it may come from.
    """
    if abs(size) < _NONE:
        return alpha, confidence
    step = dilate_by if size > 0 else erode_by
    return _everywhere(alpha, confidence, rect, lengths, abs(size), picture=picture, step=step, margin_of=margins)


def feathered(
    alpha: FloatArray, confidence: FloatArray, rect: Rect, feather: float, *, lengths: Lengths, picture: tuple[int, int]
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """A Gaussian, under which a sharp edge fades from 90 to 10 per cent over ``feather`` units. Otherwise as `resized`."""
    if feather < _NONE:
        return alpha, confidence
    return _everywhere(
        alpha, confidence, rect, lengths, feather / _TEN_TO_NINETY, picture=picture, step=_blurred, margin_of=_sigmas
    )  # fmt: skip


def room(rect: Rect, size: float, feather: float, lengths: Lengths) -> int:
    """Pixels at each side by which a matte in ``rect`` may become larger, or, with the size's amount, at which it looks at others."""
    total = max(0.0, size) + _SIGMAS * feather / _TEN_TO_NINETY
    return math.ceil(_most(rect, lengths) * total) + 1 if total else 0


def _most(rect: Rect, lengths: Lengths) -> float:
    """Pixels of the longest unit in ``rect``."""
    if isinstance(lengths, Pixels):
        return lengths.scale
    return max(max(lengths.ellipse(x, y).reach) for x in (rect.x0, rect.x1) for y in (rect.y0, rect.y1))


def _blurred(values: FloatArray, ellipse: Ellipse, margin: tuple[int, int]) -> FloatArray:
    """The Gaussian with the standard deviations that an ellipse reaches to the sides, and up and down."""
    across, down = margin
    made = separable(values, *(_gaussian(sigma) for sigma in ellipse.reach))
    return made[down : made.shape[0] - down, across : made.shape[1] - across]


@lru_cache(256)
def _gaussian(sigma: float) -> FloatArray:
    reach = math.ceil(_SIGMAS * sigma)
    # each pixel's part of the area, which is right for narrow ones, too
    ends = np.arange(-reach, reach + 2) - 0.5
    weights = np.diff([math.erf(e / (sigma * math.sqrt(2))) for e in ends])
    out: FloatArray = (weights / weights.sum()).astype(np.float32)
    return out


def _sigmas(ellipse: Ellipse) -> tuple[int, int]:
    across, down = ellipse.reach
    return math.ceil(_SIGMAS * across) + 1, math.ceil(_SIGMAS * down) + 1


def _everywhere(
    alpha: FloatArray, confidence: FloatArray, rect: Rect, lengths: Lengths, length: float, *, picture: tuple[int, int], step: _Step,
    margin_of: Callable[[Ellipse], tuple[int, int]],
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """``step`` tile by tile, only where there is something else than one value."""
    if not alpha.size:
        return alpha, confidence
    tiles: list[tuple[Rect, list[tuple[Ellipse, FloatArray | None]]]]
    if isinstance(lengths, Pixels):
        circle = lengths.ellipse(0, 0).scaled(length)
        across, down = margin_of(circle)
        values = _with_margin(alpha, rect, (across, down), picture, outside=0.0)
        tiles = [(tile, [(circle, None)]) for tile in _tiles_with_edges(values, across, down)]
    else:
        tiles = [(tile, _corners(tile, rect, lengths, length)) for tile in _tiles(rect, lengths, length)]
        most = [margin_of(e) for _, corners in tiles for e, _ in corners]
        across, down = max(m[0] for m in most), max(m[1] for m in most)
        values = _with_margin(alpha, rect, (across, down), picture, outside=0.0)
        near = Blocks.of(values).within(max(across, down)).edges
        tiles = [_less(tile, corners, within(near, tile.shifted(across, down)).shifted(-across, -down)) for tile, corners in tiles]
    trusted = None
    new_alpha, new_confidence = alpha.copy(), confidence
    for tile, corners in tiles:
        if tile.empty:
            continue
        own = [margin_of(e) for e, _ in corners]
        margin = max(m[0] for m in own), max(m[1] for m in own)
        part = _cut(values, tile, across, down, margin)
        made = _mixed([(step(part, e, margin), weight) for e, weight in corners])
        changed = absolute_difference(made, alpha[tile.slices]) > _SAME
        np.clip(made, 0, 1, out=new_alpha[tile.slices])
        if changed.any():
            if trusted is None:
                trusted = _with_margin(confidence, rect, (across, down), picture, outside=1.0)
                new_confidence = confidence.copy()
            low = erode(_cut(trusted, tile, across, down, margin), box(2 * margin[0] - 1, 2 * margin[1] - 1))
            low = low[margin[1] : low.shape[0] - margin[1], margin[0] : low.shape[1] - margin[0]]
            np.copyto(new_confidence[tile.slices], low, where=changed)
    return new_alpha, new_confidence


def _less(
    tile: Rect, corners: list[tuple[Ellipse, FloatArray | None]], part: Rect
) -> tuple[Rect, list[tuple[Ellipse, FloatArray | None]]]:  # fmt: skip
    """A part of a tile, with what is left of its weights."""
    inside = part.shifted(-tile.x0, -tile.y0).slices
    return part, [] if part.empty else [(e, None if weight is None else weight[inside]) for e, weight in corners]


def _mixed(made: list[tuple[FloatArray, FloatArray | None]]) -> FloatArray:
    """The mean of several results; a weight of None is that of one alone."""
    out: FloatArray | None = None
    for values, weight in made:
        part = values if weight is None else values * weight
        out = part if out is None else out + part
    assert out is not None
    return out


def _with_margin(values: FloatArray, rect: Rect, margin: tuple[int, int], picture: tuple[int, int], *, outside: float) -> FloatArray:
    """``values`` of ``rect`` with a margin: ``outside`` in the picture, and beyond it as at its border."""
    across, down = margin
    wide = Rect(rect.x0 - across, rect.y0 - down, rect.x1 + across, rect.y1 + down)
    inside = wide.clipped(*picture)
    held = np.full((inside.height, inside.width), outside, np.float32)
    held[rect.shifted(-inside.x0, -inside.y0).slices] = values
    more = {"left": inside.x0 - wide.x0, "top": inside.y0 - wide.y0, "right": wide.x1 - inside.x1, "bottom": wide.y1 - inside.y1}
    return padded(held, **more) if any(more.values()) else held


def _cut(values: FloatArray, tile: Rect, across: int, down: int, margin: tuple[int, int]) -> FloatArray:
    """A tile with its own margin out of all with theirs."""
    left, top = tile.x0 + across - margin[0], tile.y0 + down - margin[1]
    return values[top : top + tile.height + 2 * margin[1], left : left + tile.width + 2 * margin[0]]


def _tiles_with_edges(values: FloatArray, across: int, down: int) -> Iterator[Rect]:
    """Rectangles from 0, 0 on that are all of what is not of one value as far as the margins of ``values`` reach: an outline's length times
    its surroundings, not its area.
    """
    width, height = values.shape[1] - 2 * across, values.shape[0] - 2 * down
    near = Blocks.of(values).within(max(across, down))
    for piece in pieces(near.edges, near.size):
        tile = piece.shifted(-across, -down).clipped(width, height)
        if not tile.empty:
            yield tile


def _tiles(rect: Rect, lengths: Lengths, length: float) -> Iterator[Rect]:
    """Rectangles from 0, 0 on that are all of ``rect``, so small that the ellipse is nearly the same in each."""
    todo = [
        Rect(x, y, min(x + _TILE, rect.width), min(y + _TILE, rect.height))
        for y in range(0, rect.height, _TILE)
        for x in range(0, rect.width, _TILE)
    ]
    while todo:
        tile = todo.pop()
        high, wide = tile.height > _LEAST_TILE, tile.width > _LEAST_TILE
        if isinstance(lengths, Pixels) or not (high or wide):
            yield tile
            continue
        down, across = _change(tile, rect, lengths, length)
        middle_x, middle_y = (tile.x0 + tile.x1) // 2, (tile.y0 + tile.y1) // 2
        if high and down > _MOST_CHANGE_PX:
            todo += [Rect(tile.x0, tile.y0, tile.x1, middle_y), Rect(tile.x0, middle_y, tile.x1, tile.y1)]
        elif wide and across > _MOST_CHANGE_PX:
            todo += [Rect(tile.x0, tile.y0, middle_x, tile.y1), Rect(middle_x, tile.y0, tile.x1, tile.y1)]
        else:
            yield tile


def _change(tile: Rect, rect: Rect, lengths: Lengths, length: float) -> tuple[float, float]:
    """By how many pixels the ellipse's reach changes downwards, and to the right, within a tile."""
    corners = {(x, y): _at(x, y, rect, lengths, length) for x in (tile.x0, tile.x1) for y in (tile.y0, tile.y1)}

    def apart(a: Ellipse, b: Ellipse) -> float:
        turned = abs(a.xy / math.sqrt(a.yy) - b.xy / math.sqrt(b.yy))
        return max(turned, *(abs(p - q) for p, q in zip(a.reach, b.reach, strict=True)))

    down = max(apart(corners[x, tile.y0], corners[x, tile.y1]) for x in (tile.x0, tile.x1))
    across = max(apart(corners[tile.x0, y], corners[tile.x1, y]) for y in (tile.y0, tile.y1))
    return down, across


def _at(x: float, y: float, rect: Rect, lengths: Lengths, length: float) -> Ellipse:
    return lengths.ellipse(rect.x0 + x, rect.y0 + y).scaled(length)


def _corners(tile: Rect, rect: Rect, lengths: Lengths, length: float) -> list[tuple[Ellipse, FloatArray | None]]:
    """The different ellipses at the corners of a tile, each with its weight, (h, w) or (h, 1): bilinear. One alone has None."""
    if isinstance(lengths, Pixels):
        return [(lengths.ellipse(0, 0).scaled(length), None)]
    x = ((np.arange(tile.width, dtype=np.float32) + np.float32(0.5)) / np.float32(tile.width))[None]
    y = ((np.arange(tile.height, dtype=np.float32) + np.float32(0.5)) / np.float32(tile.height))[:, None]
    weights: dict[Ellipse, FloatArray] = {}
    for at_x, wx in ((tile.x0, 1 - x), (tile.x1, x)):
        for at_y, wy in ((tile.y0, 1 - y), (tile.y1, y)):
            e = _at(at_x, at_y, rect, lengths, length)
            # to a hundredth of a pixel they are the same
            e = Ellipse(*(round(v, 3) or v for v in (e.xx, e.xy, e.yy)))
            weights[e] = weights[e] + wx * wy if e in weights else wx * wy
    return [(e, None) for e in weights] if len(weights) == 1 else list(weights.items())
