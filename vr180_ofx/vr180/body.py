"""Where a person is in one eye: the middle of the hips, how far the body reaches, and how it is turned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.vr180.epipolar import INTEROCULAR_M
from vr180_ofx.vr180.projection import Projection
from vr180_ofx.vr180.window import Window, angles_from_direction, direction_from_angles

#: (x0, y0, x1, y1) in an eye's pixels.
Box = tuple[float, float, float, float]
#: A window shows this many reaches from its centre to its side: the whole body with outstretched arms, and some ground.
WINDOW_REACHES = 1.3
#: Hips to the circle around the body, in metres, of a standing adult: from which a first guess of the distance follows.
ADULT_REACH_M = 0.95


@dataclass(frozen=True, slots=True)
class Body:
    """A person on the sphere of one eye, radians.

    longitude, latitude: the middle of the hips. reach: from there to the circle around the whole body, above 0.
    roll: the body's turn from the local vertical, positive clockwise in the picture.
    """

    longitude: float
    latitude: float
    reach: float
    roll: float = 0.0

    def __post_init__(self) -> None:
        if not self.reach > 0:
            raise ValueError(f"reach is {self.reach}; a body reaches further than its hips, by more than 0 radians")

    @property
    def direction(self) -> tuple[float, float, float]:
        return direction_from_angles(self.longitude, self.latitude)

    def window(self, size: int, reaches: float = WINDOW_REACHES) -> Window:
        """The camera that shows the body upright, ``reaches`` from its middle to its sides. Nobody reaches further than half the sphere."""
        fov = 4 * math.degrees(math.atan(math.tan(min(self.reach, math.pi / 2) / 2) * reaches))
        return Window(self.direction, fov, math.degrees(self.roll), size)

    def top(self) -> FloatArray:
        """The direction of the point on the circle above the hips."""
        probe = Window(self.direction, 90, math.degrees(self.roll), 2)
        return probe.directions(np.array([1.0, 1.0 - probe.focal_pixels * 2 * math.tan(min(self.reach, math.pi / 2) / 2)]))

    def angle_to(self, other: Body) -> float:
        """Between the hips of two bodies, radians."""
        dot = sum(a * b for a, b in zip(self.direction, other.direction, strict=True))
        return math.acos(max(-1.0, min(1.0, dot)))

    def may_touch(self, other: Body) -> bool:
        """Whether two bodies are near enough: further apart than twice what both reach they do not, however they stretch."""
        return self.angle_to(other) < 2 * (self.reach + other.reach)

    def reach_px(self, projection: Projection) -> float:
        """How far it reaches in a picture, pixels; NaN where the lens does not see that."""
        hips, top = projection.project(np.array([self.direction, self.top()]))
        return float(np.hypot(*(top - hips)))

    def shifted(self, longitude: float) -> Body:
        return Body(self.longitude + longitude, self.latitude, self.reach, self.roll)


def body_from_directions(hips: FloatArray, top: FloatArray) -> Body:
    """hips, top: unit vectors, shape (3,)."""
    longitude, latitude = angles_from_direction(hips)
    reach = math.acos(float(np.clip(np.dot(hips, top), -1, 1)))
    probe = Window(direction_from_angles(longitude, latitude), 90, 0, 2)
    x, y = probe.points(top) - 1
    roll = math.atan2(float(x), -float(y)) if np.isfinite(x) else 0.0
    return Body(longitude, latitude, max(reach, 1e-4), roll)


def body_from_box(box: Box, projection: Projection) -> Body:
    """A guess from a rectangle: hips in its middle, upright. Raises ValueError when it lies outside of the picture."""
    x0, y0, x1, y1 = box
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    points = np.array([[cx, cy], [cx, y0], [cx, y1], [x0, cy], [x1, cy]])
    d = projection.unproject(points)
    if not np.isfinite(d).all():
        raise ValueError(f"the box {list(box)} lies outside the picture of the eye")
    spans = [math.acos(float(np.clip(d[0] @ d[i], -1, 1))) for i in range(1, 5)]
    longitude, latitude = angles_from_direction(d[0])
    # the circle around the body is a little larger than the body
    reach = max((spans[0] + spans[1]) / 2, (spans[2] + spans[3]) / 2) * 1.05
    return Body(longitude, latitude, max(reach, 1e-3))


def box_of(body: Body, projection: Projection) -> Box:
    """A rectangle that holds the body when no mask says better, in the eye's pixels."""
    rect = body.window(64, 1.0).bounds(projection)
    return float(rect.x0), float(rect.y0), float(rect.x1), float(rect.y1)


def outline(box: Box) -> FloatArray:
    """Points along the border of a rectangle (x0, y0, x1, y1), shape (36, 2)."""
    x0, y0, x1, y1 = box
    ticks = np.linspace(0, 1, 9)
    xs, ys = x0 + (x1 - x0) * ticks, y0 + (y1 - y0) * ticks
    return np.concatenate([np.stack(np.broadcast_arrays(x, y), axis=-1) for x, y in ((xs, y0), (xs, y1), (x0, ys), (x1, ys))])


def bounds_in(directions: FloatArray, projection: Projection) -> Box | None:
    """The rectangle around directions, (n, 3), in the eye's pixels, as far as the picture goes; None when that is less than a pixel."""
    p = projection.project(directions)
    p = p[np.isfinite(p).all(axis=-1)]
    if p.size == 0:
        return None
    limit = np.array([projection.width, projection.height])
    low, high = np.clip(p.min(axis=0), 0, limit), np.clip(p.max(axis=0), 0, limit)
    if (high - low).min() < 1:
        return None
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def box_iou(a: Sequence[float] | FloatArray, b: Sequence[float] | FloatArray) -> float:
    """Intersection over union of two rectangles (x0, y0, x1, y1)."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    overlap = width * height
    return float(overlap / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - overlap))


def expected_disparity(body: Body, interocular_m: float = INTEROCULAR_M) -> float:
    """How far left the right eye sees this body, radians, guessed from its apparent size."""
    distance = ADULT_REACH_M / max(math.tan(min(body.reach, 1.4)), 1e-3)
    return interocular_m * math.cos(body.longitude) / max(distance, 0.2)


def blend(a: Body, b: Body, t: float) -> Body:
    """Between two bodies: ``a`` at t = 0, ``b`` at t = 1. The shorter way round; reaches by their logarithm, as apparent sizes are."""

    def turn(x: float, y: float) -> float:
        return x + t * math.remainder(y - x, math.tau)

    return Body(
        turn(a.longitude, b.longitude),
        a.latitude + t * (b.latitude - a.latitude),
        math.exp((1 - t) * math.log(a.reach) + t * math.log(b.reach)),
        turn(a.roll, b.roll),
    )
