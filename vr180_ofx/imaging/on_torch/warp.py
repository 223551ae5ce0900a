"""`imaging.warp` on tensors. Matrices are the host's, in float64; where the pixels of the result lie goes up as two short lines."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.either import beside
from vr180_ofx.imaging.on_torch.sample import looked_up
from vr180_ofx.imaging.opencv import Border, Interpolation


def warp_affine(
    values: Tensor, matrix: FloatArray, size: tuple[int, int], *, interpolation: Interpolation = "linear", border: Border = 0.0
) -> Tensor:
    """See `imaging.warp.warp_affine`. values: may be a batch, (n, h, w, c), that is moved by one matrix."""
    return looked_up(values, _of_batch(_planar(values, np.asarray(matrix, np.float64), size), values), border, interpolation)


def _of_batch(grid: Tensor, values: Tensor) -> Tensor:
    return grid.expand(values.shape[0], *grid.shape) if values.ndim == 4 else grid


def _planar(values: Tensor, matrix: FloatArray, size: tuple[int, int]) -> Tensor:
    """(height, width, 2): where each pixel comes from, where -1 and 1 are the sides of ``values``."""
    height, width = values.shape[-3:-1] if values.ndim == 4 else values.shape[:2]
    own = matrix.copy()
    for axis, length in enumerate((width, height)):
        own[axis, 2] -= (length - 1) / 2
        own[axis] *= 2 / length
    along = np.arange(size[0])[:, None] * own[:, 0]
    down = np.arange(size[1])[:, None] * own[:, 1] + own[:, 2]
    lines: Tensor = beside(np.concatenate([along, down]).astype(np.float32), values)
    return torch.add(lines[None, : size[0]], lines[size[0] :, None])
