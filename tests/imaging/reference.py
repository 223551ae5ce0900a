"""What functions of imaging are held against: loops over pixels in NumPy, in float64, as the definitions say."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np


def at(picture: np.ndarray, x: int, y: int, border: float | str) -> np.ndarray:
    """A pixel; ``border`` beyond the picture's sides, or its outermost pixel ("edge")."""
    height, width = picture.shape[:2]
    if border == "edge":
        return np.asarray(picture[min(max(y, 0), height - 1), min(max(x, 0), width - 1)])
    inside = 0 <= x < width and 0 <= y < height
    return np.asarray(picture[y, x]) if inside else np.full(picture.shape[2:], border, np.float64)


def linear(t: float) -> list[tuple[int, float]]:
    """Weights of the pixels around a place that is t behind the one before it."""
    return [(0, 1 - t), (1, t)]


def cubic(t: float, a: float = -0.75) -> list[tuple[int, float]]:
    """Keys 1981, eq. 4: the cubic convolution kernel."""

    def kernel(d: float) -> float:
        d = abs(d)
        if d <= 1:
            return (a + 2) * d**3 - (a + 3) * d**2 + 1
        return a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a

    return [(k, kernel(t - k)) for k in (-1, 0, 1, 2)]


def interpolated(
    picture: np.ndarray, x: float, y: float, border: float | str = 0.0, weights: Callable[[float], list[tuple[int, float]]] = linear
) -> np.ndarray:
    """A picture at pixel indices."""
    picture = picture.astype(np.float64)
    x0, y0 = math.floor(x), math.floor(y)
    parts = [wx * wy * at(picture, x0 + dx, y0 + dy, border) for dx, wx in weights(x - x0) for dy, wy in weights(y - y0)]
    return np.asarray(sum(parts))


def around(picture: np.ndarray, reach_x: tuple[int, int], reach_y: tuple[int, int], mode: Any, **more: float) -> np.ndarray:
    """(h, w, rows, columns): what lies around each pixel, so far before it and behind it."""
    padded = np.pad(picture, (reach_y, reach_x), mode, **more)
    return np.lib.stride_tricks.sliding_window_view(padded, (sum(reach_y) + 1, sum(reach_x) + 1))
