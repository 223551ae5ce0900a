"""Hair as strands: where it grows, how it is combed, how long and how curly. At rest; ``sway`` moves it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .base_mesh import Doubles, base_mesh
from .cloth import Shell
from .contract import Hair
from .regions import Figure, compact
from .skeleton import unit

#: points of all strands of a person together, at most
MOST_POINTS = 25_000


@dataclass(frozen=True, slots=True)
class Head:
    """Where the head is at rest. centre: (3,) metres, between the ears. radius: metres to the sides. tall: from centre to crown."""

    centre: Doubles
    radius: float
    tall: float
    deep: float

    @classmethod
    def of(cls, figure: Figure) -> Head:
        eyes = (figure.skeleton.head("eye.L") + figure.skeleton.head("eye.R")) / 2
        mesh = base_mesh()
        body = np.unique(mesh.faces("body"))
        points = figure.vertices[body]
        level = points[np.abs(points[:, 1] - eyes[1]) < 0.02]
        back, front = float(level[:, 2].min()), float(eyes[2] + 0.01)
        # ears stick out: the temples are narrower than the widest point there
        temples = level[level[:, 2] > (back + 2 * front) / 3]
        centre = np.array([0.0, eyes[1], (back + front) / 2])
        return cls(centre, float(np.abs(temples[:, 0]).max()), figure.height - float(eyes[1]), (front - back) / 2)

    def scaled(self, points: Doubles) -> Doubles:
        """Points (n, 3) in units of the head: a sphere, about."""
        return np.asarray((points - self.centre) / [self.radius, self.tall, self.deep])


def scalp_field(head: Head, points: Doubles, receding: float = 0.0) -> Doubles:
    """Above 0 where hair grows, (n,) in radians of elevation above the hairline seen from between the ears.

    The hairline of grown-ups runs from about 45 degrees up at the forehead down to the ears' upper edge and to the nape.
    """
    local = head.scaled(points)
    azimuth = np.arctan2(np.abs(local[:, 0]), local[:, 2])
    elevation = np.arctan2(local[:, 1], np.hypot(local[:, 0], local[:, 2]))
    line = np.interp(azimuth, np.radians([0, 35, 62, 80, 100, 118, 180]), np.radians([43, 46, 30, 12, 24, -6, -30]))
    line = line + receding * np.interp(azimuth, np.radians([0, 30, 60, 100, 180]), [0.35, 0.7, 0.3, 0.0, 0.0])
    return np.asarray(elevation - line)


@dataclass(frozen=True, slots=True)
class Grown:
    """Strands at rest: points (k, m, 3), radius (k, m). tied: (k,) whether a strand lies fast on the head, from the scalp to a tie."""

    points: Doubles
    radius: Doubles
    tied: NDArray[np.bool_]


def grow(figure: Figure, hair: Hair, shell: Shell, rng: np.random.Generator, *, receding: float = 0.0, rim: float = np.inf) -> Grown | None:
    """None without hair. rim: metres above which a hat leaves no room for roots. shell: what strands stay outside of (head,
    neck, shoulders and clothes)."""
    if hair.style == "none" or hair.length_m <= 0:
        return None
    head = Head.of(figure)
    ties = tie_places(head, hair.style)
    count_points = int(np.clip(4 + hair.length_m / 0.03 + 10 * hair.curl, 5, 22))
    count = min(MOST_POINTS // count_points, 4200)
    # a third of the strands of tied hair is the tail
    tails = count // 3 if len(ties) else 0
    count -= tails
    roots, normals = _roots(figure, head, count, receding, rng)
    seen = roots[:, 1] - 0.28 * (roots[:, 2] - head.centre[2]) < rim + 0.004
    roots, normals, count = roots[seen], normals[seen], int(seen.sum())
    if not count:
        return None
    goal = ties[(roots[:, 0] < 0).astype(np.int64) % len(ties)] if len(ties) else None
    lengths = hair.length_m * rng.uniform(0.78, 1.05, count) * _taper(head, roots, hair)
    if goal is not None:
        lengths = 1.12 * np.linalg.norm(goal - roots, axis=1) + 0.01
    step = lengths / (count_points - 1)
    points = np.empty((count, count_points, 3))
    points[:, 0] = roots
    flow = _comb(head, roots, hair)
    above = 0.003 + 0.012 * rng.random(count) * (1 + 2 * hair.loose) * min(1.0, hair.length_m / 0.1)
    noise = rng.normal(size=(count, 3))
    patch = _patches(roots, rng)
    for k in range(1, count_points):
        along = k / (count_points - 1)
        now = points[:, k - 1]
        upright = unit(head.scaled(now) / [head.radius, head.tall, head.deep])
        gone = (step * k)[:, None]
        lift = np.exp(-gone / (0.02 if hair.style not in ("afro", "wild") else 0.5 * hair.length_m))
        fall = 1 - np.exp(-gone / 0.07) if hair.style not in ("afro",) else 0.0 * gone
        tangent = flow - np.sum(flow * upright, axis=1, keepdims=True) * upright
        direction = (
            lift * normals * 0.8 + (1 - 0.7 * fall) * unit(tangent) * (0.9 if hair.style != "afro" else 0.1) + fall * [0.0, -1.0, 0.0]
        )
        if goal is not None:
            direction = unit(goal - now) + 0.5 * lift * normals
            step = np.linalg.norm(goal - now, axis=1) / (count_points - k)
        direction += (0.06 + 0.14 * hair.loose * along) * patch + (0.03 + 0.07 * hair.loose) * noise
        new = now + step[:, None] * unit(direction)
        points[:, k] = shell.outside(new, above, within=0.05)
    points = _curled(points, hair, rng, patch) if goal is None else points
    tied = np.full(count, goal is not None)
    if tails:
        points = np.concatenate([points, tail(hair, head, ties, shape=(tails, count_points), shell=shell, rng=rng)])
        tied = np.concatenate([tied, np.full(tails, hair.style == "bun")])
    count += tails
    thick = 0.00055 * (4200 / count) ** 0.5
    fine = rng.random(count) < 0.12
    radius = thick * rng.uniform(0.7, 1.2, count)[:, None] * np.linspace(1.0, 0.25, count_points)[None]
    radius[fine] *= 0.2
    return Grown(points, radius, tied)


def tie_places(head: Head, style: str) -> Doubles:
    """Where hair is gathered, (1 or 2, 3) metres; (0, 3) for hair that is not."""
    if style == "braids":
        return np.asarray(
            head.centre[None] + np.array([[s * 0.95 * head.radius, -0.25 * head.tall, -0.55 * head.deep] for s in (1.0, -1.0)])
        )
    if style in ("ponytail", "bun"):
        return np.asarray(head.centre[None] + np.array([[0.0, 0.3 * head.tall, -1.14 * head.deep]]))
    return np.zeros((0, 3))


def tail(hair: Hair, head: Head, ties: Doubles, *, shape: tuple[int, int], shell: Shell, rng: np.random.Generator) -> Doubles:
    """What hangs from the ties: strands (k, m, 3). A bun is wound into a ball."""
    count, many = shape
    tie = ties[np.arange(count) % len(ties)]
    along = np.linspace(0, 1, many)
    if hair.style == "bun":
        size = 0.32 * head.radius + 0.08 * hair.length_m
        axis = unit(rng.normal(size=(count, 3)) + [0.0, 0.0, 1.5])
        a = unit(np.cross(axis, rng.normal(size=(count, 3))))
        b = np.cross(axis, a)
        angle = 2 * np.pi * 0.8 * along[None, :, None]
        ball = size * rng.uniform(0.75, 1.0, (count, 1, 1)) * (np.cos(angle) * a[:, None] + np.sin(angle) * b[:, None])
        return np.asarray(tie[:, None] + [0.0, 0.0, -0.75 * size] + ball)
    points = np.empty((count, many, 3))
    points[:, 0] = tie + rng.normal(0, 0.004, (count, 3))
    step = hair.length_m * rng.uniform(0.75, 1.05, count) / (many - 1)
    noise = rng.normal(size=(count, 3))
    outward = unit((tie - head.centre) * [1.0, 0.0, 1.0])
    for k in range(1, many):
        gone = (step * k)[:, None]
        direction = np.exp(-gone / 0.04) * outward + (1 - np.exp(-gone / 0.05)) * [0.0, -1.0, 0.0]
        direction = direction + (0.05 + 0.1 * hair.loose) * noise * (hair.style == "ponytail")
        points[:, k] = shell.outside(points[:, k - 1] + step[:, None] * unit(direction), 0.012, within=0.05)
    if hair.style == "braids":
        # three strands that cross each other
        way = along * hair.length_m
        phase = 2 * np.pi * (way[None] / 0.07 + (np.arange(count) // len(ties) % 3)[:, None] / 3)
        wide = 0.011 * np.clip(way / 0.02, 0, 1)
        offset = np.stack([wide * np.sin(phase), 0 * phase, 0.6 * wide * np.sin(2 * phase)], axis=-1)
        return np.asarray(points + offset + rng.normal(0, 0.0025, (count, 1, 3)))
    return _curled(points, hair, rng, noise)


def _roots(figure: Figure, head: Head, count: int, receding: float, rng: np.random.Generator) -> tuple[Doubles, Doubles]:
    """Places on the scalp, evenly by area, and the skin's normals there."""
    mesh = base_mesh()
    rows, faces = compact(mesh.faces("body"))
    points = figure.vertices[rows]
    near = figure.skeleton.head("neck03")[1]
    field = np.where(points[:, 1] > near, scalp_field(head, points, receding), -1.0)
    faces = faces[(field[faces] > -0.05).any(axis=1)]
    a, b, c = (points[faces[:, k]] for k in range(3))
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    edges = np.concatenate([[0.0], np.cumsum(areas) / areas.sum()])
    kept: list[Doubles] = []
    kept_normals: list[Doubles] = []
    have = 0
    while have < count:
        # as many as are missing, some of which fall outside the hairline
        picks = np.searchsorted(edges, rng.random(2 * count), side="right") - 1
        u, v = rng.random((2, 2 * count))
        over = u + v > 1
        u, v = np.where(over, 1 - u, u), np.where(over, 1 - v, v)
        share = np.stack([1 - u - v, u, v], axis=1)
        here = np.sum(points[faces[picks]] * share[:, :, None], axis=1)
        normal = unit(np.sum(figure.normals[rows][faces[picks]] * share[:, :, None], axis=1))
        good = scalp_field(head, here, receding) + rng.normal(0, 0.02, len(here)) > 0
        # the ears' skin turns every way: what does not look away from the head's middle is no scalp
        good &= np.sum(normal * unit(here - head.centre), axis=1) > 0.35
        kept.append(here[good])
        kept_normals.append(normal[good])
        have += int(good.sum())
    return np.concatenate(kept)[:count], np.concatenate(kept_normals)[:count]


def _taper(head: Head, roots: Doubles, hair: Hair) -> Doubles:
    """Short hair is shorter at the sides and the nape; long hair hangs to one line, whatever its root's height."""
    height = np.clip(head.scaled(roots)[:, 1], -0.6, 1.0)
    if hair.style == "short":
        return np.asarray(np.clip(0.45 + 0.55 * height, 0.25, 1.0))
    if hair.style in ("bob", "long"):
        return np.asarray(np.clip(1.0 - 0.35 * (1 - height) * 0.1 / max(hair.length_m, 0.1), 0.4, 1.0))
    return np.ones(len(roots))


def _comb(head: Head, roots: Doubles, hair: Hair) -> Doubles:
    """Directions in which hair leaves the skin, before gravity."""
    local = head.scaled(roots)
    if hair.style in ("bob", "long", "wild"):
        # parted along a line from the forehead to the crown
        return unit(np.column_stack([np.sign(local[:, 0] - 0.12) * 1.0, -0.4 + 0 * local[:, 0], -0.5 * (local[:, 2] + 0.4)]))
    whorl = head.centre + np.array([0.1 * head.radius, 0.9 * head.tall, -0.35 * head.deep])
    return unit((roots - whorl) * [1.0, 0.6, 1.0] + [0.0, -0.02, 0.0])


def _patches(roots: Doubles, rng: np.random.Generator) -> Doubles:
    """Noise (k, 3) that neighbours share: locks."""
    out = np.zeros((len(roots), 3))
    for _ in range(5):
        direction = rng.normal(size=(3, 3)) * (2 * np.pi / rng.uniform(0.02, 0.06))
        out += np.sin(roots @ direction + rng.uniform(0, 2 * np.pi, 3))
    return out / 2.2


def _curled(points: Doubles, hair: Hair, rng: np.random.Generator, patch: Doubles) -> Doubles:
    """Strands wound about where they were; neighbours wind alike."""
    count, many, _ = points.shape
    if hair.curl <= 0.02:
        return points
    radius = 0.004 + 0.016 * hair.curl
    length = np.linalg.norm(np.diff(points, axis=1), axis=2)
    way = np.concatenate([np.zeros((count, 1)), np.cumsum(length, axis=1)], axis=1)
    # a winding takes at least four points
    wave = max(0.12 - 0.09 * hair.curl, 4 * float(length.mean()))
    phase = 2 * np.pi * way / wave + 2.5 * patch[:, :1] + rng.uniform(0, 1.2, (count, 1))
    along = unit(np.gradient(points, axis=1))
    aside = unit(np.cross(along, [0.3, 0.2, 0.93]))
    other = np.cross(along, aside)
    grown = (radius * np.clip(way / 0.03, 0, 1))[..., None]
    return np.asarray(points + grown * (np.cos(phase)[..., None] * aside + np.sin(phase)[..., None] * other))
