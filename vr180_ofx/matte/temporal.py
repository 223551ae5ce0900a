"""What is known of one frame carried to another, along the motion of the picture; and alphas steadied by their neighbours with it.

A matting network errs a little differently in every frame, and edges seem to crawl. What the neighbouring frames say of the same places
is another opinion: where the picture that is carried along looks like this one, it counts as much as the frame's own; where it does not
(somebody is uncovered, the motion is lost), it does not count. Nor where the frame is sure, which would make haze about people, unless all
others say the opposite. Motion is found by dense inverse search (Kroeger et al. 2016, OpenCV's DIS).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.flow import Luma, motion_between
from vr180_ofx.matte.edges import unsure

#: Others are heard where a frame is not sure, and so many pixels of a picture of 384 beside: below this, and above 1 less it, it is sure.
_UNSURE, _BESIDE = 0.02, 2.0
#: It is outvoted where all others differ from it by so much.
_AGAINST = 0.6, 0.8


@dataclass(frozen=True, slots=True)
class Neighbour:
    """What another frame shows. alpha: (h, w) 0..1; luma: (h, w). weight: how much it counts where both look alike; the frame's own 1."""

    alpha: FloatArray
    luma: Luma
    weight: float = 1.0


def steadied(alpha: FloatArray, luma: Luma, neighbours: Iterable[Neighbour], unit: float) -> FloatArray:
    """(h, w) 0..1. unit: pixels for one of a picture of 384."""
    said = []
    for other in neighbours:
        motion = motion_between(other.luma, luma, unit)
        said.append((motion.warp_alpha(other.alpha), motion.trust, np.float32(other.weight)))
    heard = unsure(alpha, _UNSURE, round(_BESIDE * unit))
    if len(said) > 1:
        heard = np.maximum(heard, np.minimum.reduce([_against(alpha, theirs) * trust for theirs, trust, _ in said]))
    total, weight = alpha.astype(np.float32), np.ones(alpha.shape, np.float32)
    for theirs, trust, say in said:
        counts = trust * heard * say
        total += counts * theirs
        weight += counts
    out: FloatArray = total / weight
    return out


def _against(alpha: FloatArray, other: FloatArray) -> FloatArray:
    """(h, w): 1 where two alphas say the opposite of each other."""
    out: FloatArray = np.clip((np.abs(other - alpha) - _AGAINST[0]) / np.float32(_AGAINST[1] - _AGAINST[0]), 0, 1)
    return out
