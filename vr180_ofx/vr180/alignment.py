"""Cameras that do not look quite the same way: by how much the left one is turned against the right one, and taking that out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.vr180.layout import LEFT
from vr180_ofx.vr180.projection import Projection


@dataclass(frozen=True, slots=True)
class Alignment:
    """How the left camera is turned against the right one.

    What the left eye sees, seen as by a camera that is parallel to the right one, is called level.

    pitch: the left eye sees everything higher. yaw: further to the right. roll: turned clockwise. Radians, about the axes of the eye.
    """

    pitch: float = 0.0
    yaw: float = 0.0
    roll: float = 0.0

    @property
    def level(self) -> bool:
        return self.pitch == self.yaw == self.roll == 0

    def identity(self) -> str:
        """Equal strings mean equal results."""
        return "0" if self.level else f"{self.pitch:g},{self.yaw:g},{self.roll:g}"

    def rotation(self) -> FloatArray:
        """(3, 3): a level direction times its transpose is where the left eye sees it."""
        # x right, y up, z forward: higher is a turn about -x, to the right one about y, clockwise one about -z
        return rotation_matrix(-self.pitch, self.yaw, -self.roll)

    def to_level(self, rays: FloatArray, view: str) -> FloatArray:
        """rays: (..., 3) as the eye ``view`` sees them."""
        return rays if self.level or view != LEFT else rays @ self.rotation()

    def to_eye(self, rays: FloatArray, view: str) -> FloatArray:
        """rays: (..., 3) level. Where the eye ``view`` sees them."""
        return rays if self.level or view != LEFT else rays @ self.rotation().T

    def projection(self, projection: Projection, view: str) -> Projection:
        """Level directions to the eye's pixels, and back."""
        return projection if self.level or view != LEFT else Turned(projection, self)

    def describe(self) -> str:
        """In words, for people."""
        names = [("higher", "lower"), ("further to the right", "further to the left"), ("turned clockwise", "turned counterclockwise")]
        values = zip((self.pitch, self.yaw, self.roll), names, strict=True)
        return ", ".join(f"{abs(math.degrees(v)):.2f}° {more if v > 0 else less}" for v, (more, less) in values if v)


def rotation_matrix(x: float, y: float, z: float) -> FloatArray:
    """The turn about the axis (x, y, z) by its length in radians, counterclockwise as seen from its end: (3, 3) (Rodrigues' formula)."""
    angle = math.sqrt(x * x + y * y + z * z)
    if angle < np.finfo(np.float64).eps:
        return np.eye(3)
    scale = 1 / angle
    a = np.array([x * scale, y * scale, z * scale])
    cross = np.array([[0, -a[2], a[1]], [a[2], 0, -a[0]], [-a[1], a[0], 0]])
    cosine = math.cos(angle)
    out: FloatArray = cosine * np.eye(3) + (1 - cosine) * np.outer(a, a) + math.sin(angle) * cross
    return out


@dataclass(frozen=True, slots=True)
class Turned:
    """A projection for level directions of a left eye that is turned."""

    inner: Projection
    alignment: Alignment

    @property
    def width(self) -> int:
        return self.inner.width

    @property
    def height(self) -> int:
        return self.inner.height

    @property
    def name(self) -> str:
        return self.inner.name

    def resized(self, width: int, height: int) -> Turned:
        return Turned(self.inner.resized(width, height), self.alignment)

    def project(self, directions: FloatArray) -> FloatArray:
        return self.inner.project(self.alignment.to_eye(np.asarray(directions), LEFT))

    def unproject(self, points: FloatArray) -> FloatArray:
        return self.alignment.to_level(self.inner.unproject(points), LEFT)


LEVEL = Alignment()
