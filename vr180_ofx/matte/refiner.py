"""What a refiner is, and which there are. Adding one is one module, one line here, one test.

A refiner works on a window and describes its alpha as a function of the full-resolution picture, so that the edge is as
sharp as the plate and no full-size image is ever made: alpha = a . guide + b, with a and b smooth (He, Sun, Tang 2013).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from vr180_ofx.settings import Settings, SettingsError
from vr180_ofx.vr180.projection import FloatArray


@dataclass(frozen=True, slots=True)
class Refined:
    """Alpha in a window.

    coefficients: (size, size, 4) float32: alpha = c0 * luma + c1 * cb + c2 * cr + c3 of the guide at any resolution, then
        clipped to 0..1. gain: contrast about 0.5 that is applied before clipping.
    """

    coefficients: FloatArray
    gain: float = 1.0


class Refiner(Protocol):
    """Edges of one window. A refiner knows nothing of frames, chunks, files or threads."""

    def identity(self) -> str: ...

    def refine(self, guide: FloatArray, mask: FloatArray) -> Refined:
        """guide: (h, w, 3) luma and colour differences; mask: (h, w) 0..1."""
        ...


class NoRefiner:
    """The mask as it is."""

    def identity(self) -> str:
        return "none"

    def refine(self, guide: FloatArray, mask: FloatArray) -> Refined:
        return constant(mask)


def constant(alpha: FloatArray, gain: float = 1.0) -> Refined:
    """An alpha that does not depend on the picture: (h, w) 0..1."""
    coefficients = np.zeros((*alpha.shape, 4), np.float32)
    coefficients[..., 3] = alpha
    return Refined(coefficients, gain)


def make_refiner(settings: Settings) -> Refiner:
    """The refiner that ``matting.refiner`` names."""
    name = settings.matting.refiner
    name = "guided" if name == "auto" else name
    if name not in REFINERS:
        raise SettingsError(f"matting.refiner is {name!r}; this version has {', '.join(REFINERS)}")
    return REFINERS[name]()


def _guided() -> Refiner:
    from vr180_ofx.matte.guided import GuidedRefiner

    return GuidedRefiner()


def _closed_form() -> Refiner:
    from vr180_ofx.matte.closed_form import ClosedFormRefiner

    return ClosedFormRefiner()


REFINERS: dict[str, Callable[[], Refiner]] = {"none": NoRefiner, "guided": _guided, "closed_form": _closed_form}
