"""Layers that every frame has beside those of its people: what was measured of an eye, by name.

A row here is a layer in EXR files, in what the service serves, and none of a person to whoever reads files back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vr180_ofx.arrays import HalfArray
from vr180_ofx.engine.frame import ViewMatte


@dataclass(frozen=True, slots=True)
class Measure:
    """One layer.

    name: of the layer; its channel is ``NAME.A``. blank: its value in rows that hold nobody. rows: (an eye's mattes, first row, one
    after the last) -> (rows, width) half; all people lie within these rows.
    """

    name: str
    blank: float
    rows: Callable[[ViewMatte, int, int], HalfArray]


MEASURES: tuple[Measure, ...] = (Measure("confidence", 1.0, ViewMatte.confidence_half),)
_NAMES = frozenset(m.name for m in MEASURES)


def is_measure(layer: str) -> bool:
    """Whether a layer of a file, by its name, is one of these and nobody's matte."""
    return layer in _NAMES
