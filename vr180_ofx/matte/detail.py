"""The detail of the full picture in an alpha that was made at a lower resolution: how much alpha changes with luma thereabouts."""

from __future__ import annotations

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.either import namespace
from vr180_ofx.imaging.filter import box_blurs
from vr180_ofx.imaging.planes import interleaved
from vr180_ofx.matte.contract import Refined
from vr180_ofx.matte.parameters import MATTE, DetailParameters


def with_detail(alpha: FloatArray, guide: FloatArray, parameters: DetailParameters = MATTE.detail) -> Refined:
    """An alpha at any resolution: as it is, and with the detail that the full picture has there.

    alpha: (h, w) float32 0..1. guide: (h, w, 3), the picture that it was made with, see `media.contract.Sample`. Of tensors several at
    once, alpha (..., n, h, w) and guide (n, h, w, 3).
    """
    xp = namespace(alpha)
    luma = xp.ascontiguousarray(guide[..., 0])
    if luma.shape != alpha.shape:
        luma = xp.broadcast_to(luma, alpha.shape)
    by_luma = slope(alpha, luma, parameters)
    no_colour = xp.zeros_like(by_luma)
    return Refined(interleaved([by_luma, no_colour, no_colour, alpha - by_luma * luma]), colour=False)


def slope(alpha: FloatArray, luma: FloatArray, parameters: DetailParameters = MATTE.detail) -> FloatArray:
    """How much alpha changes with luma, (h, w) float32: regression in squares, averaged over the squares that hold a pixel.

    It counts as far as luma explains alpha there (their correlation): without that a background with a texture makes edges rough.
    alpha, luma: (h, w) float32 0..1.
    """
    square = (parameters.square_px, parameters.square_px)

    xp = namespace(alpha)
    mean_luma, mean_alpha, mean_both, mean_luma_2, mean_alpha_2 = box_blurs(
        [luma, alpha, luma * alpha, luma * luma, alpha * alpha], square, border="symmetric"
    )
    covariance = mean_both - mean_luma * mean_alpha
    variance_luma = xp.maximum(mean_luma_2 - mean_luma * mean_luma, 0) + parameters.epsilon
    variance_alpha = xp.maximum(mean_alpha_2 - mean_alpha * mean_alpha, 0) + parameters.least_variance
    correlation = xp.abs(covariance) / xp.sqrt(variance_luma * variance_alpha)
    (averaged,) = box_blurs([covariance / variance_luma * correlation], square, border="symmetric")
    return averaged
