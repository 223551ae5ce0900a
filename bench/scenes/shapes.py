"""Simple solids as vertices and faces; what furniture, houses and trees are built of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.people import Material, Mesh, Pattern
from bench.people.contract import Colour, Floats, Indices

Solid = tuple[Floats, Indices]
Vector = tuple[float, float, float]


def box(size: Vector, centre: Vector = (0, 0, 0)) -> Solid:
    """Twelve triangles with corners of their own on each side, so that edges stay sharp."""
    points: list[NDArray[np.float64]] = []
    faces: list[list[list[int]]] = []
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        for sign in (-1, 1):
            corners = np.zeros((4, 3))
            corners[:, axis] = sign
            corners[:, u] = (-1, 1, 1, -1)
            corners[:, v] = (-1, -1, 1, 1)
            k = 4 * len(faces)
            order = [[k, k + 1, k + 2], [k, k + 2, k + 3]]
            faces.append(order if sign > 0 else [f[::-1] for f in order])
            points.append(corners)
    out = np.concatenate(points) * np.asarray(size) / 2 + np.asarray(centre)
    return out.astype(np.float32), np.concatenate([np.asarray(f) for f in faces]).astype(np.int32)


def sheet(width: int, height: int) -> Indices:
    """Faces of a grid of (height, width) vertices."""
    k = (np.arange(height - 1)[:, None] * width + np.arange(width - 1)[None]).ravel()
    return np.concatenate([np.stack([k, k + 1, k + width + 1], 1), np.stack([k, k + width + 1, k + width], 1)]).astype(np.int32)


def revolved(profile: NDArray[np.float64], sides: int = 24) -> Solid:
    """A solid of revolution about y from (radius, height) pairs, lowest first."""
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    radius, height = np.asarray(profile, float).T
    points = np.stack(
        [radius[:, None] * np.cos(angle), np.broadcast_to(height[:, None], (len(radius), sides + 1)), -radius[:, None] * np.sin(angle)], -1
    )
    return points.reshape(-1, 3).astype(np.float32), sheet(sides + 1, len(radius))


def cylinder(radius: float, low: float, high: float, sides: int = 20) -> Solid:
    """Upright, closed."""
    return revolved(np.array([(1e-4, low), (radius, low), (radius, low), (radius, high), (radius, high), (1e-4, high)]), sides)


def ball(size: Vector, centre: Vector = (0, 0, 0), sides: int = 24) -> Solid:
    """An ellipsoid of the given diameters."""
    turn = np.linspace(-np.pi / 2, np.pi / 2, sides // 2 + 1)
    points, faces = revolved(np.stack([np.cos(turn), np.sin(turn)], 1), sides)
    return (points * np.asarray(size, np.float32) / 2 + np.asarray(centre, np.float32)).astype(np.float32), faces


def moved(solid: Solid, by: Vector, turn: float = 0.0) -> Solid:
    """Turned about y by radians, then moved."""
    c, s = np.cos(turn), np.sin(turn)
    rotation = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    return (solid[0] @ rotation.T + np.asarray(by)).astype(np.float32), solid[1]


def joined(*solids: Solid) -> Solid:
    """Several as one."""
    points, faces, n = [], [], 0
    for p, f in solids:
        points.append(p)
        faces.append(f + n)
        n += len(p)
    return np.concatenate(points), np.concatenate(faces).astype(np.int32)


def lumpy(solid: Solid, rng: np.random.Generator, amount: float, scale: float) -> Solid:
    """Pushed in and out by a few waves of random directions: bags, stones, bushes."""
    points, faces = solid
    out = points.astype(np.float64)
    for _ in range(6):
        way = rng.normal(size=3) / scale
        out += amount / 3 * np.sin(points @ way + rng.uniform(0, 2 * np.pi))[:, None] * rng.normal(size=3)
    return out.astype(np.float32), faces


def material(colour: Colour, roughness: float = 0.8, pattern: Pattern | None = None, name: str = "thing") -> Material:
    """A look, shortly."""
    r, g, b = (float(np.clip(c, 0, 1)) for c in colour)
    return Material(name, (r, g, b), roughness, pattern=pattern or Pattern())


def mesh(name: str, solid: Solid, look: Material, texture: Floats | None = None) -> Mesh:
    """A prop's mesh; its texture is the place in the world unless given."""
    points, faces = solid
    return Mesh(name, "prop", points[None], faces, points.copy() if texture is None else texture, look, thin=True)


def paint(rng: np.random.Generator, *, saturation: float = 0.6, low: float = 0.03, high: float = 0.7) -> Colour:
    """A random colour of a painted, dyed or printed thing, in linear light."""
    grey = np.exp(rng.uniform(np.log(low), np.log(high)))
    tone = rng.dirichlet([1.0, 1.0, 1.0]) * 3
    r, g, b = np.clip(grey * ((1 - saturation) + saturation * tone), 0.01, 0.9)
    return (float(r), float(g), float(b))
