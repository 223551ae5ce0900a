"""`imaging.flow` on tensors: flow itself is found on the host, which sees two small pictures of 8 bits."""

from __future__ import annotations

import torch
from torch import Tensor

from vr180_ofx.imaging import flow
from vr180_ofx.imaging.either import beside, host


def luma_of(guide: Tensor) -> Tensor:
    """See `imaging.flow.luma_of`."""
    return (guide[..., 0] * 255).clamp_(0, 255).to(torch.uint8)


def optical_flow(here: Tensor, there: Tensor, *, finest: int = flow.FINE, thorough: bool = False) -> Tensor:
    """See `imaging.flow.optical_flow`. Waits for the card, and brings both pictures down at once."""
    both = host(torch.stack([here, there]))
    found: Tensor = beside(flow.optical_flow(both[0], both[1], finest=finest, thorough=thorough), here)
    return found
