"""A refiner's edges in a band about the edge of a mask, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.either import as_float, beside, hosts, is_tensor, namespace
from vr180_ofx.imaging.morphology import dilate, disc, erode
from vr180_ofx.imaging.parts import bounds
from vr180_ofx.matte.contract import Refined, Refiner, takes_tensors
from vr180_ofx.matte.parameters import MATTE, BandParameters


def refine(refiner: Refiner, guide: FloatArray, mask: FloatArray, parameters: BandParameters = MATTE.band) -> Refined:
    """What ``refiner`` makes of a window, in the band about the mask's edge; inside of it alpha is 1, and outside 0.

    guide: (h, w, 3), see `Refiner.refine`; mask: (h, w) 0..1. The refiner is shown only the part of the window that holds the
    person and their surroundings: half of it as a rule; all of a tensor. Without a person alpha is 0 everywhere.
    """
    if is_tensor(mask):
        if not takes_tensors(refiner):
            return _on_host(refiner, guide, mask, parameters)
        # what is outside of the band is cut off; asking where it is would wait for the card, and costs it more than working there
        return restrict(refiner.refine(guide, mask), mask, parameters)
    whole = np.zeros((*mask.shape, 4), np.float32)
    person = bounds(mask > parameters.inside)
    if person.empty:
        return Refined(whole)
    part = person.grown(parameters.band_px + parameters.reach_px).clipped(mask.shape[1], mask.shape[0]).slices
    refined = refiner.refine(np.ascontiguousarray(guide[part]), np.ascontiguousarray(mask[part]))
    in_band = restrict(refined, mask[part], parameters)
    whole[part] = in_band.coefficients
    return replace(in_band, coefficients=whole)


def _on_host(refiner: Refiner, guide: FloatArray, mask: FloatArray, parameters: BandParameters) -> Refined:
    """`refine` for tensors by a refiner that takes arrays: (h, w), or several windows, (n, h, w)."""
    guides, masks = hosts(guide, mask)
    made = [refine(refiner, g, m, parameters) for g, m in ([(guides, masks)] if mask.ndim == 2 else zip(guides, masks, strict=True))]
    coefficients = made[0].coefficients if mask.ndim == 2 else np.stack([r.coefficients for r in made])
    return replace(made[0], coefficients=beside(coefficients, mask), gain=max(r.gain for r in made))


def refine_all(
    refiner: Refiner, guides: Sequence[FloatArray], masks: Sequence[FloatArray], parameters: BandParameters = MATTE.band
) -> list[Refined]:  # fmt: skip
    """`refine` of several windows. Tensors of one size are worked on together, in as many steps as one, where the refiner can do that."""
    at_once = takes_tensors(refiner) and len(masks) > 1 and len({tuple(m.shape) for m in masks}) == 1
    if not (at_once and all(is_tensor(m) for m in masks)):
        return [refine(refiner, guide, mask, parameters) for guide, mask in zip(guides, masks, strict=True)]
    xp = namespace(masks[0])
    together = refine(refiner, xp.stack(guides), xp.stack(masks), parameters)
    return [replace(together, coefficients=coefficients) for coefficients in together.coefficients]


def restrict(refined: Refined, mask: FloatArray, parameters: BandParameters = MATTE.band) -> Refined:
    """An alpha that is 1 inside the band about a mask's edge, and 0 outside; in the band as it is.

    mask: (h, w) 0..1, or (n, h, w) of several windows at once, tensors.
    """
    # several windows are channels of one picture
    several = mask.ndim == 3
    planes = mask.permute(1, 2, 0) if several else mask  # type: ignore[attr-defined]
    inside: Any = erode(planes > parameters.certain, disc(parameters.band_px))
    outside: Any = ~dilate(planes > parameters.inside, disc(parameters.band_px))
    if several:
        inside, outside = inside.permute(2, 0, 1), outside.permute(2, 0, 1)
    band = as_float(~(inside | outside))
    coefficients = refined.coefficients * band[..., None]
    coefficients[..., 3] += inside
    return replace(refined, coefficients=coefficients)
