"""Bones that turn, and vertices that follow them.

Every bone's frame at rest has the axes of the world, so that a rotation about x of an upright person's bone is always a nod, about y a
turn and about z a tilt to the side, whichever bone it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from .base_mesh import BaseMesh, Doubles, Ints, base_mesh

#: bone name -> rotations (t, 3, 3) in the frame of its parent
Pose = Mapping[str, Doubles]


@dataclass(frozen=True, slots=True)
class Skeleton:
    """One person's bones at rest. heads, tails: (b, 3) metres."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    heads: Doubles
    tails: Doubles

    @classmethod
    def of(cls, vertices: Doubles, mesh: BaseMesh | None = None) -> Self:
        """The bones inside a shaped base mesh (19158, 3)."""
        mesh = mesh or base_mesh()
        heads = np.array([vertices[bone.head].mean(axis=0) for bone in mesh.bones])
        tails = np.array([vertices[bone.tail].mean(axis=0) for bone in mesh.bones])
        return cls(tuple(b.name for b in mesh.bones), tuple(b.parent for b in mesh.bones), heads, tails)

    def index(self, name: str) -> int:
        """The place of a bone; ValueError if there is none."""
        return self.names.index(name)

    def head(self, name: str) -> Doubles:
        """Where a bone begins at rest, (3,) metres."""
        return np.asarray(self.heads[self.index(name)])

    def pose(self, rotations: Pose, root_turn: Doubles, root_place: Doubles) -> Frames:
        """Bones at t times. root_turn: (t, 3, 3), of the whole body; root_place: (t, 3) metres, where the root bone's head is."""
        count = len(root_place)
        turns = np.empty((count, len(self.names), 3, 3))
        places = np.empty((count, len(self.names), 3))
        for k, (name, parent) in enumerate(zip(self.names, self.parents, strict=True)):
            own = rotations.get(name)
            if parent < 0:
                turns[:, k], places[:, k] = root_turn, root_place
            else:
                turns[:, k] = turns[:, parent]
                places[:, k] = places[:, parent] + apply(turns[:, parent], self.heads[k] - self.heads[parent])
            if own is not None:
                turns[:, k] = product(turns[:, k], own)
        return Frames(self, turns, places)


@dataclass(frozen=True, slots=True)
class Frames:
    """Bones at t times. turns: (t, b, 3, 3) from rest to now, in world axes. places: (t, b, 3) metres, of the bones' heads."""

    skeleton: Skeleton
    turns: Doubles
    places: Doubles

    def turn(self, name: str) -> Doubles:
        """(t, 3, 3) of one bone."""
        return self.turns[:, self.skeleton.index(name)]

    def place(self, name: str) -> Doubles:
        """(t, 3) metres of one bone's head."""
        return self.places[:, self.skeleton.index(name)]

    def carried(self, name: str, points: Doubles) -> Doubles:
        """Points (n, 3) at rest that are fixed to a bone -> (t, n, 3)."""
        k = self.skeleton.index(name)
        offsets = points - self.skeleton.heads[k]
        return self.places[:, None, k] + apply(self.turns[:, None, k], offsets[None])


@dataclass(frozen=True, slots=True)
class Skin:
    """Which bones vertices follow: bones, weights (n, k)."""

    bones: Ints
    weights: Doubles

    @classmethod
    def of_base(cls, rows: Ints, mesh: BaseMesh | None = None) -> Self:
        """Of some vertices of the base mesh."""
        mesh = mesh or base_mesh()
        return cls(mesh.bone_of[rows], mesh.weight_of[rows])

    @classmethod
    def rigid(cls, bone: int, count: int) -> Self:
        """All follow one bone."""
        return cls(np.full((count, 1), bone, np.int64), np.ones((count, 1)))

    def take(self, rows: Ints) -> Skin:
        """Of some of these vertices."""
        return Skin(self.bones[rows], self.weights[rows])

    @classmethod
    def mixed(cls, skins: list[Skin], shares: Doubles, bones: int) -> Self:
        """Weighted means of skins of the same n vertices. shares: (n, len(skins)); negative ones count as zero."""
        shares = np.maximum(shares, 0)
        dense = np.zeros((len(shares), bones))
        rows = np.arange(len(shares))
        for skin, share in zip(skins, shares.T, strict=True):
            for k in range(skin.bones.shape[1]):
                dense[rows, skin.bones[:, k]] += share * skin.weights[:, k]
        kept = np.argsort(-dense, axis=1, kind="stable")[:, :6]
        weights = np.take_along_axis(dense, kept, axis=1)
        return cls(kept, weights / weights.sum(axis=1, keepdims=True))

    def follow(self, vertices: Doubles, frames: Frames) -> Doubles:
        """Linear blend skinning: vertices (n, 3) at rest -> (t, n, 3)."""
        shifts = frames.places - apply(frames.turns, frames.skeleton.heads[None])
        out = np.empty((len(frames.places), len(vertices), 3))
        for now, (turns, shift) in enumerate(zip(frames.turns, shifts, strict=True)):
            blended = np.zeros((len(vertices), 3, 3))
            moved = np.zeros((len(vertices), 3))
            for k in range(self.bones.shape[1]):
                weight = self.weights[:, k]
                blended += weight[:, None, None] * turns[self.bones[:, k]]
                moved += weight[:, None] * shift[self.bones[:, k]]
            out[now] = apply(blended, vertices) + moved
        return out


def apply(turns: Doubles, points: Doubles) -> Doubles:
    """Rotations (..., 3, 3) of points (..., 3). Written out: BLAS may add in another order on another machine."""
    return turns[..., :, 0] * points[..., 0:1] + turns[..., :, 1] * points[..., 1:2] + turns[..., :, 2] * points[..., 2:3]


def product(a: Doubles, b: Doubles) -> Doubles:
    """Products of rotations (..., 3, 3)."""
    return a[..., :, 0:1] * b[..., 0:1, :] + a[..., :, 1:2] * b[..., 1:2, :] + a[..., :, 2:3] * b[..., 2:3, :]


def turned(axis: str, angles: Doubles) -> Doubles:
    """Rotations (t, 3, 3) about "x", "y" or "z" by angles (t,) in radians."""
    angles = np.asarray(angles, np.float64)
    c, s = np.cos(angles), np.sin(angles)
    out = np.zeros((*angles.shape, 3, 3))
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    k = 3 - i - j
    out[..., i, i], out[..., j, j], out[..., k, k] = c, c, 1.0
    out[..., i, j], out[..., j, i] = -s, s
    return out


def about(axis: Doubles, angles: Doubles) -> Doubles:
    """Rotations (..., 3, 3) about unit axes (..., 3) by angles (...) in radians (Rodrigues)."""
    x, y, z = axis[..., 0], axis[..., 1], axis[..., 2]
    c, s = np.cos(angles), np.sin(angles)
    d = 1 - c
    rows = [
        [c + x * x * d, x * y * d - z * s, x * z * d + y * s],
        [y * x * d + z * s, c + y * y * d, y * z * d - x * s],
        [z * x * d - y * s, z * y * d + x * s, c + z * z * d],
    ]
    return np.stack([np.stack(np.broadcast_arrays(*row), axis=-1) for row in rows], axis=-2)


def from_to(a: Doubles, b: Doubles) -> Doubles:
    """The shortest rotations (..., 3, 3) that take unit vectors a to b (..., 3); opposite ones turn about an axis across a."""
    a, b = np.broadcast_arrays(a, b)
    axis = np.cross(a, b)
    sine = np.linalg.norm(axis, axis=-1)
    across = np.cross(a, np.where(np.abs(a[..., 0:1]) < 0.9, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]))
    axis = np.where(sine[..., None] > 1e-9, axis, across)
    return about(unit(axis), np.arctan2(sine, np.sum(a * b, axis=-1)))


def unit(vectors: Doubles) -> Doubles:
    """Vectors (..., 3) of length 1."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12))
