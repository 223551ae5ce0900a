"""Surfaces cut from a body by where they lie on it, and laid over it: the clothes that need no assets."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from .base_mesh import Doubles, Ints, base_mesh
from .contract import Material, Mesh, Part
from .regions import Figure, Regions, compact, vertex_normals
from .skeleton import Frames, Skin


@dataclass(frozen=True, slots=True)
class Worn:
    """A mesh at rest that follows bones. vertices: (n, 3); faces: (f, 3)."""

    name: str
    part: Part
    vertices: Doubles
    faces: Ints
    skin: Skin
    material: Material
    tint: Doubles | None = None
    thin: bool = False

    def posed(self, frames: Frames) -> Mesh:
        """At the frames' times."""
        return Mesh(
            self.name, self.part, self.skin.follow(self.vertices, frames).astype(np.float32), self.faces.astype(np.int32),
            self.vertices.astype(np.float32), self.material, None if self.tint is None else self.tint.astype(np.float32), self.thin,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cut:
    """What of a body a garment covers, in the numbers of ``Regions``. sleeve: how far down the arm, 0 sleeveless to 1 the wrist, below 0
    no upper part beyond the shoulders. low, high: levels. neck: where it ends above the shoulders, a level."""

    low: float
    high: float
    sleeve: float = -1.0

    def field(self, regions: Regions) -> Doubles:
        """Above 0 inside, (n,); in levels, roughly decimetres times four."""
        trunk = np.minimum(regions.level - self.low, self.high - regions.level)
        arm = 3.0 * (self.sleeve - regions.arm)
        return np.where(regions.arm >= 0, arm if self.sleeve >= 0 else -1.0, trunk)


def clip(faces: Ints, field: Doubles) -> tuple[Ints, Ints, Doubles]:
    """Triangles cut along field = 0, the part above kept.

    Gives faces (f, 3) over new vertices, and of each new vertex the two old ones (n, 2) and the second's share (n,).
    """
    inside = field > 0
    known: dict[tuple[int, int], int] = {}

    def vertex(a: int, b: int) -> int:
        return known.setdefault((a, b) if a < b else (b, a), len(known))

    kept: list[tuple[int, int, int]] = []
    for face in faces[inside[faces].any(axis=1)]:
        ring: list[int] = []
        for k in range(3):
            a, b = int(face[k]), int(face[(k + 1) % 3])
            if inside[a]:
                ring.append(vertex(a, a))
            if inside[a] != inside[b]:
                ring.append(vertex(a, b))
        kept.extend((ring[0], ring[k], ring[k + 1]) for k in range(1, len(ring) - 1))
    pairs = np.array(list(known), np.int64).reshape(-1, 2)
    first, second = field[pairs[:, 0]], field[pairs[:, 1]]
    share = np.where(pairs[:, 0] == pairs[:, 1], 0.0, first / np.where(first == second, 1.0, first - second))
    return np.array(kept, np.int64).reshape(-1, 3), pairs, share


def smoothed(vertices: Doubles, faces: Ints, times: int, held: Doubles | None = None) -> Doubles:
    """Each vertex halfway to its neighbours' mean, so often. held: (n,) 0 free to 1 not moved."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = np.unique(np.sort(edges, axis=1), axis=0)
    both = np.concatenate([edges, edges[:, ::-1]])
    a, b = both[:, 0], both[:, 1]
    neighbours = np.maximum(np.bincount(a, minlength=len(vertices)), 1)[:, None]
    free = 0.5 * (1 - (np.zeros(len(vertices)) if held is None else held))[:, None]
    for _ in range(times):
        mean = np.stack([np.bincount(a, vertices[b, k], len(vertices)) for k in range(3)], axis=1) / neighbours
        vertices = vertices + free * (mean - vertices)
    return vertices


def border(faces: Ints) -> Ints:
    """Vertices on edges with one face."""
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    return np.unique(unique[count == 1])


def even_border(vertices: Doubles, faces: Ints, times: int) -> Doubles:
    """Hems without corners: each vertex of the border halfway to its neighbours along it, so often."""
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    hem = unique[count == 1]
    both = np.concatenate([hem, hem[:, ::-1]])
    neighbours = np.bincount(both[:, 0], minlength=len(vertices))
    on_hem = (neighbours == 2)[:, None]
    for _ in range(times):
        mean = np.stack([np.bincount(both[:, 0], vertices[both[:, 1], k], len(vertices)) for k in range(3)], axis=1) / 2
        vertices = np.where(on_hem, (vertices + mean) / 2, vertices)
    return vertices


class Shell:
    """What a cloth has to stay outside of: points (n, 3) with normals (n, 3)."""

    def __init__(self, points: Doubles, normals: Doubles) -> None:
        self.points, self.normals = points, normals
        self._tree = cKDTree(points)

    def outside(self, vertices: Doubles, distance: Doubles | float, *, within: float = 0.08) -> Doubles:
        """Vertices moved along the nearest point's normal until they are ``distance`` above it; only those nearer than ``within``."""
        apart, nearest = self._tree.query(vertices.reshape(-1, 3))
        flat = vertices.reshape(-1, 3)
        above = np.sum((flat - self.points[nearest]) * self.normals[nearest], axis=1)
        missing = np.where(apart < within, np.maximum(0.0, np.broadcast_to(distance, apart.shape) - above), 0.0)
        return np.asarray((flat + missing[:, None] * self.normals[nearest]).reshape(vertices.shape))


def body_shell(figure: Figure) -> Shell:
    """The tights' surface, which lies on the body and has no fingers, toes or face."""
    rows = np.unique(base_mesh().faces("helper-tights"))
    return Shell(figure.vertices[rows], figure.normals[rows])


def folds(vertices: Doubles, rng: np.random.Generator, size: float) -> Doubles:
    """Displacements (n,) of unit size as of hanging cloth: waves that are longer up and down than across."""
    out = np.zeros(len(vertices))
    for _ in range(6):
        direction = rng.normal(size=3) * [1.0, 0.35, 1.0]
        direction /= np.linalg.norm(direction)
        out += np.sin(vertices @ direction * (2 * np.pi / (size * rng.uniform(0.6, 1.6))) + rng.uniform(0, 2 * np.pi))
    return np.asarray(out / 6)


@dataclass(frozen=True, slots=True)
class Fit:
    """How a cut lies on the body. ease: metres above the skin. loose: rounds of smoothing. crease: metres of folds. flare: metres more at
    the lower hem."""

    ease: float
    loose: int = 3
    crease: float = 0.002
    flare: float = 0.0


def tailored(figure: Figure, cut: Cut, fit: Fit, *, name: str, material: Material, rng: np.random.Generator) -> Worn:
    """A garment from the tights of the base mesh."""
    mesh = base_mesh()
    rows, faces = compact(mesh.faces("helper-tights"))
    regions = figure.regions
    here = Regions(regions.level[rows], regions.arm[rows], regions.side[rows])
    field = cut.field(here)
    new_faces, pairs, share = clip(faces, field)
    if not len(new_faces):
        raise ValueError(f"garment {name}: nothing of the body lies between levels {cut.low} and {cut.high}")
    own = figure.vertices[rows]
    vertices = own[pairs[:, 0]] * (1 - share)[:, None] + own[pairs[:, 1]] * share[:, None]
    base = Skin.of_base(rows)
    skin = Skin.mixed([base.take(pairs[:, 0]), base.take(pairs[:, 1])], np.column_stack([1 - share, share]), len(mesh.bones))
    rest = vertices
    held = np.zeros(len(vertices))
    held[border(new_faces)] = 1.0
    vertices = smoothed(vertices, new_faces, fit.loose, held)
    normals = vertex_normals(vertices, new_faces)
    level = here.level[pairs[:, 0]]
    flare = fit.flare * np.clip(1 - (level - cut.low) / 1.2, 0.0, 1.0) * (here.arm[pairs[:, 0]] < 0)
    out = fit.ease + flare + fit.crease * folds(rest, rng, 0.09)
    vertices = even_border(vertices + normals * out[:, None], new_faces, 10)
    vertices = even_border(body_shell(figure).outside(vertices, np.maximum(out, 0.6 * fit.ease)), new_faces, 4)
    return Worn(name, "clothes", vertices, new_faces, skin, material)


def without_covered(worn: Worn, figure: Figure, cut: Cut, margin: float) -> Worn:
    """A garment without what lies under an outer one, so that it does not come through."""
    rows = np.unique(base_mesh().faces("helper-tights"))
    _, nearest = cKDTree(figure.vertices[rows]).query(worn.vertices)
    regions = figure.regions
    near = rows[nearest]
    inside = cut.field(Regions(regions.level[near], regions.arm[near], regions.side[near])) > margin
    kept, faces = compact(worn.faces[~inside[worn.faces].all(axis=1)])
    tint = None if worn.tint is None else worn.tint[kept]
    return replace(worn, vertices=worn.vertices[kept], faces=faces, skin=worn.skin.take(kept), tint=tint)


def covered(regions: Regions, cuts: list[Cut], margin: float = 0.12) -> Ints:
    """Vertices that lie well under a garment, so that the skin there can be left out."""
    hidden = np.zeros(len(regions.level), bool)
    for cut in cuts:
        hidden |= cut.field(regions) > margin
    return np.flatnonzero(hidden)
