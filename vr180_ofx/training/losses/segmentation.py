"""The loss of people's masks, for the pass that knows no edges."""

# mypy: disable-error-code="no-any-return,no-untyped-call"
from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from vr180_ofx.training.losses.means import mean_of_each


def segmentation(logits: Tensor, mask: Tensor, known: Tensor | None = None) -> Tensor:
    """Binary cross entropy, -m log s - (1 - m) log(1 - s), s the logits' sigmoid (RVM, section 5). (B, T, 1, h, w) -> (B,).

    mask, known: 0..1, of the logits' size or larger: then they are averaged down to it.
    """
    mask = _as_large(mask, logits)
    known = None if known is None else _as_large(known, logits)
    return mean_of_each(F.binary_cross_entropy_with_logits(logits, mask, reduction="none"), known)


def _as_large(x: Tensor, like: Tensor) -> Tensor:
    if x.shape[-2:] == like.shape[-2:]:
        return x
    return F.interpolate(x.flatten(0, 1), like.shape[-2:], mode="area").unflatten(0, x.shape[:2])
