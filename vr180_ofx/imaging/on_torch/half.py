"""`imaging.half` on tensors."""

from __future__ import annotations

import torch
from torch import Tensor


def half(values: Tensor) -> Tensor:
    """See `imaging.half.half`."""
    # -0 + 0 is 0
    return values.to(torch.float16).add_(0) if values.dtype != torch.float16 else values + 0


def floats(values: Tensor) -> Tensor:
    """See `imaging.half.floats`."""
    return values.to(torch.float32, copy=True)


def add_half(total: Tensor, alpha: Tensor) -> None:
    """See `imaging.half.add_half`."""
    both = (total != 0) & (alpha != 0)
    sums = torch.clamp(total.to(torch.float32) + alpha.to(torch.float32), max=1)
    total.copy_(torch.where(both, sums.to(torch.float16), torch.maximum(total, alpha)))


def least_half(total: Tensor, values: Tensor) -> None:
    """See `imaging.half.least_half`."""
    torch.minimum(total, values, out=total)
