"""The motion between two pictures, and what is known of one carried to the other.

Motion is found by dense inverse search (Kroeger et al. 2016, OpenCV's DIS).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vr180_ofx.arrays import FloatArray

#: Differences of luma, of 255: so much is grain and says nothing, and over so much more trust fades.
_GRAIN, FADES = 2.0, 10.0

#: Differences are felt so far around, in pixels of a picture of 384.
_AROUND = 1.0

#: The flow's finest level. At half the size it takes a tenth of the time, and the result is nearly as good; at a quarter a quarter of that,
#: which is good enough for masks.
FINE, COARSE = 1, 2

Luma = npt.NDArray[np.uint8]


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
