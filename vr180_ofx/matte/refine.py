"""A refiner's edges in a band about the edge of a mask, and nowhere else."""

from __future__ import annotations

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.morphology import dilate, disc, erode
from vr180_ofx.imaging.parts import bounds
from vr180_ofx.matte.contract import Refined, Refiner
from vr180_ofx.matte.parameters import MATTE, BandParameters


def refine(refiner: Refiner, guide: FloatArray, mask: FloatArray, parameters: BandParameters = MATTE.band) -> Refined:
    """What ``refiner`` makes of a window, in the band about the mask's edge; inside of it alpha is 1, and outside 0.

    guide: (h, w, 3), see `Refiner.refine`; mask: (h, w) 0..1. The refiner is shown only the part of the window that holds the
    person and their surroundings: half of it as a rule. Without a person alpha is 0 everywhere.
    """
    whole = np.zeros((*mask.shape, 4), np.float32)
    person = bounds(mask > parameters.inside)
    if person.empty:
        return Refined(whole)
    part = person.grown(parameters.band_px + parameters.reach_px).clipped(mask.shape[1], mask.shape[0]).slices
    refined = refiner.refine(np.ascontiguousarray(guide[part]), np.ascontiguousarray(mask[part]))
    in_band = restrict(refined, mask[part], parameters)
    whole[part] = in_band.coefficients
    return Refined(whole, in_band.gain)


def restrict(refined: Refined, mask: FloatArray, parameters: BandParameters = MATTE.band) -> Refined:
    """An alpha that is 1 inside the band about a mask's edge, and 0 outside; in the band as it is. mask: (h, w) 0..1."""
    inside = erode(mask > parameters.certain, disc(parameters.band_px))
    outside = ~dilate(mask > parameters.inside, disc(parameters.band_px))
    band = np.where(inside | outside, np.float32(0), np.float32(1))
    coefficients = refined.coefficients * band[..., None]
    coefficients[..., 3] += inside
    return Refined(coefficients, refined.gain)
