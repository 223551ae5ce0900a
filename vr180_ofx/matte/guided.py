"""The refiner whose edges follow the picture: the guided filter."""

from __future__ import annotations

from vr180_ofx.arrays import FloatArray
from vr180_ofx.matte.contract import Refined
from vr180_ofx.matte.guided_filter import guided_filter
from vr180_ofx.matte.parameters import GUIDED, GuidedParameters
from vr180_ofx.parameters import identity_of


class GuidedRefiner:
    """`guided_filter` with given parameters. See `contract.Refiner`."""

    takes_tensors = True

    def __init__(self, parameters: GuidedParameters = GUIDED) -> None:
        self._parameters = parameters

    def identity(self) -> str:
        return f"guided:{identity_of(self._parameters)}"

    def refine(self, guide: FloatArray, mask: FloatArray) -> Refined:
        return guided_filter(guide, mask, self._parameters)
