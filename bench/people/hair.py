"""Hair as strands: where it grows, how it is combed, how long and how curly. At rest; ``sway`` moves it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .base_mesh import Doubles, base_mesh
from .cloth import Shell
from .contract import Hair
from .regions import Figure, compact
from .skeleton import unit

#: points of all strands of a person together, at most
MOST_POINTS = 38_000


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
    """Strands at rest: points (k, m, 3), radius (k, m); tail: first strand that hangs from a tie instead of the scalp."""

    points: Doubles
    radius: Doubles
    loose: Doubles


def grow(figure: Figure, hair: Hair, shell: Shell, rng: np.random.Generator, *, receding: float = 0.0) -> Grown | None:
    """None without hair. shell: what strands stay outside of (head, neck, shoulders and clothes)."""
    if hair.style == "none" or hair.length_m <= 0:
        return None
    head = Head.of(figure)
    count_points = int(np.clip(4 + hair.length_m / 0.03 + 10 * hair.curl, 5, 22))
    count = min(MOST_POINTS // count_points, 4200)
    roots, normals = _roots(figure, head, count, receding, rng)
    lengths = hair.length_m * rng.uniform(0.78, 1.05, count) * _taper(head, roots, hair)
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
        direction += (0.10 + 0.25 * hair.loose * along) * patch + (0.05 + 0.15 * hair.loose) * noise
        new = now + step[:, None] * unit(direction)
        points[:, k] = shell.outside(new, above, within=0.05)
    points = _curled(points, hair, rng, patch)
    thick = 0.00055 * (4200 / count) ** 0.5
    fine = rng.random(count) < 0.12
    radius = thick * rng.uniform(0.7, 1.2, count)[:, None] * np.linspace(1.0, 0.25, count_points)[None]
    radius[fine] *= 0.2
    return Grown(points, radius, np.where(fine, 1.0, 0.0))


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
    if hair.style in ("ponytail", "bun", "braids"):
        tie = head.centre + np.array([0.0, 0.35 * head.tall, -1.1 * head.deep])
        return unit(tie - roots)
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
