"""What a detector is, and which there are. Adding one is one module, one line here, one test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from vr180_ofx.arrays import FloatArray
from vr180_ofx.vr180.body import Body
from vr180_ofx.vr180.window import Window


class Detector(Protocol):
    """Finds people in the picture of one window.

    size: the side of the square pictures it takes, in pixels.
    """

    size: int

    def find(self, image: FloatArray, window: Window, threshold: float) -> list[Candidate]:
        """image: (size, size, 3) sRGB 0..1. Returns people with a score of at least ``threshold``."""
        ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may be there, as one window saw them. score: 0..1."""

    body: Body
    score: float
