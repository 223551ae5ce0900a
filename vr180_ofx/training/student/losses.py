"""What the student is punished for. Tensors (n, 1, h, w) as everywhere in this room."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from vr180_ofx.matte.student.network import Answer

#: Weights of the losses. Alpha's add up to what RVM's have (Lin and others 2021, 3.2): L1, Laplacian pyramid; the gradient's after Rhemann
#: and others 2009. Entropy helps where the logistic function is flat: an L1 loss there has no slope.
WEIGHTS: dict[str, float] = {
    "alpha": 1.0, "edge": 1.0, "laplacian": 0.5, "gradient": 0.5, "entropy": 0.15, "foreground": 0.3, "confidence": 0.1, "presence": 0.1,
}  # fmt: skip
#: Kernel of Burt and Adelson's pyramid.
_BURT = (1.0, 4.0, 6.0, 4.0, 1.0)


def losses(answer: Answer, batch: Mapping[str, Tensor], weights: Mapping[str, float] = WEIGHTS) -> dict[str, Tensor]:
    """Named scalars. batch: source and foreground (n, 3, h, w), alpha (n, 1, h, w), presence (n,)."""
    truth, alpha = batch["alpha"], answer.alpha
    error = (alpha - truth).abs()
    band = band_of(truth)
    parts = {
        "alpha": error.mean(),
        # as much as everything else together, however few they are
        "edge": 0.1 * (error * band).sum() / band.sum().clamp(min=1),
        "laplacian": laplacian(alpha, truth),
        "gradient": gradient(alpha, truth),
        "entropy": F.binary_cross_entropy_with_logits(answer.logits, truth),
        "foreground": _foreground(answer.foreground, batch),
        "confidence": F.binary_cross_entropy(answer.confidence.clamp(1e-4, 1 - 1e-4), 1 - error.detach()),
        "presence": F.binary_cross_entropy_with_logits(answer.presence, batch["presence"]),
    }
    return {name: weights[name] * value for name, value in parts.items() if weights.get(name)}


def band_of(alpha: Tensor, radius: int = 4) -> Tensor:
    """1 about the edge of somebody, where alpha is neither 0 nor 1 or is so only near by."""
    size = 2 * radius + 1
    high = F.max_pool2d(alpha, size, 1, radius)
    low = -F.max_pool2d(-alpha, size, 1, radius)
    return (high - low > 0.1).to(alpha.dtype)


def laplacian(a: Tensor, b: Tensor, levels: int = 4) -> Tensor:
    """L1 between Laplacian pyramids, coarser levels weighing more (Hou and Liu 2019)."""
    line = torch.tensor(_BURT, device=a.device, dtype=a.dtype) / 16
    kernel = (line[:, None] * line)[None, None]
    total, difference = a.new_zeros(()), a - b
    for k in range(levels):
        small = F.conv2d(F.pad(difference, (2, 2, 2, 2), mode="replicate"), kernel, stride=2)
        back = F.interpolate(small, difference.shape[-2:], mode="bilinear", align_corners=False)
        total = total + 2**k * (difference - back).abs().mean() / levels
        difference = small
    return total


def gradient(a: Tensor, b: Tensor) -> Tensor:
    """L1 between slopes."""
    d = a - b
    return (d[..., 1:] - d[..., :-1]).abs().mean() + (d[..., 1:, :] - d[..., :-1, :]).abs().mean()


def _foreground(residual: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
    """Where somebody is in part; where they are all there is nothing to be found out, but it shall not be worse."""
    somebody = (batch["alpha"] > 0.05).to(residual.dtype)
    wrong = (batch["source"] + residual - batch["foreground"]).abs().mean(1, keepdim=True)
    return (wrong * somebody).sum() / somebody.sum().clamp(min=1)
