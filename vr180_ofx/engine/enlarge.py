"""Mattes that were made at a fraction of the resolution, delivered at more of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import cv2
import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.engine.frame import ViewMatte
from vr180_ofx.imaging.half import half
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.patch import spread
from vr180_ofx.matte.upsample import REACH, upsampled
from vr180_ofx.media.contract import EyeImage


def enlarged(view: ViewMatte, small: EyeImage, large: EyeImage, factor: int, edge_aware: bool = True) -> ViewMatte:
    """``view`` at the size of ``large``.

    small: the picture at the size of ``view``, averaged in blocks of ``factor`` pixels of ``large``. edge_aware: edges follow the large
    picture; else they are interpolated.
    """
    made = []
    for layer in view.layers:
        part = layer.rect.grown(REACH).clipped(view.width, view.height)
        rect = Rect(part.x0 * factor, part.y0 * factor, part.x1 * factor, part.y1 * factor).clipped(large.width, large.height)
        alpha, confidence = spread(layer, part, around=1)
        if edge_aware:
            alpha = upsampled(alpha, small.guide(part).luma, large.guide(rect).luma, factor)
        else:
            alpha = np.clip(_resized(alpha, factor, rect, cv2.INTER_CUBIC), 0, 1)
        made.append((layer, rect, alpha, _resized(confidence, factor, rect, cv2.INTER_LINEAR)))
    _share([(rect, alpha) for _, rect, alpha, _ in made])
    layers = tuple(replace(layer, rect=r, alpha=half(a), confidence=half(np.ascontiguousarray(c))) for layer, r, a, c in made)
    return ViewMatte(large.width, large.height, layers)


def _resized(values: FloatArray, factor: int, rect: Rect, interpolation: int) -> FloatArray:
    big: FloatArray = cv2.resize(values, (values.shape[1] * factor, values.shape[0] * factor), interpolation=interpolation)
    return big[: rect.height, : rect.width]


def _share(alphas: list[tuple[Rect, FloatArray]]) -> None:
    """Where the alphas of people add up to more than 1, each gets less, in place."""
    crowded = Rect(0, 0, 0, 0)
    for (a, _), (b, _) in combinations(alphas, 2):
        crowded = crowded.union(a.intersection(b)) if not a.intersection(b).empty else crowded
    if crowded.empty:
        return
    total = np.zeros((crowded.height, crowded.width), np.float32)
    places = []
    for rect, alpha in alphas:
        common = crowded.intersection(rect)
        if not common.empty:
            places.append((alpha[common.shifted(-rect.x0, -rect.y0).slices], common.shifted(-crowded.x0, -crowded.y0).slices))
            total[places[-1][1]] += places[-1][0]
    np.maximum(total, 1, out=total)
    for part, place in places:
        part /= total[place]
