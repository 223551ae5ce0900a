"""Closed-form matting (Levin, Lischinski, Weiss 2008) by PyMatting, between what is surely the person and surely not.

Slower than the guided filter by a factor of about a hundred; the extra ``closed_form`` installs it.
"""

from __future__ import annotations

import cv2
import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.errors import SettingsError
from vr180_ofx.matte.contract import Refined, constant
from vr180_ofx.matte.fusion import detailed


class ClosedFormRefiner:
    """band: half the width of the stretch that is solved, in window pixels."""

    def __init__(self, band: int = 8) -> None:
        try:
            import pymatting
        except ImportError:
            raise SettingsError(
                "matting.refiner is 'closed_form', which needs PyMatting; install it with: pip install 'vr180-ofx[closed_form]'"
            ) from None
        self._solve = pymatting.estimate_alpha_cf
        self._band = band

    def identity(self) -> str:
        return f"closed_form:{self._band}:joint"

    def refine(self, guide: FloatArray, mask: FloatArray) -> Refined:
        inside = (mask > 0.5).astype(np.uint8)
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * self._band + 1, 2 * self._band + 1))
        sure, maybe = cv2.erode(inside, kernel), cv2.dilate(inside, kernel)
        if not sure.any() or maybe.all():
            return constant(mask)
        trimap = np.where(sure > 0, 1.0, np.where(maybe > 0, 0.5, 0.0))
        # the solver wants RGB 0..1; any invertible linear map of it serves
        image = np.clip(guide.astype(np.float64) + np.array([0.0, 0.5, 0.5]), 0, 1)
        alpha = self._solve(image, trimap, laplacian_kwargs={"epsilon": 1e-6})
        # solved at the window's resolution, and carried to the plate's with the detail that it has there
        return detailed(np.clip(alpha, 0, 1).astype(np.float32), guide)
