"""`imaging.morphology` on tensors."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vr180_ofx.arrays import BoolArray, ByteArray, FloatArray
from vr180_ofx.imaging.on_torch.filter import each_channel
from vr180_ofx.imaging.on_torch.layout import constant, planes_first, planes_last

#: Boxes up to so many pixels are looked at in one go, larger ones by rows and then by columns.
_AT_ONCE = 25
#: A mask's pixels under a kernel are counted when that takes no more additions than this: a graphics card does it in about the time of the
#: steps that rectangles take.
_COUNTED = 4 * 10**9
#: Under kernels of more pixels they are counted by rows first.
_BY_ROWS = 200


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
    return values.dtype == torch.bool and all(n % 2 for n in kernel.shape) and values.numel() * min(kernel.size, 800) <= _COUNTED


def _any(planes: Tensor, kernel: ByteArray) -> Tensor:
    """Whether a mask, 0 or 1, has anything under the kernel; the counts are exact, in whichever order they are made."""
    reach = kernel.shape[0] // 2, kernel.shape[1] // 2
    if kernel.size > _BY_ROWS:
        return _any_by_rows(planes, kernel, reach)
    return each_channel(planes, kernel.astype(np.float32), padding=reach) > 0.5


def _any_by_rows(planes: Tensor, kernel: ByteArray, reach: tuple[int, int]) -> Tensor:
    """The same, once along rows for each kind of row that the kernel has, of which a disc has a dozen, and then along columns."""
    batch, channels, height, width = planes.shape
    count = batch * channels
    rows, columns = _kinds_of_rows(kernel.tobytes(), kernel.shape)
    kinds = len(rows)
    along, down = (constant(np.tile(k, (count, 1)), planes.device) for k in (rows, columns))
    made = F.conv2d(planes.reshape(1, count, height, width), along[:, None, None], groups=count, padding=(0, reach[1]))
    made = F.conv2d(made, down[:, None, :, None], groups=count * kinds, padding=(reach[0], 0))
    return made.view(batch, channels, kinds, height, width).sum(2) > 0.5


@lru_cache(64)
def _kinds_of_rows(data: bytes, shape: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """(kinds, width) the rows of a kernel that are not the same, and (kinds, height) where each of them is, unless it is empty."""
    rows, which = np.unique(np.frombuffer(data, np.uint8).reshape(shape), axis=0, return_inverse=True)
    places: BoolArray = np.equal(which.ravel()[None], np.arange(len(rows))[:, None])
    filled: BoolArray = np.any(rows, axis=1, keepdims=True)
    return rows.astype(np.float32), (places & filled).astype(np.float32)


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
