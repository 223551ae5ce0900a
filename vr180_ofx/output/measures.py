"""Layers that every frame has beside those of its people: what was measured of an eye, by name.

A row here is a layer in EXR files, in what the service serves, and none of a person to whoever reads files back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vr180_ofx.arrays import HalfArray
from vr180_ofx.engine.frame import ViewMatte
from vr180_ofx.imaging.half import least_half


@dataclass(frozen=True, slots=True)
class Measure:
    """One layer.

    name: of the layer; its channel is ``NAME.A``. blank: its value in rows that hold nobody. rows: (an eye's mattes, first row, one
    after the last) -> (rows, width) half; all people lie within these rows.
    """

    name: str
    blank: float
    rows: Callable[[ViewMatte, int, int], HalfArray]


def _confidence(matte: ViewMatte, y0: int, y1: int) -> HalfArray:
    out = np.ones((y1 - y0, matte.width), np.float16)
    for layer in matte.layers:
        least_half(out[layer.rect.shifted(0, -y0).slices], layer.confidence)
    return out


MEASURES: tuple[Measure, ...] = (Measure("confidence", 1.0, _confidence),)
_NAMES = frozenset(m.name for m in MEASURES)


def is_measure(layer: str) -> bool:
    """Whether a layer of a file, by its name, is one of these and nobody's matte."""
    return layer in _NAMES
