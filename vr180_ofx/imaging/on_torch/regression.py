"""See `imaging.regression`: the same sums, of all pictures at once, because on a graphics card the number of steps is what they cost."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vr180_ofx.imaging.on_torch.filter import box_blurs


def local_linear(planes: Sequence[Tensor], values: Tensor, size: tuple[int, int], epsilon: float) -> tuple[Sequence[Tensor], Tensor]:
    """planes, values: (..., h, w), any number of windows at once."""
    known = torch.stack([*planes, values])
    # rows are the three pictures, columns these and the values
    products = known[:3, None] * known[None]
    means = torch.stack(list(box_blurs([*known, *products.flatten(0, 1)], size, border="symmetric")))
    mean, sums = means[:4], means[4:].view(3, 4, *values.shape)
    covariance = torch.addcmul(sums, mean[:3, None], mean[None], value=-1)
    covariance[:, :3].diagonal(dim1=0, dim2=1).add_(epsilon)
    matrix, right = covariance[:, :3], covariance[:, 3]
    # the inverse of a symmetric 3x3 matrix by its cofactors, which are cross products of its rows
    cofactors = torch.linalg.cross(matrix.roll(-1, 0), matrix.roll(-2, 0), dim=1)
    slopes = (cofactors * right[:, None]).sum(0) / (matrix[0] * cofactors[0]).sum(0)
    return slopes.unbind(), mean[3] - (slopes * mean[:3]).sum(0)
