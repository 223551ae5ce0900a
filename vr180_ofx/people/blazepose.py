"""The embedded detector: MediaPipe's pose detector on square pictures of 224 pixels.

It was made for one prominent person, so it is shown many overlapping windows; `people.detect` does that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.people.contract import Candidate
from vr180_ofx.vr180.body import body_from_directions, box_iou
from vr180_ofx.vr180.window import Window
from vr180_ofx.weights.inference import load_model

INPUT_SIZE = 224
# The anchors of the model's SSD head: (stride, boxes per cell)
_LAYERS = ((8, 2), (16, 2), (32, 6))


@dataclass(frozen=True, slots=True)
class PoseDetection:
    """One person in a square picture. All coordinates are fractions of its side, y down.

    box: (x0, y0, x1, y1) of the face and shoulders as the model gives it.
    hips: the middle of the hips. top: the point on the circle around the whole body straight above the hips of the body.
    score: 0..1.
    """

    box: tuple[float, float, float, float]
    hips: tuple[float, float]
    top: tuple[float, float]
    score: float


@lru_cache(maxsize=1)
def anchors() -> FloatArray:
    """The centres of the 2,254 anchors as fractions of the side, shape (2254, 2)."""
    points = []
    for stride, per_cell in _LAYERS:
        count = INPUT_SIZE // stride
        ticks = (np.arange(count) + 0.5) / count
        grid = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 1, 2)
        points.append(np.broadcast_to(grid, (grid.shape[0], per_cell, 2)).reshape(-1, 2))
    return np.concatenate(points)


class BlazePoseDetector:
    """People in one square picture."""

    def __init__(self, weights: Path) -> None:
        self._model = load_model(weights, ("Identity", "Identity_1"))

    def detect(self, image: FloatArray, threshold: float, overlap: float = 0.3) -> list[PoseDetection]:
        """image: (224, 224, 3) sRGB 0..1. Returns people above ``threshold``, the surest first, near-equal ones merged."""
        if image.shape != (INPUT_SIZE, INPUT_SIZE, 3):
            raise ValueError(f"the detector takes pictures of {INPUT_SIZE}x{INPUT_SIZE}x3; this one is {image.shape}")
        raw, logits = self._model(image * 2 - 1)
        scores = 1 / (1 + np.exp(-np.clip(logits[:, 0], -80, 80)))
        chosen = np.flatnonzero(scores >= threshold)
        if chosen.size == 0:
            return []
        centres = anchors()[chosen]
        values = raw[chosen] / INPUT_SIZE
        centre = values[:, 0:2] + centres
        half = values[:, 2:4] / 2
        boxes = np.concatenate([centre - half, centre + half], axis=1)
        hips = values[:, 4:6] + centres
        top = values[:, 6:8] + centres
        order = np.argsort(-scores[chosen], kind="stable")
        kept: list[PoseDetection] = []
        taken = np.zeros(order.size, bool)
        for rank, i in enumerate(order):
            if taken[rank]:
                continue
            # weighted non-maximum suppression, as the model's authors use it: steadier than the best anchor alone
            same = np.array([box_iou(boxes[i], boxes[j]) > overlap for j in order]) & ~taken
            members = order[same]
            taken |= same
            weight = scores[chosen][members][:, None]
            total = weight.sum()
            mean = [(v[members] * weight).sum(axis=0) / total for v in (boxes, hips, top)]
            kept.append(
                PoseDetection(
                    tuple(float(v) for v in mean[0]),  # type: ignore[arg-type]
                    (float(mean[1][0]), float(mean[1][1])),
                    (float(mean[2][0]), float(mean[2][1])),
                    float(scores[chosen][i]),
                )
            )
        return kept


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
