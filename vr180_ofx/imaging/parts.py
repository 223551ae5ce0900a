"""What a mask is made of: its bounds, its pieces, its middle, and how far away it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from vr180_ofx.arrays import BoolArray, FloatArray
from vr180_ofx.imaging.either import either
from vr180_ofx.imaging.opencv import raw
from vr180_ofx.imaging.rect import Rect

#: 8 when pixels that touch at a corner belong together, else 4.
Connectivity = Literal[4, 8]


@either
def bounds(mask: BoolArray) -> Rect:
    """The least rectangle that holds all of a mask, (h, w); empty when the mask is."""
    x, y, width, height = cv2.boundingRect(raw(mask))
    return Rect(x, y, x + width, y + height) if width else Rect(0, 0, 0, 0)


@either
def all_bounds(masks: Sequence[BoolArray]) -> list[Rect]:
    """`bounds` of several masks, (h, w) of any sizes. Of tensors it waits for the card once."""
    return [bounds(mask) for mask in masks]


@dataclass(frozen=True, slots=True)
class Parts:
    """The connected parts of a mask, numbered from 0.

    labels: (h, w) int32, the number of each pixel's part; -1 where the mask has nothing. areas: (n,) int32, pixels.
    boxes: (n, 4) int32, (x0, y0, x1, y1) in whole pixels, x0 <= x < x1.
    """

    labels: npt.NDArray[np.int32]
    areas: npt.NDArray[np.int32]
    boxes: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.areas)

    def __repr__(self) -> str:
        return f"Parts({len(self)} in {self.labels.shape[1]}x{self.labels.shape[0]}, areas {self.areas.tolist()})"


@either
def connected_parts(mask: BoolArray, connectivity: Connectivity = 8) -> Parts:
    """mask: (h, w)."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(raw(mask), connectivity=connectivity)
    # 0 is what the mask leaves out
    labels -= 1
    boxes = stats[1:, :4].copy()
    boxes[:, 2:] += boxes[:, :2]
    return Parts(labels, stats[1:, cv2.CC_STAT_AREA], boxes)


@either
def labelled(mask: BoolArray, connectivity: Connectivity = 8) -> tuple[int, npt.NDArray[np.int32]]:
    """(how many parts, the number of each pixel's part from 1 on, (h, w) int32, 0 where the mask has nothing). As `connected_parts`, which
    takes eight times as long to say how large they are and where.
    """
    count, labels = cv2.connectedComponents(raw(mask), connectivity=connectivity)
    return count - 1, labels


@either
def centroid(weights: FloatArray, least: float = 0.0) -> tuple[float, float] | None:
    """(x, y) of the middle of ``weights``, (h, w), in pixel indices.

    None where they add up to less than ``least``, or to nothing.
    """
    m = cv2.moments(weights)
    if m["m00"] < least or m["m00"] <= 0:
        return None
    return m["m10"] / m["m00"], m["m01"] / m["m00"]


@either
def all_centroids(weights: Sequence[FloatArray], least: float = 0.0) -> list[tuple[float, float] | None]:
    """`centroid` of several, (h, w) of any sizes. Of tensors it waits for the card once."""
    return [centroid(values, least) for values in weights]


@either
def distance_to(mask: BoolArray) -> FloatArray:
    """(h, w) float32: pixels from each pixel's centre to that of the nearest one of the mask; 0 on it; very large when it is empty.

    Within 2 % of Euclid's distance (Borgefors 1986, 5x5).
    """
    out: FloatArray = cv2.distanceTransform(raw(~mask), cv2.DIST_L2, 5)
    return out


@either
def spread_outwards(values: FloatArray, known: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Values where they are known, and elsewhere that of the nearest pixel where they are; and how far that is, see `distance_to`.

    values, known: (h, w); something is known.
    """
    distance, labels = cv2.distanceTransformWithLabels(raw(~known), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    table = np.zeros(int(labels.max()) + 1, values.dtype)
    table[labels[known]] = values[known]
    return table[labels], distance
