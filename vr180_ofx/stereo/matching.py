"""Two pictures of a person with the same rows, matched, and what both matchers agree on made one smooth surface.

The matchers look for the same thing in different ways: semi-global matching (Hirschmueller 2008, OpenCV's StereoSGBM), which is robust
and counts in sixteenths, and dense inverse search (Kroeger et al. 2016, OpenCV's DIS), which is fine and goes astray. Where they agree is
believed; in between the surface is interpolated. Both see the person alone: everything else is one grey.
"""

from __future__ import annotations

import math

import numpy as np

from vr180_ofx.arrays import BoolArray, ByteArray, FloatArray
from vr180_ofx.imaging.filter import gaussian_blur
from vr180_ofx.imaging.flow import optical_flow
from vr180_ofx.imaging.matching import semi_global_shift
from vr180_ofx.stereo.parameters import STEREO, DisparityParameters


def match(
    left: FloatArray, right: FloatArray, mask_left: FloatArray, mask_right: FloatArray,
    parameters: DisparityParameters = STEREO.disparity, *, exact: bool = True,
) -> tuple[FloatArray, BoolArray]:  # fmt: skip
    """left, right: (h, w) luma 0..1 of windows with the same rows; masks: (h, w) the person, 0..1. exact: at twice the size, where errors
    are a few percent smaller, and which takes twice the time.

    Returns the shift for the right's pixels, (h, w) float32, and where it can be believed, (h, w).
    """
    alone = mask_right > parameters.inside
    grey = float(np.median(right[alone])) if alone.any() else 0.5
    bare_left, bare_right = (_bytes(p * m + grey * (1 - m)) for p, m in ((left, mask_left), (right, mask_right)))
    # its vertical part is left out: rows are rows in both pictures
    fine = optical_flow(bare_right, bare_left, finest=0)[..., 0]
    block, uniqueness = parameters.block_px, parameters.uniqueness_percent
    everything = -parameters.search_px // 2, parameters.search_px // 2
    rough = semi_global_shift(bare_left, bare_right, *everything, block=block, uniqueness=uniqueness)
    if exact:
        # enlarged, sixteenths are finer
        known = _known_range(rough, fine, alone, everything, parameters)
        rough = semi_global_shift(bare_left, bare_right, *known, enlarge=2, block=block, uniqueness=uniqueness)
    agree = np.abs(rough - fine) < parameters.agree_px
    return np.where(agree, (rough + fine) / 2, rough).astype(np.float32), agree & alone


def surface(
    shift: FloatArray, sure: BoolArray, mask: FloatArray, parameters: DisparityParameters = STEREO.disparity
) -> FloatArray:  # fmt: skip
    """A smooth surface, (h, w) float32, through what is believed: a plane, and what departs from it.

    shift: (h, w) pixels. sure: (h, w) where it is believed. mask: (h, w) 0..1, the person.
    """
    plane = _plane(shift, sure if sure.any() else mask > 0.5, parameters)
    weight = (sure * mask).astype(np.float32)
    rest = np.clip(shift - plane, -parameters.depth_px, parameters.depth_px) * weight
    total, weights = np.zeros_like(plane), np.full_like(plane, 1e-6)
    for sigma, share in parameters.spread:
        total += share * gaussian_blur(rest, sigma)
        weights += share * gaussian_blur(weight, sigma)
    out: FloatArray = plane + total / weights
    return out


def _plane(shift: FloatArray, where: BoolArray, parameters: DisparityParameters) -> FloatArray:
    """The plane that most of it lies on: least squares, with ever less weight for what is far from it (Cauchy's)."""
    height, width = shift.shape
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    terms = np.stack([np.ones_like(xs), xs / width, ys / height], axis=-1)
    if int(where.sum()) < parameters.plane_least:
        return np.full((height, width), float(np.median(shift[where])) if where.any() else 0.0, np.float32)
    a, b = terms[where], shift[where]
    weight = np.ones(len(b), np.float32)
    fit = np.zeros(3, np.float32)
    for _ in range(parameters.plane_rounds):
        fit = np.linalg.lstsq(a * weight[:, None], b * weight, rcond=None)[0]
        off = np.abs(b - a @ fit)
        weight = 1 / np.sqrt(1 + (off / max(float(np.median(off)), parameters.plane_scale_px)) ** 2)
    out: FloatArray = (terms @ fit).astype(np.float32)
    return out


def _known_range(
    rough: FloatArray, fine: FloatArray, inside: BoolArray, everything: tuple[int, int], parameters: DisparityParameters
) -> tuple[int, int]:  # fmt: skip
    """(least, most) shift, in pixels, that a person can have: what both matchers find, and some more."""
    known = fine[inside & (np.abs(rough - fine) < 2 * parameters.agree_px)]
    if len(known) < parameters.least_known:
        return everything
    low, high = (float(v) for v in np.percentile(known, (0.5, 99.5)))
    return max(everything[0], math.floor(low) - parameters.beyond_px), min(everything[1], math.ceil(high) + parameters.beyond_px)


def _bytes(values: FloatArray) -> ByteArray:
    return np.clip(np.rint(values * 255), 0, 255).astype(np.uint8)
