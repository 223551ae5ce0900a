"""Hair of the face: eyebrows, and beards of any length, as strands fixed to the head."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from .base_mesh import Doubles, base_mesh
from .hair import Grown, Head
from .regions import Figure, compact
from .skeleton import unit

BROW_STRANDS, BEARD_STRANDS, POINTS = 170, 2400, 5


def face_hair(figure: Figure, beard_m: float, rng: np.random.Generator) -> Grown:
    """Eyebrows, and a beard of ``beard_m`` metres where that is above 0."""
    head = Head.of(figure)
    parts = [_brow(figure, head, sign, rng) for sign in (1.0, -1.0)]
    if beard_m > 0:
        parts.append(_beard(figure, head, beard_m, rng))
    points = np.concatenate(parts)
    radius = np.broadcast_to(np.linspace(0.00030, 0.00008, POINTS), points.shape[:2]).copy()
    return Grown(points, radius, np.ones(len(points), bool))


def _strands(roots: Doubles, normals: Doubles, direction: Doubles, length: Doubles) -> Doubles:
    """From the skin along ``direction``, a little away from it first."""
    way = np.linspace(0, 1, POINTS)[None, :, None]
    flat = direction - 0.6 * np.sum(direction * normals, axis=1, keepdims=True) * normals
    lean = 0.45 * normals[:, None] * (1 - 0.3 * way) + unit(flat)[:, None]
    return np.asarray(roots[:, None] - 0.0005 * normals[:, None] + length[:, None, None] * way * unit(lean))


def _skin(figure: Figure) -> tuple[Doubles, Doubles, cKDTree]:
    rows, _ = compact(base_mesh().faces("body"))
    rows = rows[figure.vertices[rows, 1] > figure.skeleton.head("neck02")[1]]
    points = figure.vertices[rows]
    return points, figure.normals[rows], cKDTree(points)


def _on_skin(figure: Figure, guesses: Doubles) -> tuple[Doubles, Doubles]:
    """Guesses (n, 3) moved onto the skin: each to the plane of its nearest vertices."""
    points, normals, tree = _skin(figure)
    apart, near = tree.query(guesses, k=3)
    share = 1 / (apart + 1e-4)
    share /= share.sum(axis=1, keepdims=True)
    normal = unit((normals[near] * share[..., None]).sum(axis=1))
    base = (points[near] * share[..., None]).sum(axis=1)
    return guesses + np.sum((base - guesses) * normal, axis=1, keepdims=True) * normal, normal


def _brow(figure: Figure, head: Head, sign: float, rng: np.random.Generator) -> Doubles:
    """Above an eye, from the nose outward in an arc, thick within and thin without (distances in shares of the eyes' half distance)."""
    eye = figure.skeleton.head("eye.L")
    unit_x = float(eye[0])
    u = rng.random(BROW_STRANDS)
    across = unit_x * (0.42 + 1.20 * u)
    arc = 0.56 + 0.20 * np.sin(np.pi * np.minimum(1.0, u * 1.25) * 0.75) - 0.10 * u
    thick = 0.13 * (1 - 0.75 * u) * rng.normal(0, 0.6, BROW_STRANDS)
    guesses = np.column_stack([sign * across, eye[1] + unit_x * (arc + thick), eye[2] + unit_x * (0.95 - 0.45 * u**2)])
    roots, normals = _on_skin(figure, guesses)
    direction = unit(np.column_stack([sign * (0.5 + u), 0.75 - 0.9 * u, -0.3 * u]) + rng.normal(0, 0.12, (BROW_STRANDS, 3)))
    del head
    return _strands(roots, normals, direction, unit_x * rng.uniform(0.16, 0.28, BROW_STRANDS))


def _beard(figure: Figure, head: Head, beard_m: float, rng: np.random.Generator) -> Doubles:
    """On chin, jaw and upper lip, not on the lips."""
    mesh = base_mesh()
    mouth = figure.vertices[np.unique(mesh.faces("joint-mouth"))].mean(axis=0)
    faces = mesh.faces("body")
    corners = figure.vertices[faces]
    normals = figure.normals[faces]
    middle = corners.mean(axis=1)
    eye = figure.skeleton.head("eye.L")
    near = (
        (middle[:, 1] > figure.skeleton.head("neck02")[1] - 0.01)
        & (middle[:, 1] < eye[1])
        & (middle[:, 2] > head.centre[2] - 0.2 * head.deep)
    )
    local = (middle - mouth) / float(eye[0])
    azimuth = np.arctan2(np.abs(middle[:, 0]), np.maximum(middle[:, 2] - head.centre[2], 1e-4))
    # from the moustache under the nose along the cheek up to the ear
    upper = np.interp(azimuth, np.radians([0, 16, 28, 55, 80]), [0.45, 0.4, -0.35, -0.1, 0.9])
    lips = (local[:, 0] / 0.85) ** 2 + (local[:, 1] / 0.34) ** 2 < 1
    facing = normals.mean(axis=1)
    good = near & (local[:, 1] < upper) & ~lips & (np.sum(facing * unit(middle - head.centre), axis=1) > 0.1)
    good &= np.linalg.norm(facing, axis=1) > 0.9
    corners, normals = corners[good], normals[good]
    if not len(corners):
        return np.zeros((0, POINTS, 3))
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    edges = np.concatenate([[0.0], np.cumsum(areas) / areas.sum()])
    pick = np.clip(np.searchsorted(edges, rng.random(BEARD_STRANDS), side="right") - 1, 0, len(areas) - 1)
    share = rng.dirichlet([1, 1, 1], BEARD_STRANDS)[..., None]
    roots = (corners[pick] * share).sum(axis=1)
    normal = unit((normals[pick] * share).sum(axis=1))
    direction = unit(np.array([0.0, -1.0, 0.15]) + 0.35 * normal + rng.normal(0, 0.2, (BEARD_STRANDS, 3)))
    return _strands(roots, normal, direction, beard_m * rng.uniform(0.6, 1.1, BEARD_STRANDS))
