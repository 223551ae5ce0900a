"""Losses of colours: of the foreground, and of what comes of it before a background. Pictures are (B, T, 3, H, W), 0..1; (B,) each."""

from __future__ import annotations

from torch import Tensor

from vr180_ofx.training.data.effects import over
from vr180_ofx.training.losses.means import mean_of_each, smooth_l1

#: Xu and others 2017, of values 0..1.
_EPSILON = 1e-6


def foreground(colour: Tensor, truth: Tensor, alpha: Tensor) -> Tensor:
    """The mean of |colour - truth| where the true ``alpha`` is above 0, and of 0 elsewhere (RVM, section 5)."""
    return mean_of_each((alpha > 0) * (colour - truth).abs())


def foreground_temporal(colour: Tensor, truth: Tensor, alpha: Tensor) -> Tensor:
    """The mean of (d colour/dt - d truth/dt)² where the true ``alpha`` of the later frame is above 0 (RVM, section 5)."""
    if colour.shape[1] < 2:
        return colour.flatten(1)[:, :0].sum(1)
    return mean_of_each((alpha[:, 1:] > 0) * (colour - truth).diff(dim=1).square())


# as the other losses: what is seen, then what is true
def composition(
    colour: Tensor, alpha: Tensor, background: Tensor, source: Tensor, known: Tensor | None = None, *, linear: bool = True
) -> Tensor:  # fmt: skip
    """What the person before the true background is off: the mean of sqrt(d² + 1e-12), d from ``source`` (Xu and others 2017, equation 2).

    linear: layers are mixed in linear light, as lenses do and as this project's data are (alpha is coverage); else as they are shown, as in
    the paper.
    """
    return mean_of_each(smooth_l1(over(colour, background, alpha, linear=linear) - source, _EPSILON), known)
