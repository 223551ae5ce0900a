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
from vr180_ofx.vr180.body import Body, blend
from vr180_ofx.vr180.projection import Projection, Rectilinear
from vr180_ofx.vr180.window import Window, direction_from_angles

#: Full angles of the windows on a 180° picture: people from arm's length to some ten metres.
SPHERE_FOVS = (110.0, 70.0, 45.0)
#: On a flat picture, as fractions of its longer side.
FLAT_FRACTIONS = (1.0, 0.62, 0.4)
_OVERLAP = 0.45


@dataclass(frozen=True, slots=True)
class _Tile:
    window: Window
    grid: FloatArray


def tiles(projection: Projection, size: int, level: int) -> tuple[Window, ...]:
    """The windows of one level that together cover what the picture shows."""
    if isinstance(projection, Rectilinear):
        longer = max(projection.width, projection.height)
        side = longer * FLAT_FRACTIONS[level]
        windows = []
        for cy in _centres(projection.height, side):
            for cx in _centres(projection.width, side):
                d = projection.unproject(np.array([cx, cy]))
                fov = 2 * math.degrees(math.atan(side / 2 / projection.focal_pixels))
                windows.append(Window((float(d[0]), float(d[1]), float(d[2])), fov, 0.0, size))
        return tuple(windows)
    fov = SPHERE_FOVS[level]
    step = fov * (1 - _OVERLAP)
    # people are small when they are far away, and then they stand near the horizon: the finest windows need not look up
    limit = (25.0, 60.0, 45.0)[level]
    rows = 2 if level == 0 else math.ceil(2 * limit / step) + 1
    windows = []
    for row in range(rows):
        latitude = -limit + 2 * limit * row / (rows - 1)
        reach = (90 - fov * 0.3) * 1.0
        count = max(1, math.ceil(2 * reach * math.cos(math.radians(latitude)) / step)) + 1
        for k in range(count):
            longitude = -reach + 2 * reach * k / (count - 1) if count > 1 else 0.0
            direction = direction_from_angles(math.radians(longitude), math.radians(latitude))
            windows.append(Window(direction, fov, 0.0, size))
    return tuple(windows)


def _centres(extent: float, side: float) -> list[float]:
    if side >= extent:
        return [extent / 2]
    count = math.ceil((extent - side) / (side * (1 - _OVERLAP))) + 1
    return [side / 2 + (extent - side) * k / (count - 1) for k in range(count)]


@lru_cache(maxsize=16)
def _tiles_with_grids(projection: Projection, size: int, level: int) -> tuple[_Tile, ...]:
    return tuple(_Tile(w, w.grid(projection)) for w in tiles(projection, size, level))


def search(
    eye: EyeImage,
    projection: Projection,
    detector: Detector,
    levels: Iterable[int],
    threshold: float,
    executor: Executor,
) -> list[Candidate]:
    """Everybody whom any window of these levels shows, near-equal sightings merged, the surest first."""

    def look(tile: _Tile) -> list[Candidate]:
        return detector.find(eye.sample(tile.grid).rgb, tile.window, threshold)

    # projections are frozen dataclasses, so equal ones share their grids
    work = [tile for level in levels for tile in _tiles_with_grids(projection, detector.size, level)]  # type: ignore[arg-type]
    found = [c for group in executor.map(look, work) for c in group]
    return merge_sightings(found)


def merge_sightings(found: list[Candidate]) -> list[Candidate]:
    """Sightings with hips close together and a similar size are one person: their average, weighted by score.

    Only what is surely the same is merged here; people side by side are told apart later, by their masks.
    """
    rest = sorted(found, key=lambda c: -c.score)
    merged = []
    while rest:
        first = rest[0]
        same: list[Candidate] = []
        other: list[Candidate] = []
        for c in rest:
            near = first.body.angle_to(c.body) < 0.25 * min(first.body.reach, c.body.reach)
            alike = 0.6 < c.body.reach / first.body.reach < 1.67
            (same if near and alike else other).append(c)
        body: Body = first.body
        weight = first.score
        for c in same[1:]:
            weight += c.score
            body = blend(body, c.body, c.score / weight)
        merged.append(Candidate(body, first.score))
        rest = other
    return merged
