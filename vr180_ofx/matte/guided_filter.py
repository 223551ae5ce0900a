"""The guided filter with a colour guide (He, Sun, Tang 2013, eq. 16-19)."""

from __future__ import annotations

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.either import as_float, namespace
from vr180_ofx.imaging.filter import box_blurs
from vr180_ofx.imaging.planes import interleaved
from vr180_ofx.imaging.regression import local_linear
from vr180_ofx.matte.contract import Refined
from vr180_ofx.matte.parameters import GUIDED, GuidedParameters


def guided_filter(guide: FloatArray, mask: FloatArray, parameters: GuidedParameters = GUIDED) -> Refined:
    """A mask whose edges follow the picture.

    guide: (h, w, 3) float32, see `media.contract.Sample`. mask: (h, w) 0..1. Returns coefficients (h, w, 4) of the same picture.
    """
    xp = namespace(guide)
    size = (2 * parameters.radius_px + 1, 2 * parameters.radius_px + 1)
    weights = parameters.channel_weights
    planes = [xp.ascontiguousarray(guide[..., k]) * w for k, w in enumerate(weights)]
    slopes, constant = local_linear(planes, as_float(mask), size, parameters.epsilon)
    means = box_blurs([*(a * w for a, w in zip(slopes, weights, strict=True)), constant], size, border="symmetric")
    return Refined(interleaved(means), parameters.gain)
