"""How far pixels are covered, changed one by one: clips, gamma, softness."""

from __future__ import annotations

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.settings.edges import EdgesSettings


def has_levels(edges: EdgesSettings) -> bool:
    """Whether `levels` changes anything."""
    return not (edges.black_clip == 0 and edges.white_clip == 1 and edges.gamma == 1 and edges.softness == 0)


def levels(alpha: FloatArray, edges: EdgesSettings) -> FloatArray:
    """Clips, then gamma, then softness. alpha: (..., ) float32 0..1. Returns an array of its own.

    Clips: linear from black_clip to white_clip. Gamma: a^(1 / gamma). Softness: the logit of a, times 2^-softness: a logistic ramp becomes
    2^softness times as wide about the place where half is covered, softness and its negative undo each other, and a matte and what it
    leaves are treated alike.
    """
    a = alpha
    if edges.black_clip != 0 or edges.white_clip != 1:
        a = np.clip((alpha - np.float32(edges.black_clip)) * np.float32(1 / (edges.white_clip - edges.black_clip)), 0, 1)
    if edges.gamma == 1 and edges.softness == 0:
        return a.copy() if a is alpha else a
    # most pixels are covered wholly or not at all, and stay so
    between = (a > 0) & (a < 1)
    some = a[between]
    if edges.gamma != 1:
        some = np.power(some, np.float32(1 / edges.gamma))
    if edges.softness != 0:
        steep = np.float32(2.0**-edges.softness)
        over, under = np.power(some, steep), np.power(1 - some, steep)
        some = over / (over + under)
    out = a.copy()
    out[between] = some
    return out
