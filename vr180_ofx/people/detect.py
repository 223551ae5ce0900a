"""Looking for people over the whole field of view of one eye: overlapping windows of several sizes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.people.contract import Candidate, Detector
from vr180_ofx.people.parameters import PLAN, DetectParameters
from vr180_ofx.vr180.body import blend
from vr180_ofx.vr180.projection import Projection, Rectilinear
from vr180_ofx.vr180.window import Window, direction_from_angles


@dataclass(frozen=True, slots=True)
class _Tile:
    window: Window
    grid: FloatArray


def detect_people(
    eye: EyeImage, projection: Projection, detector: Detector, *, levels: Iterable[int], threshold: float, executor: Executor,
    parameters: DetectParameters = PLAN.detect,
) -> list[Candidate]:  # fmt: skip
    """Everybody whom any window of these levels shows, near-equal finds merged, the surest first.

    projection: of the eye's picture. levels: 0, 1, 2, from the widest windows to the finest. threshold: the least score, 0..1.
    executor: where windows are looked at, all at once.
    """

    def look(tile: _Tile) -> list[Candidate]:
        return detector.find(eye.sample(tile.grid).rgb, tile.window, threshold)

    # projections are frozen dataclasses, so equal ones share their grids
    work = [tile for level in levels for tile in _tiles_with_grids(projection, detector.size, level, parameters)]  # type: ignore[arg-type]
    return merge_detections([c for group in executor.map(look, work) for c in group], parameters)


def tiles(projection: Projection, size: int, level: int, parameters: DetectParameters = PLAN.detect) -> tuple[Window, ...]:
    """The windows of one level, ``size`` pixels on a side, that together cover what the picture shows."""
    return _flat(projection, size, level, parameters) if isinstance(projection, Rectilinear) else _sphere(size, level, parameters)


def _flat(projection: Rectilinear, size: int, level: int, p: DetectParameters) -> tuple[Window, ...]:
    side = max(projection.width, projection.height) * p.flat_fractions[level]
    fov = 2 * math.degrees(math.atan(side / 2 / projection.focal_pixels))
    windows = []
    for cy in _centres(projection.height, side, p.overlap):
        for cx in _centres(projection.width, side, p.overlap):
            d = projection.unproject(np.array([cx, cy]))
            windows.append(Window((float(d[0]), float(d[1]), float(d[2])), fov, 0.0, size))
    return tuple(windows)


def _sphere(size: int, level: int, p: DetectParameters) -> tuple[Window, ...]:
    fov, limit = p.sphere_fovs[level], p.sphere_limits[level]
    step = fov * (1 - p.overlap)
    rows = 2 if level == 0 else math.ceil(2 * limit / step) + 1
    # the outermost windows reach a little beyond the edge of the picture
    reach = 90 - fov * p.sphere_margin
    windows = []
    for row in range(rows):
        latitude = -limit + 2 * limit * row / (rows - 1)
        count = max(1, math.ceil(2 * reach * math.cos(math.radians(latitude)) / step)) + 1
        for k in range(count):
            longitude = -reach + 2 * reach * k / (count - 1) if count > 1 else 0.0
            direction = direction_from_angles(math.radians(longitude), math.radians(latitude))
            windows.append(Window(direction, fov, 0.0, size))
    return tuple(windows)


def _centres(extent: float, side: float, overlap: float) -> list[float]:
    if side >= extent:
        return [extent / 2]
    count = math.ceil((extent - side) / (side * (1 - overlap))) + 1
    return [side / 2 + (extent - side) * k / (count - 1) for k in range(count)]


@lru_cache(maxsize=16)
def _tiles_with_grids(projection: Projection, size: int, level: int, parameters: DetectParameters) -> tuple[_Tile, ...]:
    return tuple(_Tile(w, w.grid(projection)) for w in tiles(projection, size, level, parameters))


def merge_detections(found: Iterable[Candidate], p: DetectParameters = PLAN.detect) -> list[Candidate]:
    """Finds with hips close together and a similar size are one person: their average, weighted by score. The surest first.

    Only what is surely the same is merged here; people side by side are told apart later, by their masks.
    """
    rest = sorted(found, key=lambda c: -c.score)
    made = []
    while rest:
        first = rest[0]
        same: list[Candidate] = []
        other: list[Candidate] = []
        for c in rest:
            near = first.body.angle_to(c.body) < p.same_reaches * min(first.body.reach, c.body.reach)
            alike = p.same_size[0] < c.body.reach / first.body.reach < p.same_size[1]
            (same if near and alike else other).append(c)
        body, weight = first.body, first.score
        for c in same[1:]:
            weight += c.score
            body = blend(body, c.body, c.score / weight)
        made.append(Candidate(body, first.score))
        rest = other
    return made
