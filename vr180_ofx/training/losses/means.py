"""Means as losses take them: of each sample by itself, so that those of a batch average whoever shares it out."""

from __future__ import annotations

import torch
from torch import Tensor


def mean_of_each(values: Tensor, known: Tensor | None = None) -> Tensor:
    """(B, ...) -> (B,). known: weights 0..1 that fit ``values``; where a sample has none, it is 0."""
    if known is None:
        return values.flatten(1).mean(1)
    weights = known.expand_as(values).to(values.dtype).flatten(1)
    return (values.flatten(1) * weights).sum(1) / weights.sum(1).clamp(min=1e-6)


def smooth_l1(difference: Tensor, epsilon: float) -> Tensor:
    """sqrt(difference² + epsilon²): Xu and others 2017 (Deep Image Matting), equations 1 and 2."""
    return torch.sqrt(difference * difference + epsilon * epsilon)
