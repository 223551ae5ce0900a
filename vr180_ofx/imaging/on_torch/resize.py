"""`imaging.resize` on tensors."""

from __future__ import annotations

import math

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from vr180_ofx.arrays import Array
from vr180_ofx.imaging.on_torch.layout import grown, kept, picked, planes_first, planes_last
from vr180_ofx.imaging.resize import Resampling

_MODE = {"linear": "bilinear", "cubic": "bicubic"}


def resize(values: Tensor, size: tuple[int, int], interpolation: Resampling) -> Tensor:
    """See `imaging.resize.resize`. values: may be a batch, too, (n, h, w, c)."""
    height, width = values.shape[-3:-1] if values.ndim == 4 else values.shape[:2]
    if (width, height) == tuple(size):
        return values.clone()
    if interpolation == "nearest":
        first = 1 if values.ndim == 4 else 0
        rows, columns = (kept(_nearest, *sizes, device=values.device) for sizes in ((height, size[1]), (width, size[0])))
        return picked(picked(values, first, rows), first + 1, columns)
    planes = planes_first(values)
    if interpolation == "area":
        return planes_last(_area(planes, size), values)
    made = F.interpolate(planes, (size[1], size[0]), mode=_MODE[interpolation], align_corners=False)
    return planes_last(made, values, beyond=interpolation == "cubic")


def block_means(values: Tensor, across: int, down: int) -> Tensor:
    """See `imaging.resize.block_means`."""
    if across == 1 and down == 1:
        return values
    planes = planes_first(values)
    height, width = planes.shape[-2:]
    more = -width % across, -height % down
    return planes_last(F.avg_pool2d(grown(planes, (0, 0), more, "edge"), (down, across)), values)


def _nearest(old: int, new: int) -> Array:
    # as OpenCV reckons it
    places: Array = np.minimum(np.floor(np.arange(new) * (1 / (new / old))).astype(np.int64), old - 1)
    return places


def _area(planes: Tensor, size: tuple[int, int]) -> Tensor:
    height, width = planes.shape[-2:]
    across, down = width / size[0], height / size[1]
    if across.is_integer() and down.is_integer():
        return F.avg_pool2d(planes, (int(down), int(across)))
    smaller = across >= 1 and down >= 1
    for dim, old, new in ((2, height, size[1]), (3, width, size[0])):
        if old != new:
            index, shares = (kept(f, old, new, smaller, device=planes.device) for f in (_index, _shares))
            shape = list(planes.shape)
            shape[dim : dim + 1] = shares.shape
            picks = planes.index_select(dim, index).view(shape)
            # sums in a fixed order, which products of matrices have not on every card
            planes = (picks * shares.view(*shares.shape, *[1] * (3 - dim)).to(picks.dtype)).sum(dim + 1)
    return planes


def _index(old: int, new: int, smaller: bool) -> Array:  # noqa: FBT001 - `kept` has no words
    return _taps(old, new, smaller=smaller)[0]


def _shares(old: int, new: int, smaller: bool) -> Array:  # noqa: FBT001
    return _taps(old, new, smaller=smaller)[1]


def _taps(old: int, new: int, *, smaller: bool) -> tuple[Array, Array]:
    """(new * taps,) which pixels each new one is made of, and (new, taps) their shares.

    smaller: by what is covered; else linear between old pixels, which a new one has two of when it lies across a side of theirs.
    """
    scale = old / new
    k = np.arange(new)
    if smaller:
        taps = math.ceil(scale) + 1
        index = np.floor(k * scale).astype(np.int64)[:, None] + np.arange(taps)
        shares = np.clip(np.minimum(index + 1, (k[:, None] + 1) * scale) - np.maximum(index, k[:, None] * scale), 0, None)
        shares /= shares.sum(axis=1, keepdims=True)
    else:
        # as OpenCV reckons it
        larger = new / old
        first = np.floor(k * (1 / larger)).astype(np.int64)
        behind = ((k + 1) - (first + 1) * larger).astype(np.float32)
        behind = np.where(behind <= 0, 0, behind - np.floor(behind))
        index, shares = first[:, None] + np.arange(2), np.stack([1 - behind, behind], axis=-1)
    return np.minimum(index, old - 1).ravel(), shares.astype(np.float32)
