"""What masks say of each other."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from vr180_ofx.arrays import BoolArray


def contained(a: BoolArray, b: BoolArray) -> float:
    """The share of ``a`` that ``b`` covers, 0..1; both (h, w)."""
    return int(np.count_nonzero(a & b)) / max(1, int(np.count_nonzero(a)))


def mask_iou(a: BoolArray, b: BoolArray) -> float:
    """Intersection over union, 0..1, of two masks of one shape (h, w)."""
    return int(np.count_nonzero(a & b)) / max(1, int(np.count_nonzero(a | b)))


def union(masks: Iterable[BoolArray]) -> BoolArray | None:
    """What any of the masks covers, (h, w); None when there are none."""
    total: BoolArray | None = None
    for mask in masks:
        total = mask.copy() if total is None else total | mask
    return total
