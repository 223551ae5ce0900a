"""Where an alpha is uncertain: neither nobody nor wholly somebody."""

from __future__ import annotations

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.either import as_float, on_planes
from vr180_ofx.imaging.filter import gaussian_blur
from vr180_ofx.imaging.morphology import dilate, square
from vr180_ofx.imaging.planes import within
from vr180_ofx.matte.parameters import UncertaintyParameters


def uncertainty(alpha: FloatArray, parameters: UncertaintyParameters, margin_px: int = 0) -> FloatArray:
    """(h, w) float32: 1 where an alpha is uncertain and ``margin_px`` pixels around, 0 elsewhere, soft between.

    alpha: (h, w) float32 0..1.
    """
    mask = within(alpha, parameters.least_alpha, 1 - parameters.least_alpha)
    if margin_px:
        mask = on_planes(dilate, mask, square(margin_px))
    out: FloatArray = as_float(on_planes(gaussian_blur, mask, parameters.soft_px)) / 255
    return out
