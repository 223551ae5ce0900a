"""See `imaging.lattice`, whose functions take what is computed on the host: only what enlarges it is here."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import interpolate


def upsample_lattice(coarse: Tensor, step: int, width: int, height: int) -> Tensor:
    # places are as much as thousands of pixels: in less than float32 they would be wrong
    big = interpolate(coarse.permute(2, 0, 1)[None], scale_factor=step, mode="bilinear", align_corners=False)[0]
    return big[:, step : step + height, step : step + width].permute(1, 2, 0)
