"""Cloth that hangs: skirts, coat tails, scarf ends. Grids at rest, hung on a body, moved by ``drape``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .base_mesh import Doubles, Ints, base_mesh
from .cloth import Shell
from .contract import Material, Mesh, Part
from .drape import Net, grid_faces, sheet_net
from .regions import Figure, vertex_normals
from .skeleton import Frames, Skin

#: points around a whole skirt; even, as ``sheet_net`` pairs them
AROUND = 56


@dataclass(frozen=True, slots=True)
class Hung:
    """A grid of cloth. rest: (r, c, 3) metres. closed: around the body."""

    name: str
    part: Part
    rest: Doubles
    closed: bool
    skin: Skin
    net: Net
    material: Material

    def rigid(self, frames: Frames) -> Doubles:
        """Where it would be if it did not hang: (t, r*c, 3)."""
        return self.skin.follow(self.rest.reshape(-1, 3), frames)

    def posed(self, vertices: Doubles) -> Mesh:
        """The mesh, vertices (t, r*c, 3) being known."""
        rows, columns, _ = self.rest.shape
        faces = grid_faces(rows, columns, closed=self.closed)
        return Mesh(
            self.name, self.part, vertices.astype(np.float32), faces.astype(np.int32), self._pattern().astype(np.float32),
            self.material, None, True,
        )  # fmt: skip

    def _pattern(self) -> Doubles:
        return self.rest.reshape(-1, 3)


def support(points: Doubles, angles: Doubles) -> Doubles:
    """How far points (n, 2) reach in directions (a,), from the origin."""
    directions = np.stack([np.sin(angles), np.cos(angles)])
    return np.asarray((points @ directions).max(axis=0))


def skirt(figure: Figure, material: Material, rng: np.random.Generator, *, name: str, high: float, low: float, ease: float, flare: float,
          pleats: int, gap: float = 0.0) -> Hung:  # fmt: skip
    """From level ``high`` to level ``low``. ease: metres from the body. flare: metres of radius more a metre further down.
    gap: radians left open in front (coats); 0 closes it."""
    s = figure.skeleton
    marks = [s.head(b)[1] for b in ("foot.L", "lowerleg01.L", "upperleg01.L", "spine04", "spine02", "neck01")]
    top, hem = (float(np.interp(level, range(6), marks)) for level in (high, low))
    rows = int(np.clip(round((top - hem) / 0.03), 6, 26))
    heights = np.linspace(top, hem, rows)
    angles = np.linspace(0, 2 * np.pi, AROUND, endpoint=False) if not gap else np.linspace(gap / 2, 2 * np.pi - gap / 2, AROUND)
    tights = np.unique(base_mesh().faces("helper-tights"))
    trunk = tights[figure.regions.arm[tights] < 0]
    points = figure.vertices[trunk]
    centre = s.head("root")[2]
    radius = np.empty((rows, AROUND))
    for k, y in enumerate(heights):
        near = points[np.abs(points[:, 1] - y) < 0.03]
        around = support((near - [0, 0, centre])[:, [0, 2]], angles) + ease if len(near) else radius[k - 1]
        radius[k] = around if k == 0 else np.maximum(around, 0.985 * radius[k - 1])
    down = (top - heights)[:, None]
    phase = rng.uniform(0, 2 * np.pi)
    waves = np.sin(pleats * angles + phase) + 0.4 * np.sin((pleats // 2 + 1) * angles + 2 * phase)
    radius = radius + flare * down * (1 + 0.25 * waves) + 0.02 * np.clip(down / 0.3, 0, 1) * waves * (flare > 0.1)
    rest = np.stack([radius * np.sin(angles), np.broadcast_to(heights[:, None], radius.shape), centre + radius * np.cos(angles)], axis=-1)
    share = (np.arange(rows) / (rows - 1))[:, None]
    legs = np.clip(down / max(0.05, top - float(s.head("upperleg01.L")[1]) + 0.25), 0, 1) * 0.75 * np.ones_like(radius)
    left = np.clip(0.5 + 1.2 * np.sin(angles)[None] * np.ones_like(share), 0, 1)
    count = rows * AROUND
    names = ("spine05", "upperleg01.L", "upperleg01.R")
    skins = [Skin.rigid(s.index(n), count) for n in names]
    skin = Skin.mixed(skins, np.stack([1 - legs, legs * left, legs * (1 - left)], axis=-1).reshape(count, 3), len(s.names))
    hold = np.where(share < 1.5 / rows, 1.0, 0.10 * (1 - share) ** 2 + 0.012) * np.ones_like(radius)
    return Hung(name, "clothes", rest, not gap, skin, sheet_net(rest, hold, 0.012, closed=not gap), material)


def strip(figure: Figure, material: Material, *, name: str, top: Doubles, length: float, width: float, bone: str, apart: float) -> Hung:
    """A scarf's end: hangs from ``top`` (3,), fixed to a bone, ``apart`` metres from the skin."""
    rows, columns = int(np.clip(round(length / 0.03), 5, 24)), 5
    across = np.linspace(-width / 2, width / 2, columns)
    down = np.linspace(0, length, rows)
    rest = np.stack(np.broadcast_arrays(top[0] + across[None], top[1] - down[:, None], top[2] + 0.012 * np.sin(9 * down)[:, None]), axis=-1)
    hold = np.where(np.arange(rows) < 2, 1.0, 0.01)[:, None] * np.ones((rows, columns))
    skin = Skin.rigid(figure.skeleton.index(bone), rows * columns)
    return Hung(name, "clothes", np.ascontiguousarray(rest), False, skin, sheet_net(rest, hold, apart, closed=False), material)


class Surface:
    """The body's surface at t times, from which hanging cloth and hair are kept away."""

    def __init__(self, figure: Figure, rows: Ints, faces: Ints, more: list[tuple[Doubles, Ints, Skin]] | None = None) -> None:
        self._parts = [(figure.vertices[rows], faces, Skin.of_base(rows)), *(more or [])]

    def shells(self, frames: Frames) -> list[Shell]:
        """One for each time."""
        posed = [(skin.follow(vertices, frames), faces) for vertices, faces, skin in self._parts]
        out = []
        for k in range(len(frames.places)):
            points = np.concatenate([vertices[k] for vertices, _ in posed])
            normals = np.concatenate([vertex_normals(vertices[k], faces) for vertices, faces in posed])
            good = np.abs(normals).sum(axis=1) > 0
            out.append(Shell(points[good], normals[good]))
        return out
