"""`imaging.planes` on tensors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.either import host
from vr180_ofx.imaging.on_torch.layout import constant, grown, in_one_type, picked, rounded

_LUMA = (0.299, 0.587, 0.114)


def interleaved(planes: Sequence[Tensor]) -> Tensor:
    """See `imaging.planes.interleaved`."""
    return torch.stack(list(planes), dim=-1)


def planes_of(values: Tensor) -> Sequence[Tensor]:
    """See `imaging.planes.planes_of`. One copy for all of them."""
    return values.permute(2, 0, 1).contiguous().unbind(0)


def padded(values: Tensor, *, left: int = 0, top: int = 0, right: int = 0, bottom: int = 0) -> Tensor:
    """See `imaging.planes.padded`."""
    if values.dtype == torch.float32:
        planes = values[None, None] if values.ndim == 2 else values.permute(2, 0, 1)[None]
        made = grown(planes, (left, top), (right, bottom), "edge")
        made = made[0, 0] if values.ndim == 2 else made[0].permute(1, 2, 0)
        return made if made.data_ptr() != values.data_ptr() else made.clone()
    height, width = values.shape[:2]
    for dim, (before, size, after) in enumerate(((top, height, bottom), (left, width, right))):
        values = picked(values, dim, torch.arange(-before, size + after, device=values.device).clamp_(0, size - 1))
    return values


def colour_transform(values: Tensor, matrix: FloatArray) -> Tensor:
    """See `imaging.planes.colour_transform`. matrix: of the host."""
    columns = constant(np.ascontiguousarray(np.asarray(host(matrix), np.float32).T), values.device)
    # sums in a fixed order, and not in TF32, as products of matrices may be
    out = values[..., :1] * columns[0]
    for k in range(1, len(columns)):
        out.addcmul_(values[..., k : k + 1], columns[k])
    return out


def rescaled(values: Tensor, gains: tuple[float, ...], offsets: tuple[float, ...]) -> Tensor:
    """See `imaging.planes.rescaled`."""
    gain, offset = (constant(np.array(numbers, np.float32), values.device) for numbers in (gains, offsets))
    return torch.addcmul(offset, values, gain)


def grey(rgb: Tensor) -> Tensor:
    """See `imaging.planes.grey`."""
    red, green, blue = (rgb[..., k].to(torch.float32) for k in range(3))
    return rounded((red * _LUMA[0]).add_(green, alpha=_LUMA[1]).add_(blue, alpha=_LUMA[2]), rgb.dtype)


def within(values: Tensor, low: float, high: float) -> Tensor:
    """See `imaging.planes.within`."""
    return ((values >= low) & (values <= high)).to(torch.uint8) * 255


def absolute_difference(a: Tensor, b: Tensor) -> Tensor:
    """See `imaging.planes.absolute_difference`."""
    if a.dtype.is_floating_point:
        return (a - b).abs_()
    if a.dtype == torch.uint8:
        return torch.maximum(a, b) - torch.minimum(a, b)
    made: Tensor = in_one_type(lambda x, y: (x - y).abs_(), a, b)
    return made.to(a.dtype)
