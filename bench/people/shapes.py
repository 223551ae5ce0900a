"""Plain solids for hats, bags, glasses and held things: vertices (n, 3) in metres and triangles (f, 3), counter-clockwise from outside."""

from __future__ import annotations

import numpy as np

from .base_mesh import Doubles, Ints

Solid = tuple[Doubles, Ints]


def torus_faces(around: int, tube: int) -> Ints:
    """Triangles of a grid (around, tube) closed both ways."""
    index = np.arange(around * tube).reshape(around, tube)
    a, b = index, np.roll(index, -1, axis=1)
    d, c = np.roll(index, -1, axis=0), np.roll(np.roll(index, -1, axis=0), -1, axis=1)
    corners = [x.ravel() for x in (a, b, c, d)]
    return np.concatenate([np.stack([corners[k] for k in ks], axis=1) for ks in ((0, 3, 2), (0, 2, 1))])


def turned_profile(radius: Doubles, height: Doubles, around: int = 24) -> Solid:
    """A profile turned about y: radius, height (k,), from below to above, closed at both ends."""
    angles = np.linspace(0, 2 * np.pi, around, endpoint=False)
    ring = np.stack([np.sin(angles), np.zeros(around), np.cos(angles)], axis=-1)
    points = radius[:, None, None] * ring[None] + height[:, None, None] * np.array([0.0, 1.0, 0.0])
    many = len(radius)
    index = np.arange(many * around).reshape(many, around)
    a, b = index[:-1], np.roll(index[:-1], -1, axis=1)
    d, c = index[1:], np.roll(index[1:], -1, axis=1)
    corners = [x.ravel() for x in (a, b, c, d)]
    sides = [np.stack([corners[k] for k in ks], axis=1) for ks in ((0, 1, 2), (0, 2, 3))]
    low, high = many * around, many * around + 1
    ends = [
        np.stack([np.roll(index[0], -1), index[0], np.full(around, low)], axis=1),
        np.stack([index[-1], np.roll(index[-1], -1), np.full(around, high)], axis=1),
    ]
    vertices = np.concatenate([points.reshape(-1, 3), [[0, height[0], 0], [0, height[-1], 0]]])
    return vertices, np.concatenate([*sides, *ends])


def ball(radius: float, rings: int = 14) -> Solid:
    """A sphere about the origin."""
    angle = np.linspace(0, np.pi, rings)[1:-1]
    return turned_profile(radius * np.sin(angle), -radius * np.cos(angle), 2 * rings)


def cylinder(radius: float, length: float, *, top: float | None = None) -> Solid:
    """Upright, from the origin up; ``top``: its upper radius."""
    end = radius if top is None else top
    return turned_profile(np.array([radius, end]), np.array([0.0, length]))


def box(size: tuple[float, float, float], *, round_to: float = 6.0, fine: int = 7) -> Solid:
    """About the origin, with round edges: a superquadric whose exponent is ``round_to`` (2 is an ellipsoid, 20 nearly sharp)."""
    vertices, faces = ball(1.0, 2 * fine)
    norm = (np.abs(vertices) ** round_to).sum(axis=1) ** (1 / round_to)
    return vertices / norm[:, None] * np.array(size) / 2, faces


def cuboid(size: tuple[float, float, float], cells: int = 8) -> Solid:
    """About the origin, with sharp edges: each side is a grid of its own."""
    u, v = (x.ravel() for x in np.meshgrid(np.linspace(-0.5, 0.5, cells + 1), np.linspace(-0.5, 0.5, cells + 1), indexing="ij"))
    index = np.arange((cells + 1) ** 2).reshape(cells + 1, cells + 1)
    a, b, c, d = index[:-1, :-1].ravel(), index[1:, :-1].ravel(), index[1:, 1:].ravel(), index[:-1, 1:].ravel()
    faces = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
    sides = []
    for axis in range(3):
        for sign in (1.0, -1.0):
            points = np.empty((len(u), 3))
            points[:, axis], points[:, (axis + 1) % 3], points[:, (axis + 2) % 3] = sign / 2, u, v
            sides.append((points * np.array(size), faces if sign > 0 else faces[:, ::-1]))
    return together(*sides)


def tube(path: Doubles, radius: float, sides: int = 8) -> Solid:
    """Along a polyline (k, 3)."""
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    aside = np.cross(along, [0.31, 0.17, 0.93])
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    other = np.cross(along, aside)
    angles = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    points = path[:, None] + radius * (np.cos(angles)[None, :, None] * aside[:, None] + np.sin(angles)[None, :, None] * other[:, None])
    index = np.arange(len(path) * sides).reshape(len(path), sides)
    a, b = index[:-1].ravel(), np.roll(index, -1, axis=1)[:-1].ravel()
    d, c = index[1:].ravel(), np.roll(index, -1, axis=1)[1:].ravel()
    return points.reshape(-1, 3), np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])


def ribbon(path: Doubles, normals: Doubles, width: float, thick: float = 0.004) -> Solid:
    """A strap along a polyline (k, 3) whose flat side looks along ``normals`` (k, 3)."""
    along = np.gradient(path, axis=0)
    aside = np.cross(along, normals)
    aside /= np.maximum(np.linalg.norm(aside, axis=1, keepdims=True), 1e-9)
    corners = [(0.5, 1.0), (-0.5, 1.0), (-0.5, -1.0), (0.5, -1.0)]
    points = np.stack([path + u * width * aside + v * thick / 2 * normals for u, v in corners], axis=1)
    index = np.arange(len(path) * 4).reshape(len(path), 4)
    a, b = index[:-1].ravel(), np.roll(index, -1, axis=1)[:-1].ravel()
    d, c = index[1:].ravel(), np.roll(index, -1, axis=1)[1:].ravel()
    return points.reshape(-1, 3), np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])


def together(*solids: Solid) -> Solid:
    """Several as one."""
    offsets = np.cumsum([0] + [len(v) for v, _ in solids])
    return np.concatenate([v for v, _ in solids]), np.concatenate([f + o for (_, f), o in zip(solids, offsets[:-1], strict=True)])


def moved(solid: Solid, place: Doubles | tuple[float, float, float]) -> Solid:
    """Shifted by (3,)."""
    return solid[0] + np.asarray(place), solid[1]
