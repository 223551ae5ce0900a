"""The embedded segmenter: MediaPipe's full-body pose landmark network on a square of 256 pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.weights.inference import load_model

INPUT_SIZE = 256
#: Landmarks 33 and 34 are the hips and the point above, as the detector gives them: where the person is in the next frame.
HIPS, TOP = 33, 34


@dataclass(frozen=True, slots=True)
class PoseMask:
    """What the network says of one square.

    logits: (256, 256) float32, above 0 inside the person.
    presence: 0..1, how sure it is that somebody is there.
    landmarks: (39, 2) pixels of the square. visibility: (39,) 0..1.
    """

    logits: FloatArray
    presence: float
    landmarks: FloatArray
    visibility: FloatArray

    @property
    def hips(self) -> FloatArray:
        """(2,) pixels of the square: the middle of the hips."""
        hips: FloatArray = self.landmarks[HIPS]
        return hips

    @property
    def top(self) -> FloatArray:
        """(2,) pixels of the square: the point above the hips on the circle around the body."""
        top: FloatArray = self.landmarks[TOP]
        return top


class BlazePoseSegmenter:
    """One person's mask and landmarks in a square that shows them upright. size: of that square, in pixels."""

    size = INPUT_SIZE

    def __init__(self, weights: Path) -> None:
        self._model = load_model(weights, ("Identity", "Identity_1", "Identity_2"))

    def segment(self, image: FloatArray) -> PoseMask:
        """image: (256, 256, 3) sRGB 0..1."""
        if image.shape != (INPUT_SIZE, INPUT_SIZE, 3):
            raise ValueError(f"the segmenter takes pictures of {INPUT_SIZE}x{INPUT_SIZE}x3; this one is {image.shape}")
        flat, presence, logits = self._model(image)
        points = flat.reshape(39, 5)
        visibility = 1 / (1 + np.exp(-np.clip(points[:, 3], -80, 80)))
        return PoseMask(logits[..., 0], float(presence[0]), points[:, :2].copy(), visibility)
