"""Alphas averaged with those of the neighbouring frames, along the motion of the picture.

A matting network errs a little differently in every frame, and edges seem to crawl. The neighbouring frames' alphas of the same
places are other opinions: where the picture that is warped along looks like this one, they count; where it does not (somebody is
uncovered, the motion is lost), they do not. Nor where the frame is certain, which would make haze about people, unless all others
have the opposite.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

from vr180_ofx.arrays import FloatArray, shapes_repr
from vr180_ofx.imaging.either import as_float, namespace
from vr180_ofx.imaging.flow import Luma, motion_between
from vr180_ofx.matte.parameters import TEMPORAL, TemporalParameters
from vr180_ofx.matte.uncertainty import uncertainty


@dataclass(frozen=True, slots=True)
class Neighbour:
    """What another frame shows.

    alpha: (h, w) float32 0..1. luma: (h, w) uint8. weight: how much it counts where both look alike, beside the frame's own 1.
    flow: (h, w, 2), the host's, from the frame to this one, where somebody found it already.
    """

    alpha: FloatArray
    luma: Luma
    weight: float = 1.0
    flow: FloatArray | None = None

    def __post_init__(self) -> None:
        if self.alpha.shape != self.luma.shape:
            raise ValueError(f"alpha has the shape {self.alpha.shape} and luma {self.luma.shape}; both are (h, w) of one picture")

    def __repr__(self) -> str:
        return shapes_repr(self)


def temporal_smooth(
    alpha: FloatArray, luma: Luma, neighbours: Iterable[Neighbour], scale: float, parameters: TemporalParameters = TEMPORAL
) -> FloatArray:  # fmt: skip
    """A frame's alpha averaged with its neighbours', (h, w) float32 0..1; itself where there are none.

    alpha: (h, w) 0..1; luma: (h, w) uint8, what the frame shows there. neighbours: of the same size. scale: see
    `scale.reference_scale`.
    """
    xp = namespace(alpha)
    others = []
    for neighbour in neighbours:
        motion = motion_between(neighbour.luma, luma, scale, trust=parameters.trust, flow=neighbour.flow)
        others.append((motion.warp_alpha(neighbour.alpha), motion.trust, neighbour.weight))
    uncertain = uncertainty(alpha, parameters.uncertain, round(parameters.margin_px * scale))
    if len(others) > 1:
        outvoted = reduce(xp.minimum, [_opposed(alpha, warped, parameters) * trust for warped, trust, _ in others])
        uncertain = xp.maximum(uncertain, outvoted)
    total, total_weight = as_float(alpha), xp.ones_like(uncertain)
    for warped, trust, weight in others:
        counts = trust * uncertain * weight
        total = total + counts * warped
        total_weight += counts
    out: FloatArray = total / total_weight
    return out


def _opposed(alpha: FloatArray, other: FloatArray, parameters: TemporalParameters) -> FloatArray:
    """(h, w): 1 where two alphas are opposite, 0 where they do not, linear between."""
    low, high = parameters.opposed_from, parameters.opposed_to
    xp = namespace(alpha)
    out: FloatArray = xp.clip((xp.abs(other - alpha) - low) / (high - low), 0, 1)
    return out
