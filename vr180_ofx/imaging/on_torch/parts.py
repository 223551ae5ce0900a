"""See `imaging.parts`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from vr180_ofx.imaging.rect import Rect


def all_bounds(masks: Sequence[Tensor]) -> list[Rect]:
    """Which rows and which columns have something comes down at once; this waits for the device."""
    if not masks:
        return []
    stacked = torch.stack(list(masks))
    height = stacked.shape[1]
    lines = torch.cat([stacked.any(dim=2), stacked.any(dim=1)], dim=1).cpu().numpy()
    found = []
    for line in lines:
        rows, columns = np.flatnonzero(line[:height]), np.flatnonzero(line[height:])
        empty = not len(rows)
        found.append(Rect(0, 0, 0, 0) if empty else Rect(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1))
    return found
