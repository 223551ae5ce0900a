"""`imaging.logistic` on tensors, one step each."""

from __future__ import annotations

import torch
from torch import Tensor


def sigmoid(x: Tensor) -> Tensor:
    """See `imaging.logistic.sigmoid`."""
    return torch.sigmoid(x)


def logit(alpha: Tensor) -> Tensor:
    """See `imaging.logistic.logit`."""
    return torch.logit(alpha, 1e-3).to(torch.float32)
