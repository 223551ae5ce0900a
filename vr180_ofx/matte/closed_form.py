"""Closed-form matting (Levin, Lischinski, Weiss 2008) by PyMatting, between what is surely the person and surely not.

Slower than the guided filter by a factor of about a hundred; the extra ``closed_form`` installs it. It is solved on the host: see
`contract.Refiner` for windows on a graphics card.
"""

from __future__ import annotations

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.errors import SettingsError
from vr180_ofx.imaging.morphology import dilate, disc, erode
from vr180_ofx.matte.contract import Refined, constant
from vr180_ofx.matte.detail import with_detail
from vr180_ofx.matte.parameters import CLOSED_FORM, MATTE, ClosedFormParameters, DetailParameters
from vr180_ofx.parameters import identity_of


class ClosedFormRefiner:
    """See `contract.Refiner`. Raises SettingsError when PyMatting is not installed."""

    def __init__(self, parameters: ClosedFormParameters = CLOSED_FORM, detail: DetailParameters = MATTE.detail) -> None:
        """detail: of the full picture in the window's alpha."""
        try:
            import pymatting
        except ImportError:
            raise SettingsError(
                "matting.refiner is 'closed_form', which needs PyMatting; install it with: pip install 'vr180-ofx[closed_form]'"
            ) from None
        self._solve = pymatting.estimate_alpha_cf
        self._parameters = parameters
        self._detail = detail

    def identity(self) -> str:
        return f"closed_form:{identity_of(self._parameters, self._detail)}"

    def refine(self, guide: FloatArray, mask: FloatArray) -> Refined:
        inside, band = mask > 0.5, disc(self._parameters.band_px)
        certain, possible = erode(inside, band), dilate(inside, band)
        if not certain.any() or possible.all():
            return constant(mask)
        trimap = np.where(certain, 1.0, np.where(possible, 0.5, 0.0))
        # the solver wants RGB 0..1; any invertible linear map of it serves
        image = np.clip(guide.astype(np.float64) + np.array([0.0, 0.5, 0.5]), 0, 1)
        alpha = self._solve(image, trimap, laplacian_kwargs={"epsilon": self._parameters.epsilon})
        # solved at the window's resolution, and carried to the plate's with the detail that it has there
        return with_detail(np.clip(alpha, 0, 1).astype(np.float32), guide, self._detail)
