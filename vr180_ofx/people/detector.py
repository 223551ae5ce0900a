"""What a detector is, and which there are. Adding one is one module, one line here, one test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from vr180_ofx.people.blazepose import INPUT_SIZE, BlazePoseDetector
from vr180_ofx.people.body import Body, body_from_directions
from vr180_ofx.settings import Settings, SettingsError
from vr180_ofx.vr180.projection import FloatArray
from vr180_ofx.vr180.window import Window
from vr180_ofx.weights.store import require


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may be there, as one window saw them. score: 0..1."""

    body: Body
    score: float


class Detector(Protocol):
    """Finds people in the picture of one window.

    size: the side of the square pictures it takes, in pixels.
    """

    size: int

    def find(self, image: FloatArray, window: Window, threshold: float) -> list[Candidate]:
        """image: (size, size, 3) sRGB 0..1. Returns people with a score of at least ``threshold``."""
        ...


class BlazePose:
    """The embedded default."""

    size = INPUT_SIZE

    def __init__(self, weights: Path) -> None:
        self._net = BlazePoseDetector(weights)

    def find(self, image: FloatArray, window: Window, threshold: float) -> list[Candidate]:
        found = []
        for d in self._net.detect(image, threshold):
            hips, top = window.directions(np.array([d.hips, d.top]) * window.size)
            found.append(Candidate(body_from_directions(hips, top), d.score))
        return found


DETECTORS: dict[str, Callable[[Settings], Detector]] = {
    "blazepose": lambda s: BlazePose(Path(s.detection.weights) if s.detection.weights else require("blazepose_detector")),
}


def make_detector(settings: Settings) -> Detector:
    """The detector that ``detection.model`` names."""
    name = settings.detection.model
    if name not in DETECTORS:
        raise SettingsError(f"detection.model is {name!r}; this version has {', '.join(DETECTORS)}")
    return DETECTORS[name](settings)
