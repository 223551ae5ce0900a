"""Two pictures of a person with the same rows, matched, and what both matchers agree on made one smooth surface.

The matchers look for the same thing in different ways: semi-global matching (Hirschmueller 2008, OpenCV's StereoSGBM), which is robust
and counts in sixteenths, and dense inverse search (Kroeger et al. 2016, OpenCV's DIS), which is fine and goes astray. Where they agree is
believed; in between the surface is interpolated. Both see the person alone: everything else is one grey.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from vr180_ofx.arrays import BoolArray, ByteArray, FloatArray
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
    fine = _inverse_search(bare_left, bare_right)
    everything = -parameters.search_px // 2, parameters.search_px // 2
    rough = _semi_global(bare_left, bare_right, everything, parameters, enlarge=1)
    if exact:
        known = _known_range(rough, fine, alone, everything, parameters)
        rough = _semi_global(bare_left, bare_right, known, parameters, enlarge=2)
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
        total += share * cv2.GaussianBlur(rest, (0, 0), sigma)
        weights += share * cv2.GaussianBlur(weight, (0, 0), sigma)
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


def _semi_global(
    left: ByteArray, right: ByteArray, shifts: tuple[int, int], parameters: DisparityParameters, enlarge: int
) -> FloatArray:  # fmt: skip
    """Shifts from the least to the most of ``shifts``, in pixels; enlarged, sixteenths are finer. The matcher takes its left picture for
    the reference, so both are mirrored.
    """
    (least, most), block = shifts, parameters.block_px
    size = (left.shape[1] * enlarge, left.shape[0] * enlarge)
    count = -(-enlarge * (most - least) // 16) * 16
    # the count is rounded up, by less than 16
    reach = enlarge * max(-least, most) + 16
    big = [
        cv2.copyMakeBorder(cv2.resize(p, size, interpolation=cv2.INTER_CUBIC), 0, 0, reach, reach, cv2.BORDER_REPLICATE)
        for p in (left, right)
    ]
    matcher = cv2.StereoSGBM.create(
        minDisparity=enlarge * least, numDisparities=count, blockSize=block, P1=8 * block**2, P2=32 * block**2, disp12MaxDiff=-1,
        uniquenessRatio=parameters.uniqueness_percent, mode=cv2.STEREO_SGBM_MODE_SGBM,
    )  # fmt: skip
    found = cv2.flip(matcher.compute(cv2.flip(big[1], 1), cv2.flip(big[0], 1)), 1)[:, reach:-reach].astype(np.float32) / 16
    small: FloatArray = cv2.resize(found, (left.shape[1], left.shape[0]), interpolation=cv2.INTER_AREA) / enlarge
    return small


def _inverse_search(left: ByteArray, right: ByteArray) -> FloatArray:
    """Its vertical part is left out: rows are rows in both pictures."""
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    flow.setFinestScale(0)
    out: FloatArray = flow.calc(right, left, None)[..., 0]
    return out


def _bytes(values: FloatArray) -> ByteArray:
    return np.clip(np.rint(values * 255), 0, 255).astype(np.uint8)
