"""What is known of one frame carried to another, along the motion of the picture; and alphas steadied by their neighbours with it.

A matting network errs a little differently in every frame, and edges seem to crawl. What the neighbouring frames say of the same places
is another opinion: where the picture that is carried along looks like this one, it counts as much as the frame's own; where it does not
(somebody is uncovered, the motion is lost), it does not count. Nor where the frame is sure, which would make haze about people, unless all
others say the opposite. Motion is found by dense inverse search (Kroeger et al. 2016, OpenCV's DIS).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vr180_ofx.matte.edges import unsure
from vr180_ofx.vr180.projection import FloatArray

#: Differences of luma, of 255: so much is grain and says nothing, and over so much more trust fades.
_GRAIN, FADES = 2.0, 10.0
#: Differences are felt so far around, in pixels of a picture of 384.
_AROUND = 1.0
#: Others are heard where a frame is not sure, and so many pixels of a picture of 384 beside: below this, and above 1 less it, it is sure.
_UNSURE, _BESIDE = 0.02, 2.0
#: It is outvoted where all others differ from it by so much.
_AGAINST = 0.6, 0.8
#: The flow's finest level. At half the size it takes a tenth of the time, and the result is nearly as good; at a quarter a quarter of that,
#: which is good enough for masks.
FINE, COARSE = 1, 2

Luma = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """What another frame shows. alpha: (h, w) 0..1; luma: (h, w). weight: how much it counts where both look alike; the frame's own 1."""

    alpha: FloatArray
    luma: Luma
    weight: float = 1.0


def luma_of(guide: FloatArray) -> Luma:
    """What motion is found by. guide: see `media.picture.Sample`."""
    return np.clip(guide[..., 0] * 255, 0, 255).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Motion:
    """Where another frame shows what this one does.

    places: (h, w, 2) float32, pixel indices of the other frame. trust: (h, w) 0..1, how far it looks the same there.
    """

    places: FloatArray
    trust: FloatArray

    def carry(self, values: FloatArray) -> FloatArray:
        """Values of the other frame, (h, w[, n]) float32, at the places of this one."""
        # cubic: linear interpolation would soften edges
        out: FloatArray = cv2.remap(values, self.places, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return out

    def carry_alpha(self, alpha: FloatArray) -> FloatArray:
        """The same of an alpha, (h, w) 0..1."""
        return np.clip(self.carry(alpha.astype(np.float32)), 0, 1)


def steadied(alpha: FloatArray, luma: Luma, neighbours: Iterable[Neighbour], unit: float) -> FloatArray:
    """(h, w) 0..1. unit: pixels for one of a picture of 384."""
    said = []
    for other in neighbours:
        motion = motion_between(other.luma, luma, unit)
        said.append((motion.carry_alpha(other.alpha), motion.trust, np.float32(other.weight)))
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


def motion_between(theirs: Luma, luma: Luma, unit: float, level: int = FINE, fades: float = FADES) -> Motion:
    """From this frame to another one. theirs, luma: what the other frame shows and what this one does, (h, w). unit: see `steadied`.
    level: `FINE` or `COARSE`. fades: over such a difference of luma trust fades.
    """
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    flow.setFinestScale(level)
    height, width = luma.shape
    places = flow.calc(luma, theirs, None)
    places[..., 0] += np.arange(width, dtype=np.float32)
    places[..., 1] += np.arange(height, dtype=np.float32)[:, None]
    there = cv2.remap(theirs, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    differs = cv2.GaussianBlur(cv2.absdiff(there, luma).astype(np.float32), (0, 0), _AROUND * unit)
    return Motion(places, np.exp(-np.square(np.maximum(differs - np.float32(_GRAIN), 0) / np.float32(fades))))
