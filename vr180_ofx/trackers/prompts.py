"""What trackers are shown of a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.outlines import covered_by
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.sample import sample
from vr180_ofx.trackers.contract import Prompt
from vr180_ofx.vr180.body import Box, outline
from vr180_ofx.vr180.projection import Projection
from vr180_ofx.vr180.window import Window


def prompt_in_window(
    box: Box, window: Window, projection: Projection, *, plus: Sequence[tuple[float, float]] = (),
    minus: Sequence[tuple[float, float]] = (),
) -> Prompt | None:  # fmt: skip
    """A box in the eye's pixels, and points on and beside the person, as the window shows them; None when it shows nothing of all that.

    Points that the window does not show are left out; the box reaches as far as points on the person: a box says that all of them is in it.
    projection: of the eye's picture.
    """
    shown = _box_in_window(box, window, projection)
    on, beside = (_points_in_window(points, window, projection) for points in (plus, minus))
    if shown is not None and on:
        xs, ys = zip(*on, strict=True)
        shown = min(shown[0], *xs), min(shown[1], *ys), max(shown[2], *xs), max(shown[3], *ys)
    points = (*((x, y, 1) for x, y in on), *((x, y, 0) for x, y in beside))
    return None if shown is None and not on else Prompt(box=shown, points=points)


def covered_in_window(polygons: Sequence[FloatArray], window: Window, projection: Projection) -> FloatArray:
    """How much of each pixel of a window lies in polygons, (size, size) float32, 0..1.

    polygons: (n, 2) pixels of the eye's picture each. projection: of that picture.
    """
    seen = [window.points(projection.unproject(points)) for points in polygons]
    # one that goes on behind the camera is no polygon there
    return covered_by([p for p in seen if np.isfinite(p).all()], Rect.of_size(window.size, window.size))


def with_painted(prompt: Prompt | None, value: FloatArray, said: FloatArray, window: Window, projection: Projection) -> Prompt | None:
    """A prompt with a painted matte, as far as the window shows what it says; where that is nothing, the prompt as it was.

    value: how much of a pixel is the person's, times said; said: how far the picture says it; both (h, w), 0..1, of the eye's picture that
    ``projection`` is of. What is half theirs is theirs, and what is half said is said.
    """
    grid = window.grid(projection)
    seen_value, seen_said = sample(value, grid), sample(said, grid)
    counts = seen_said >= 0.5
    if not counts.any():
        return prompt
    mask = counts & (seen_value >= 0.5 * seen_said)
    if counts.all():
        return Prompt(mask=mask)
    return replace(prompt, mask=mask, said=counts) if prompt is not None else Prompt(mask=mask, said=counts)


def _box_in_window(box: Box, window: Window, projection: Projection) -> Box | None:
    inside = np.clip(outline(box), 0.5, (projection.width - 0.5, projection.height - 0.5))
    p = window.points(projection.unproject(inside))
    p = p[np.isfinite(p).all(axis=1)]
    if not len(p):
        return None
    low, high = np.clip(p.min(axis=0), 0, window.size), np.clip(p.max(axis=0), 0, window.size)
    if (high - low).min() < 1:
        return None
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _points_in_window(points: Sequence[tuple[float, float]], window: Window, projection: Projection) -> list[tuple[float, float]]:
    if not points:
        return []
    found = window.points(projection.unproject(np.array(points, float)))
    # one behind the camera is no number
    inside = np.isfinite(found).all(axis=1) & (found >= 0).all(axis=1) & (found < window.size).all(axis=1)
    return [(float(x), float(y)) for x, y in found[inside]]
