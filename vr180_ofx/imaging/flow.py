"""The motion between two pictures, and what is known of one warped to the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vr180_ofx.arrays import ByteArray, FloatArray
from vr180_ofx.imaging.either import as_float, beside, either, hosts, namespace
from vr180_ofx.imaging.filter import gaussian_blur
from vr180_ofx.imaging.planes import absolute_difference
from vr180_ofx.imaging.sample import sample

#: The flow's finest level. At half the size it takes a tenth of the time, and the result is nearly as good; at a quarter a quarter of that,
#: which is good enough for masks.
FINE, COARSE = 1, 2

Luma = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class TrustParameters:
    """From how much two pictures differ to how far motion between them is trusted. What that gains: docs/decisions/0046.

    grain: a difference of luma, of 255, that is noise and says nothing. fades: above it trust is exp(-(difference / fades)^2).
    blur: standard deviation of the Gaussian that differences are felt by, in pixels of a picture of 384.
    """

    grain: float = 2.0
    fades: float = 10.0
    blur: float = 1.0


TRUST = TrustParameters()


@either
def luma_of(guide: FloatArray) -> Luma:
    """What motion is found by. guide: see `media.contract.Sample`."""
    return np.clip(guide[..., 0] * 255, 0, 255).astype(np.uint8)


@either
def optical_flow(here: ByteArray, there: ByteArray, *, finest: int = FINE, thorough: bool = False) -> FloatArray:
    """How far ``there`` shows what ``here`` does: (h, w, 2) float32, pixels to the right and downwards.

    Dense inverse search (Kroeger et al. 2016, OpenCV's DIS). here, there: (h, w). finest: flow is found in pyramids, and interpolated
    from 1 / 2^finest of the size on. thorough: denser patches and a variational refinement, which take about ten times as long.
    """
    preset = cv2.DISOPTICAL_FLOW_PRESET_MEDIUM if thorough else cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST
    search = cv2.DISOpticalFlow.create(preset)
    search.setFinestScale(finest)
    flow: FloatArray = search.calc(np.ascontiguousarray(here), np.ascontiguousarray(there), None)
    return flow


def pixel_indices(width: int, height: int) -> FloatArray:
    """(height, width, 2) float32: where each pixel is, so that flow which is added says where it comes from."""
    return np.stack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)), axis=-1)


@dataclass(frozen=True, slots=True)
class Motion:
    """Where another frame shows what this one does.

    places: (h, w, 2) float32, pixel indices of the other frame. trust: (h, w) 0..1, how far it looks the same there.
    """

    places: FloatArray
    trust: FloatArray

    def __post_init__(self) -> None:
        if self.places.shape != (*self.trust.shape, 2):
            raise ValueError(f"places of shape {self.places.shape} and trust of {self.trust.shape} are of different pictures")

    def __repr__(self) -> str:
        return f"Motion({self.trust.shape[1]}x{self.trust.shape[0]}, mean trust {float(self.trust.mean()):.2f})"

    def warp(self, values: FloatArray) -> FloatArray:
        """Values of the other frame, (h, w[, n]) float32, at the places of this one."""
        # cubic: linear interpolation would soften edges
        return sample(values, self.places, border="edge", interpolation="cubic", centre=0)

    def warp_alpha(self, alpha: FloatArray) -> FloatArray:
        """The same of an alpha, (h, w) 0..1."""
        clipped: FloatArray = namespace(alpha).clip(self.warp(as_float(alpha)), 0, 1)
        return clipped


def motion_between(
    theirs: Luma, luma: Luma, reference_scale: float, *, finest: int = FINE, trust: TrustParameters = TRUST, flow: FloatArray | None = None
) -> Motion:  # fmt: skip
    """From this frame to another one.

    theirs, luma: (h, w), what the other frame shows and what this one does. reference_scale: pixels for one of a picture of 384.
    finest: `FINE` or `COARSE`. Flow is found on the host, which waits for both. trust: how differences of the pictures are taken.
    flow: the host's, from ``luma`` to ``theirs``, where it was found already.
    """
    height, width = luma.shape
    xp = namespace(luma)
    places = optical_flow(*hosts(luma, theirs), finest=finest) if flow is None else flow.copy()
    places[..., 0] += np.arange(width, dtype=np.float32)
    places[..., 1] += np.arange(height, dtype=np.float32)[:, None]
    places = beside(places, luma)
    there: Any = sample(theirs, places, border="edge", centre=0)
    differs = gaussian_blur(as_float(absolute_difference(there, luma)), trust.blur * reference_scale)
    return Motion(places, xp.exp(-xp.square(xp.maximum(differs - float(trust.grain), 0) / float(trust.fades))))
