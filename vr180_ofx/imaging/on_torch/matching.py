"""`imaging.matching` on tensors: matched on the host, which sees two small pictures of 8 bits."""

from __future__ import annotations

import torch
from torch import Tensor

from vr180_ofx.imaging import matching
from vr180_ofx.imaging.either import beside, host


def semi_global_shift(
    left: Tensor, right: Tensor, least: int, most: int, *, enlarge: int = 1, block: int = 5, uniqueness: int = 5
) -> Tensor:  # fmt: skip
    """See `imaging.matching.semi_global_shift`. Waits for the card."""
    both = host(torch.stack([left, right]))
    found = matching.semi_global_shift(both[0], both[1], least, most, enlarge=enlarge, block=block, uniqueness=uniqueness)
    out: Tensor = beside(found, left)
    return out
