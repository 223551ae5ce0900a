"""Where on a body a vertex lies, in numbers that hold for all bodies: how far down an arm, how high between ankle and neck."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from .base_mesh import BaseMesh, Doubles, Ints, base_mesh
from .skeleton import Skeleton

#: names of whole levels: a level of 1.5 is halfway between knee and hip joint
ANKLE, KNEE, HIP, WAIST, CHEST, NECK, CROWN = range(7)


@dataclass(frozen=True, slots=True)
class Regions:
    """Of n vertices. level: (n,) 0 at the ankles to 6 at the crown, see above. arm: (n,) 0 at the shoulder joint to 1 at the wrist and
    more on the hand, below 0 for what is no arm. side: (n,) +1 left, -1 right."""

    level: Doubles
    arm: Doubles
    side: Doubles

    @classmethod
    def of(cls, vertices: Doubles, arm_share: Doubles, skeleton: Skeleton) -> Self:
        """arm_share: (n,) weight on the bones of both arms; more than a half makes an arm."""
        marks = [skeleton.head(b)[1] for b in ("foot.L", "lowerleg01.L", "upperleg01.L", "spine04", "spine02", "neck01")]
        marks.append(skeleton.tails[skeleton.index("head")][1])
        level = np.interp(vertices[:, 1], marks, range(7))
        level += np.minimum(0.0, (vertices[:, 1] - marks[0]) / (marks[1] - marks[0]))
        side = np.where(vertices[:, 0] >= 0, 1.0, -1.0)
        arm = np.full(len(vertices), -1.0)
        for s, sign in (("L", 1.0), ("R", -1.0)):
            rows = (arm_share > 0.5) & (side == sign)
            a, b, c = (skeleton.head(f"{n}.{s}") for n in ("upperarm01", "lowerarm01", "wrist"))
            arm[rows] = np.maximum(0.0, _along(vertices[rows], (a, b, c)))
        return cls(level, arm, side)


def _along(points: Doubles, joints: tuple[Doubles, Doubles, Doubles]) -> Doubles:
    """Way along two bones over their whole length, of the nearer bone."""
    a, b, c = joints
    first, second = float(np.linalg.norm(b - a)), float(np.linalg.norm(c - b))
    u = (points - a) @ (b - a) / first**2
    v = (points - b) @ (c - b) / second**2
    near_first = np.linalg.norm(points - (a + np.clip(u, 0, 1)[:, None] * (b - a)), axis=1)
    near_second = np.linalg.norm(points - (b + np.clip(v, 0, 1)[:, None] * (c - b)), axis=1)
    way = np.where(near_first < near_second, np.minimum(u, 1) * first, first + np.maximum(v, 0) * second)
    return np.asarray(way / (first + second))


def arm_share(mesh: BaseMesh, rows: Ints) -> Doubles:
    """Weight of arm bones on vertices of the base mesh."""
    arms = np.array([b.name.startswith(("upperarm", "lowerarm", "wrist", "metacarpal", "finger")) for b in mesh.bones])
    return np.asarray((mesh.weight_of[rows] * arms[mesh.bone_of[rows]]).sum(axis=1))


@dataclass(frozen=True)
class Figure:
    """One person's shape at rest. vertices: (19158, 3) of the base mesh with helpers, metres, feet at y = 0."""

    vertices: Doubles
    skeleton: Skeleton

    @classmethod
    def of(cls, vertices: Doubles) -> Self:
        return cls(vertices, Skeleton.of(vertices))

    @cached_property
    def regions(self) -> Regions:
        """Of all vertices of the base mesh."""
        mesh = base_mesh()
        rows = np.arange(len(self.vertices))
        return Regions.of(self.vertices, arm_share(mesh, rows), self.skeleton)

    @cached_property
    def normals(self) -> Doubles:
        """(19158, 3) of the body's and the tights' surface; zero elsewhere."""
        mesh = base_mesh()
        return vertex_normals(self.vertices, mesh.faces("body", "helper-tights"))

    @cached_property
    def height(self) -> float:
        """Metres from the soles to the crown."""
        return float(self.vertices[np.unique(base_mesh().faces("body")), 1].max())


def vertex_normals(vertices: Doubles, faces: Ints) -> Doubles:
    """Normals (n, 3), weighted by the faces' areas; zero where no face is."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    out = np.zeros_like(vertices)
    for k in range(3):
        for axis in range(3):
            out[:, axis] += np.bincount(faces[:, k], face[:, axis], len(vertices))
    length = np.linalg.norm(out, axis=1, keepdims=True)
    return np.asarray(out / np.maximum(length, 1e-12) * (length > 1e-12))


def compact(faces: Ints) -> tuple[Ints, Ints]:
    """Rows that faces use, in order, and the faces renumbered to them."""
    rows, renumbered = np.unique(faces, return_inverse=True)
    return rows, renumbered.reshape(faces.shape)
