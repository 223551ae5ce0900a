"""Losses of alpha. Each takes alpha and truth, (B, T, 1, H, W), and gives (B,).

known: (B, T, 1, H, W) weights 0..1 of where truth is true; None: everywhere.
"""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from vr180_ofx.training.losses.means import mean_of_each

#: Of the pyramid (Hou and Liu 2019, section 3.3; RVM, section 5).
LEVELS = 5


def alpha_l1(alpha: Tensor, truth: Tensor, known: Tensor | None = None) -> Tensor:
    """The mean of |alpha - truth| (RVM, section 5: L1)."""
    return mean_of_each((alpha - truth).abs(), known)


def alpha_l2(alpha: Tensor, truth: Tensor, known: Tensor | None = None) -> Tensor:
    """The mean of (alpha - truth)²."""
    return mean_of_each((alpha - truth).square(), known)


def laplacian(alpha: Tensor, truth: Tensor) -> Tensor:
    """Edges of every size: sum over levels s of 2^(s-1) / 5 · mean |L_s(alpha) - L_s(truth)|, L_s the levels of the Laplacian pyramid
    (Burt and Adelson 1983) without what is left at its top (Hou and Liu 2019, Context-Aware Image Matting, equation 2; RVM, section 5).
    """
    total = alpha.new_zeros(alpha.shape[0])
    # the pyramid is linear: that of the difference is the difference of the two
    for s, level in enumerate(laplacian_pyramid((alpha - truth).flatten(0, 1))):
        total = total + 2**s / LEVELS * mean_of_each(level.abs().unflatten(0, alpha.shape[:2]))
    return total


def laplacian_pyramid(x: Tensor, levels: int = LEVELS) -> list[Tensor]:
    """(n, 1, h, w) -> the levels, finest first, of pictures of any size. Levels whose picture has a single row or column are left out."""
    found: list[Tensor] = []
    for _ in range(levels):
        # a border is mirrored two pixels deep
        if min(x.shape[-2:]) < 3:
            break
        small = _blurred(x)[..., ::2, ::2]
        spread = x.new_zeros(x.shape)
        spread[..., ::2, ::2] = 4 * small
        found.append(x - _blurred(spread))
        x = small
    return found


def _blurred(x: Tensor) -> Tensor:
    """By the 5-tap binomial filter, borders mirrored."""
    row = x.new_tensor([1, 4, 6, 4, 1]) / 16
    channels = x.shape[1]
    x = F.pad(x, [2, 2, 2, 2], mode="reflect")
    x = F.conv2d(x, row.view(1, 1, 1, 5).expand(channels, 1, 1, 5), groups=channels)
    return F.conv2d(x, row.view(1, 1, 5, 1).expand(channels, 1, 5, 1), groups=channels)


def gradient(alpha: Tensor, truth: Tensor, known: Tensor | None = None) -> Tensor:
    """How steep edges are: the mean of |difference of alpha's and truth's derivative|, along rows plus along columns, by forward
    differences (Forte and Pitié 2020, F, B, Alpha Matting, arXiv:2003.07711, the gradient loss of section 3.4).
    """
    off = alpha - truth
    across, down = off.diff(dim=-1), off.diff(dim=-2)
    if known is None:
        return mean_of_each(across.abs()) + mean_of_each(down.abs())
    # a derivative is known where both of its pixels are
    return mean_of_each(across.abs(), torch.minimum(known[..., 1:], known[..., :-1])) + mean_of_each(
        down.abs(), torch.minimum(known[..., 1:, :], known[..., :-1, :])
    )


def temporal(alpha: Tensor, truth: Tensor, known: Tensor | None = None) -> Tensor:
    """Flicker: the mean of (d alpha/dt - d truth/dt)², from frame to frame (RVM, section 5: the temporal coherence of Sun and others
    2021). A derivative is known where both frames are. Of a single frame it is 0.
    """
    if alpha.shape[1] < 2:
        # a sum over nothing, which has a gradient
        return alpha.flatten(1)[:, :0].sum(1)
    off = (alpha - truth).diff(dim=1)
    return mean_of_each(off.square(), None if known is None else torch.minimum(known[:, 1:], known[:, :-1]))
