"""`imaging.filter` on tensors.

Sums go along rows and then along columns, each pixel's in a fixed order: of convolutions, cuDNN's may be rounded to TF32, and change with
what else the card does; those of single channels, which are PyTorch's own, are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.either import host
from vr180_ofx.imaging.on_torch.layout import constant, grown, planes_first, planes_last
from vr180_ofx.imaging.opencv import Mirror


def box_blur(values: Tensor, size: tuple[int, int], *, border: Mirror = "reflect") -> Tensor:
    """See `imaging.filter.box_blur`. values: may be a batch, too, (n, h, w, c)."""
    across, down = size
    before = across // 2, down // 2
    planes = grown(planes_first(values), before, (across - 1 - before[0], down - 1 - before[1]), border)
    return planes_last(F.avg_pool2d(F.avg_pool2d(planes, (1, across), 1), (down, 1), 1), values)


def box_blurs(pictures: Sequence[Tensor], size: tuple[int, int], *, border: Mirror = "reflect") -> Sequence[Tensor]:
    """See `imaging.filter.box_blurs`. pictures: (..., h, w) each."""
    together = torch.stack(list(pictures))
    made = box_blur(together.flatten(0, -3).permute(1, 2, 0), size, border=border)
    return made.permute(2, 0, 1).view(together.shape).unbind()


def gaussian_blur(values: Tensor, sigma: float) -> Tensor:
    """See `imaging.filter.gaussian_blur`. values: may be a batch, too, (n, h, w, c)."""
    kernel = _gaussian(sigma, 3 if values.dtype == torch.uint8 else 4)
    return planes_last(_correlated(planes_first(values), kernel, kernel, "reflect"), values)


def slopes(values: Tensor, *, scale: float = 1.0) -> tuple[Tensor, Tensor]:
    """See `imaging.filter.slopes`."""
    planes = planes_first(values)
    step, mean = np.array([-1, 0, 1], np.float32), np.array([1, 2, 1], np.float32) * np.float32(scale)
    right, down = _correlated(planes, step, mean, "reflect"), _correlated(planes, mean, step, "reflect")
    return right[0, 0], down[0, 0]


def separable(values: Tensor, across: Any, down: Any, *, border: Mirror = "edge") -> Tensor:
    """See `imaging.filter.separable`. across, down: of either kind."""
    along, downwards = (np.asarray(host(k), np.float32) for k in (across, down))
    return planes_last(_correlated(planes_first(values), along, downwards, border), values)


@lru_cache(64)
def _gaussian(sigma: float, reach: int) -> FloatArray:
    # OpenCV's rule for the size of a kernel
    size = round(sigma * reach * 2 + 1) | 1
    made: FloatArray = cv2.getGaussianKernel(size, sigma, cv2.CV_64F).ravel().astype(np.float32)
    return made


def _correlated(planes: Tensor, across: FloatArray, down: FloatArray, border: Mirror) -> Tensor:
    reach = len(across) // 2, len(down) // 2
    return each_channel(grown(planes, reach, reach, border), across[None], down[:, None])


def each_channel(planes: Tensor, *kernels: FloatArray, padded: bool = False) -> Tensor:
    """Correlation of (n, c, h, w) with kernels, (rows, columns) each, one after the other; where they lie on it wholly.

    padded: everywhere, as if there were zeros beyond the picture; kernels have odd sides then.
    """
    batch, channels, height, width = planes.shape
    # each channel with its own kernel makes PyTorch use its own function, but for a single one
    twin = planes.is_cuda and batch * channels == 1
    count = 2 if twin else batch * channels
    made = (planes.expand(1, 2, height, width) if twin else planes.reshape(1, count, height, width)).contiguous()
    for kernel in kernels:
        weights = constant(np.broadcast_to(kernel, (count, 1, *kernel.shape)), planes.device)
        padding = (kernel.shape[0] // 2, kernel.shape[1] // 2) if padded else 0
        made = F.conv2d(made, weights.to(made.dtype), groups=count, padding=padding)
    return made[:, :1] if twin else made.view(batch, channels, *made.shape[-2:])
