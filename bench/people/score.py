"""What a motion is written with: a person's times and path, smooth noise, and arms by angles or by places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .base_mesh import Doubles
from .contract import Person
from .course import Path
from .limbs import Anatomy, Hand, Side

TAU = 2 * np.pi


class Wander:
    """Smooth noise of unit size over time: a few sines whose periods have no common measure."""

    def __init__(self, rng: np.random.Generator, seconds: float) -> None:
        self._rates = TAU / seconds * np.array([1.0, 0.62, 1.71]) * rng.uniform(0.85, 1.15, 3)
        self._phases = rng.uniform(0, TAU, 3)

    def __call__(self, times: Doubles) -> Doubles:
        waves = np.sin(times[:, None] * self._rates + self._phases)
        return np.asarray((waves * [0.55, 0.5, 0.25]).sum(axis=1))


@dataclass(frozen=True, slots=True)
class Score:
    """All that a motion may use. t: (n,) seconds times the person's tempo. path: where they are led. speed: (n,) metres a second."""

    person: Person
    anatomy: Anatomy
    rng: np.random.Generator
    seconds: Doubles
    t: Doubles
    path: Path

    def wander(self, seconds: float, size: float) -> Doubles:
        """Noise (n,) of one more independent kind."""
        return size * Wander(self.rng, seconds)(self.seconds)

    @property
    def leg(self) -> float:
        return self.anatomy.hip_height


def arm(score: Score, side: Side, *, forward: Doubles | float, out: Doubles | float, elbow: Doubles | float, curl: float = 0.3) -> Hand:
    """A hand by angles in radians: the upper arm swung forward and out from hanging, the elbow bent."""
    sign = 1.0 if side == "L" else -1.0
    t = score.t
    forward, out, elbow = (np.broadcast_to(np.asarray(v, np.float64), t.shape) for v in (forward, out, elbow))
    a, b = score.anatomy.arms[side].lengths
    upper = np.stack([sign * np.sin(out), -np.cos(forward) * np.cos(out), np.sin(forward) * np.cos(out)], axis=-1)
    # the forearm turns forward and a little inward about the hinge
    inward = np.stack([-sign * 0.25 + 0 * out, np.sin(forward) * 1.0, np.cos(forward)], axis=-1)
    inward -= np.sum(inward * upper, axis=-1, keepdims=True) * upper
    inward /= np.linalg.norm(inward, axis=-1, keepdims=True)
    lower = np.cos(elbow)[:, None] * upper + np.sin(elbow)[:, None] * inward
    target = (a * upper + b * lower) / (a + b)
    return Hand(target, -inward, 0.0 * t + 0.25, 0.0 * t + 0.1, 0.0 * t + curl)


def reach(score: Score, side: Side, target: Doubles, *, elbow: tuple[float, float, float] = (0.5, -1.0, -0.3), pronation: float = 0.3,
          bend: float = 0.0, curl: float = 0.3) -> Hand:  # fmt: skip
    """A hand by its place: target (n, 3) in arm lengths from the shoulder for a left hand, x outward."""
    sign = 1.0 if side == "L" else -1.0
    mirror = np.array([sign, 1.0, 1.0])
    zero = 0.0 * score.t
    return Hand(target * mirror, np.broadcast_to(np.array(elbow) * mirror, target.shape), zero + pronation, zero + bend, zero + curl)
