"""The embedded second opinion: MediaPipe's selfie segmenter, on square pictures of 256 pixels.

It was trained with other pictures than the pose networks, for another question (which pixels show people at all), so it rarely errs where
they do.
"""

from __future__ import annotations

from pathlib import Path

from vr180_ofx.arrays import FloatArray
from vr180_ofx.weights.inference import load_model

INPUT_SIZE = 256


class SelfieSegmenter:
    """Where anybody is in one square picture (model card: MediaPipe Selfie Segmentation, general, 2021)."""

    size = INPUT_SIZE

    def __init__(self, weights: Path) -> None:
        self._model = load_model(weights, ("activation_10",))

    def people(self, image: FloatArray) -> FloatArray:
        """image: (256, 256, 3) sRGB 0..1. Returns (256, 256), how likely each pixel shows somebody, 0..1."""
        if image.shape != (INPUT_SIZE, INPUT_SIZE, 3):
            raise ValueError(f"the selfie segmenter takes pictures of {INPUT_SIZE}x{INPUT_SIZE}x3; this one is {image.shape}")
        (found,) = self._model(image)
        return found[..., 0]
