"""The refiner that refines nothing."""

from __future__ import annotations

from vr180_ofx.arrays import FloatArray
from vr180_ofx.matte.contract import Refined, constant


class NoRefiner:
    """The mask as it is. See `contract.Refiner`."""

    takes_tensors = True

    def identity(self) -> str:
        return "none"

    def refine(self, guide: FloatArray, mask: FloatArray) -> Refined:
        return constant(mask)
