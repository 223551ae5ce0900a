"""The detail of the full picture in an alpha that was made at a lower resolution: how much alpha changes with luma thereabouts."""

from __future__ import annotations

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.filter import box_blur
from vr180_ofx.matte.contract import Refined
from vr180_ofx.matte.parameters import MATTE, DetailParameters


def with_detail(alpha: FloatArray, guide: FloatArray, parameters: DetailParameters = MATTE.detail) -> Refined:
    """An alpha at any resolution: as it is, and with the detail that the full picture has there.

    alpha: (h, w) float32 0..1. guide: (h, w, 3), the picture that it was made with, see `media.contract.Sample`.
    """
    luma = np.ascontiguousarray(guide[..., 0])
    coefficients = np.zeros((*alpha.shape, 4), np.float32)
    coefficients[..., 0] = slope(alpha, luma, parameters)
    coefficients[..., 3] = alpha - coefficients[..., 0] * luma
    return Refined(coefficients)


def slope(alpha: FloatArray, luma: FloatArray, parameters: DetailParameters = MATTE.detail) -> FloatArray:
    """How much alpha changes with luma, (h, w) float32: regression in squares, averaged over the squares that hold a pixel.

    It counts as far as luma explains alpha there (their correlation): without that a background with a texture makes edges rough.
    alpha, luma: (h, w) float32 0..1.
    """
    square = (parameters.square_px, parameters.square_px)

    def mean(values: FloatArray) -> FloatArray:
        return box_blur(values, square, border="symmetric")

    mean_luma, mean_alpha = mean(luma), mean(alpha)
    covariance = mean(luma * alpha) - mean_luma * mean_alpha
    variance_luma = np.maximum(mean(luma * luma) - mean_luma * mean_luma, 0) + np.float32(parameters.epsilon)
    variance_alpha = np.maximum(mean(alpha * alpha) - mean_alpha * mean_alpha, 0) + np.float32(parameters.least_variance)
    correlation = np.abs(covariance) / np.sqrt(variance_luma * variance_alpha)
    return mean(covariance / variance_luma * correlation)
