"""What a detector is, and which there are. Adding one is one module, one line here, one test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from vr180_ofx.people.blazepose import INPUT_SIZE, BlazePoseDetector
from vr180_ofx.people.body import Candidate, body_from_directions
from vr180_ofx.settings import Settings, SettingsError
from vr180_ofx.vr180.projection import FloatArray
from vr180_ofx.vr180.window import Window
from vr180_ofx.weights.store import file_sha256, require


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
    "yolov8n": lambda s: _yolo(s),
    "yolov8s": lambda s: _yolo(s),
    "yolov8m": lambda s: _yolo(s),
}


def make_detector(settings: Settings) -> Detector:
    """The detector that ``detection.model`` names: one of those known here, or a model file of ultralytics."""
    name = settings.detection.model
    if name in DETECTORS:
        return DETECTORS[name](settings)
    if name.endswith((".pt", ".onnx")):
        return _yolo(settings, Path(name))
    raise SettingsError(f"detection.model is {name!r}; this version has {', '.join(DETECTORS)}, or the path of a model file (.pt)")


def detector_weights(settings: Settings) -> str:
    """The hash of a detector's own weights file; empty for those of the catalogue, which never change."""
    for own in (settings.detection.weights, settings.detection.model):
        if own and Path(own).is_file():
            return file_sha256(Path(own))
    return ""


def _yolo(settings: Settings, weights: Path | None = None) -> Detector:
    from vr180_ofx.people.yolo import Yolo
    from vr180_ofx.trackers.registry import pick_device

    own = settings.detection.weights
    path = weights or (Path(own) if own else require(settings.detection.model))
    return Yolo(path, settings.detection.confidence_threshold, pick_device(settings))
