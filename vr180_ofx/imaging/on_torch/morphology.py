"""`imaging.morphology` on tensors."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vr180_ofx.arrays import BoolArray, ByteArray, FloatArray
from vr180_ofx.imaging.on_torch.filter import each_channel
from vr180_ofx.imaging.on_torch.layout import planes_first, planes_last

#: Boxes up to so many pixels are looked at in one go, larger ones by rows and then by columns.
_AT_ONCE = 25
#: A mask's pixels under a kernel are counted when kernel times picture are no more pixels than this; see `_any` for more of them.
_COUNTED = 3 * 10**7
#: Powers of two that numbers of 32 and of 64 bits hold, each with some to spare.
_POWERS_32, _POWERS_64 = 120, 1000


def dilate(values: Tensor, kernel: ByteArray) -> Tensor:
    """See `imaging.morphology.dilate`. values: may be a batch, too, (n, h, w, c)."""
    if _countable(values, kernel):
        return planes_last(_any(planes_first(values), kernel), values)
    return _given(_largest(planes_first(values), kernel), values)


def erode(values: Tensor, kernel: ByteArray) -> Tensor:
    """See `imaging.morphology.erode`."""
    if _countable(values, kernel):
        return planes_last(_any(planes_first(~values), kernel).logical_not_(), values)
    return _given(-_largest(-planes_first(values), kernel), values)


def opened(values: Tensor, kernel: ByteArray) -> Tensor:
    """See `imaging.morphology.opened`."""
    if _countable(values, kernel):
        return dilate(erode(values, kernel), kernel)
    return _given(_largest(-_largest(-planes_first(values), kernel), kernel), values)


def _countable(values: Tensor, kernel: ByteArray) -> bool:
    if values.dtype != torch.bool or not all(n % 2 for n in kernel.shape):
        return False
    return values.numel() * kernel.size <= _COUNTED or _weights(kernel.tobytes(), kernel.shape) is not None


def _any(planes: Tensor, kernel: ByteArray) -> Tensor:
    """Whether a mask, 0 or 1, has anything under the kernel, in whichever order sums are made.

    Of small kernels the pixels are counted. Of others, whose rows reach as far to each side, in two steps: along rows each pixel counts
    b^-distance, along columns each row counts b^reach. The nearest pixel of a row is in its reach when the product is at least 1, and all
    those beyond their rows' reach add up to less than a half: b is more than four times the number of rows. A disc of 20 pixels takes 37
    rectangles otherwise.
    """
    weights = None if planes.numel() * kernel.size <= _COUNTED else _weights(kernel.tobytes(), kernel.shape)
    kernels = (kernel.astype(np.float32),) if weights is None else weights
    given = planes if kernels[0].dtype == np.float32 else planes.to(torch.float64)
    return each_channel(given, *kernels, padded=True) > 0.75


@lru_cache(64)
def _weights(data: bytes, shape: tuple[int, int]) -> tuple[FloatArray, FloatArray] | None:
    """Along rows and along columns, see `_any`; None for a kernel with rows that do not reach as far to each side, or too far."""
    kernel: BoolArray = np.frombuffer(data, np.uint8).reshape(shape).astype(bool)
    middle = shape[1] // 2
    distance = np.abs(np.arange(shape[1]) - middle)
    reach = np.count_nonzero(kernel, axis=1) // 2
    some = kernel[:, middle]
    if not np.array_equal(kernel, some[:, None] & (distance <= reach[:, None])):
        return None
    power = math.ceil(math.log2(4 * shape[0] + 2))
    if power * middle > _POWERS_64:
        return None
    kind = np.float32 if power * middle <= _POWERS_32 else np.float64
    across, down = np.exp2(-power * distance.astype(np.float64)), np.where(some, np.exp2(power * reach.astype(np.float64)), 0)
    return across[None].astype(kind), down[:, None].astype(kind)


def _given(made: Tensor, like: Tensor) -> Tensor:
    """Whole numbers were only moved: there is nothing to round."""
    return planes_last(made.to(like.dtype), like)


def _largest(planes: Tensor, kernel: ByteArray) -> Tensor:
    out = None
    for x0, x1, y0, y1 in _boxes(kernel.tobytes(), kernel.shape):
        made = _box(planes, (x0, x1), (y0, y1))
        out = made if out is None else torch.maximum(out, made)
    if out is None:
        raise ValueError("a kernel without a pixel has no largest value")
    return out


def _box(planes: Tensor, across: tuple[int, int], down: tuple[int, int]) -> Tensor:
    """The largest of a rectangle from and to so many pixels beside each one; what lies beyond the picture does not count."""
    width, height = across[1] - across[0] + 1, down[1] - down[0] + 1
    if across[0] == -across[1] and down[0] == -down[1]:
        if width * height <= _AT_ONCE or width == 1 or height == 1:
            return F.max_pool2d(planes, (height, width), 1, (height // 2, width // 2))
        return F.max_pool2d(F.max_pool2d(planes, (1, width), 1, (0, width // 2)), (height, 1), 1, (height // 2, 0))
    left, top = max(0, -across[0]), max(0, -down[0])
    more = F.pad(planes, (left, max(0, across[1]), top, max(0, down[1])), value=-torch.inf)
    more = more[..., top + down[0] :, left + across[0] :]
    return F.max_pool2d(more, (height, width), 1)[..., : planes.shape[-2], : planes.shape[-1]]


@lru_cache(64)
def _boxes(data: bytes, shape: tuple[int, int]) -> tuple[tuple[int, int, int, int], ...]:
    """Rectangles that together are a kernel: first and last column, first and last row of each, from its middle.

    Of a disc there is one for each width that its rows have: some dozen for one of 20 pixels.
    """
    kernel: BoolArray = np.frombuffer(data, np.uint8).reshape(shape).astype(bool)
    middle_x, middle_y = shape[1] // 2, shape[0] // 2
    boxes = set()
    for y, row in enumerate(kernel):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], row, [0]])))
        for x0, x1 in zip(edges[::2], edges[1::2], strict=True):
            # as far up and down as all of the run is in the kernel
            whole = np.count_nonzero(kernel[:, x0:x1], axis=1) == x1 - x0
            top, bottom = y, y
            while top > 0 and whole[top - 1]:
                top -= 1
            while bottom + 1 < shape[0] and whole[bottom + 1]:
                bottom += 1
            boxes.add((int(x0) - middle_x, int(x1) - 1 - middle_x, top - middle_y, bottom - middle_y))
    return tuple(sorted(boxes))
