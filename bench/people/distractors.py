"""What looks like people and is none: mannequins, statues, people on posters, and pets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from .actor import make_actor
from .base_mesh import Doubles
from .contract import Actor, Body, Colour, Course, Material, Mesh, Part, Strands
from .draw import draw_colour, draw_person
from .shapes import Solid, ball, cuboid, moved, together, tube
from .skeleton import apply, turned

DistractorKind = Literal["mannequin", "statue", "poster", "pet"]
Rng = np.random.Generator
_STONES: tuple[tuple[Colour, float, float], ...] = (
    ((0.62, 0.60, 0.56), 0.6, 0.0), ((0.30, 0.29, 0.27), 0.75, 0.0), ((0.80, 0.79, 0.77), 0.35, 0.0), ((0.16, 0.10, 0.05), 0.35, 1.0),
)  # fmt: skip


def make_distractor(kind: DistractorKind, seed: int, assets: Path | None = None) -> Actor:
    """kind: see DistractorKind. ValueError names one that is not known; DataMissing where body data is not there."""
    if kind not in get_args(DistractorKind):
        raise ValueError(f"distractor is {kind!r}; allowed are {', '.join(get_args(DistractorKind))}")
    return Pet(seed) if kind == "pet" else Figurine(kind, seed, assets)


class Figurine:
    """A person's shape that never moves, in one stuff or flat on a board."""

    def __init__(self, kind: DistractorKind, seed: int, assets: Path | None) -> None:
        self.kind = kind
        self._rng = np.random.default_rng([seed, 7])
        motion = "stand" if kind == "mannequin" else ("wave", "hands", "stand", "dance", "walk")[int(self._rng.integers(0, 5))]
        person = draw_person([seed, 8], years=(18.0, 60.0), motion=motion, held="", hair="short" if kind == "poster" else "none")  # type: ignore[arg-type]
        body = make_actor(person, assets).at(np.array([0.4]), Course())
        x, z = body.skeleton[0, 0, [0, 2]]
        meshes = [replace(mesh, vertices=mesh.vertices - np.array([x, 0.0, z], np.float32)) for mesh in body.meshes]
        strands = [replace(s, points=s.points - np.array([x, 0.0, z], np.float32)) for s in body.strands]
        self._meshes, self._strands = getattr(self, f"_{kind}")(meshes, strands)

    def at(self, times: Doubles, course: Course) -> Body:
        """The same at all times, where the course begins."""
        turn = turned("y", np.array([course.facings[0]]))
        place = np.array([course.places[0][0], course.height, course.places[0][1]])

        def put(points: Doubles) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
            now = (apply(turn, points.reshape(1, -1, 3).astype(np.float64)) + place).astype(np.float32)
            return np.repeat(now.reshape(1, *points.shape[1:]), len(times), axis=0)

        meshes = tuple(replace(mesh, vertices=put(mesh.vertices)) for mesh in self._meshes)
        return Body(np.asarray(times, np.float64), meshes, tuple(replace(s, points=put(s.points)) for s in self._strands))

    def _mannequin(self, meshes: list[Mesh], strands: list[Strands]) -> tuple[list[Mesh], list[Strands]]:
        shades: tuple[Colour, ...] = ((0.75, 0.74, 0.72), (0.03, 0.03, 0.032), (0.55, 0.36, 0.26), (0.35, 0.35, 0.36))
        plastic = Material("plastic", shades[int(self._rng.integers(0, 4))], roughness=0.25)
        bare = [m.part in ("body", "eyes") for m in meshes]
        kept = [
            replace(m, part="statue", material=plastic if b else m.material, tint=None if b else m.tint)
            for m, b in zip(meshes, bare, strict=True)
        ]
        low = min(float(m.vertices[..., 1].min()) for m in kept)
        foot = _solid("foot", moved(cuboid((0.45, 0.02, 0.45)), (0.0, low - 0.012, 0.0)), METALLIC, "statue")
        return _lifted([*kept, foot], 0.025), []

    def _statue(self, meshes: list[Mesh], strands: list[Strands]) -> tuple[list[Mesh], list[Strands]]:
        colour, roughness, metallic = _STONES[int(self._rng.integers(0, len(_STONES)))]
        stone = Material("stone", colour, roughness=roughness, metallic=metallic)
        high = float(self._rng.choice([0.15, 0.5, 0.9]))
        base = _solid("base", moved(cuboid((0.7, high, 0.7)), (0.0, -high / 2, 0.0)), replace(stone, metallic=0.0), "statue")
        return _lifted([*(replace(m, part="statue", material=stone, tint=None) for m in meshes), base], high), []

    def _poster(self, meshes: list[Mesh], strands: list[Strands]) -> tuple[list[Mesh], list[Strands]]:
        """Pressed flat onto a board: two thousandths of the depth keep what is before what."""
        size = float(self._rng.uniform(0.5, 1.1))
        flat = np.array([size, size, 0.004])
        pressed = [replace(m, part="poster", vertices=(m.vertices * flat).astype(np.float32), thin=True) for m in meshes]
        lines = [replace(s, part="poster", points=(s.points * flat).astype(np.float32)) for s in strands]
        low, high = (np.array(f([f(m.vertices[0], axis=0) for m in pressed], axis=0)) for f in (np.min, np.max))
        middle, extent = (low + high) / 2, (high - low) * [1.25, 1.12, 0] + [0, 0, 0.02]
        board = cuboid((float(extent[0]), float(extent[1]), 0.02), 24)
        sheet = _solid(
            "board",
            moved(board, (float(middle[0]), float(middle[1]), float(low[2]) - 0.012)),
            Material("paper", draw_colour(self._rng, 0.0)),
            "poster",
        )
        up = float(self._rng.uniform(0.0, 0.5)) - float(middle[1] - extent[1] / 2)
        moved_lines = [replace(s, points=s.points + np.array([0, up, 0], np.float32)) for s in lines]
        return _lifted([*pressed, sheet], up), moved_lines


METALLIC = Material("steel", (0.45, 0.45, 0.46), roughness=0.3, metallic=1.0)


def _solid(name: str, solid: Solid, material: Material, part: Part) -> Mesh:
    points = solid[0].astype(np.float32)
    return Mesh(name, part, points[None], solid[1].astype(np.int32), points, material)


def _lifted(meshes: list[Mesh], up: float) -> list[Mesh]:
    return [replace(m, vertices=m.vertices + np.array([0.0, up, 0.0], np.float32)) for m in meshes]


class Pet:
    """A dog or a cat with fur, that stands, breathes and wags, or trots along its course."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng([seed, 9])
        self._size = float(rng.uniform(0.22, 0.65))
        cat = self._size < 0.32
        tone = draw_colour(rng, 0.2)
        grey = float(np.mean(tone))
        # fur is brown, grey, black or white, never green
        self._fur = Material("fur", (min(1.0, grey * 1.15), grey * 0.8, grey * float(rng.uniform(0.4, 0.75))), roughness=0.7)
        h = self._size
        self._snout = 0.10 if cat else 0.22
        trunk = (ball(1.0)[0] * [0.20 * h, 0.22 * h, 0.55 * h] + [0, 0.80 * h, 0], ball(1.0)[1])
        chest = (ball(1.0)[0] * [0.21 * h, 0.27 * h, 0.27 * h] + [0, 0.80 * h, 0.30 * h], ball(1.0)[1])
        neck = tube(np.linspace([0, 0.88 * h, 0.42 * h], [0, 1.16 * h, 0.62 * h], 6), 0.14 * h, 12)
        skull = (ball(1.0)[0] * [0.15 * h, 0.15 * h, 0.18 * h] + [0, 1.22 * h, 0.68 * h], ball(1.0)[1])
        snout = (ball(1.0)[0] * [0.07 * h, 0.07 * h, self._snout * h] + [0, 1.17 * h, 0.82 * h], ball(1.0)[1])
        ears = [
            tube(np.linspace([s * 0.10 * h, 1.32 * h, 0.64 * h], [s * 0.13 * h, (1.5 if cat else 1.42) * h, 0.62 * h], 5), 0.045 * h)
            for s in (1, -1)
        ]
        self._still = together(trunk, chest, neck, skull, snout, *ears)
        self._tail = tube(np.linspace([0, 0.88 * h, -0.52 * h], [0, 1.15 * h, -0.95 * h], 10), 0.035 * h)
        self._legs = []
        for x, z in ((0.12, 0.34), (-0.12, 0.34), (0.12, -0.40), (-0.12, -0.40)):
            path = np.array([[x, 0.72, z], [x, 0.45, z - 0.03], [x, 0.2, z], [x, 0.03, z + 0.01], [x, 0.03, z + 0.08]]) * h
            self._legs.append((tube(path, 0.055 * h, 10), np.array([x, 0.72, z]) * h, 1.0 if x * z > 0 else -1.0))
        self._phase = rng.uniform(0, 2 * np.pi, 3)
        self._hairs(rng)

    def _hairs(self, rng: Rng) -> None:
        vertices, faces = self._still
        pick = rng.integers(0, len(faces), 5200)
        share = rng.dirichlet([1, 1, 1], len(pick))
        corners = vertices[faces[pick]]
        roots = (corners * share[:, :, None]).sum(axis=1)
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
        length = self._size * rng.uniform(0.04, 0.09) * rng.uniform(0.6, 1.2, (len(pick), 1, 1))
        way = np.linspace(0, 1, 5)[None, :, None]
        lie = np.array([0.0, -0.5, -0.8]) + rng.normal(0, 0.25, (len(pick), 1, 3))
        self._strands = roots[:, None] + length * (way * normal[:, None] * (1 - 0.5 * way) + way**1.5 * lie)
        self._radius = np.repeat(np.linspace(0.0011, 0.0002, 5, dtype=np.float32)[None], len(pick), axis=0)

    def at(self, times: Doubles, course: Course) -> Body:
        """Geometry at times (t,) along a course."""
        from .course import Path as Way

        times = np.asarray(times, np.float64)
        places, facings, way = Way.of(course, until=float(times.max(initial=0.0))).at(times)
        turn = turned("y", facings)
        step = 2 * np.pi * way / (1.3 * self._size)
        going = float(len(set(course.places)) > 1)
        bob = 0.012 * self._size * np.sin(2 * step + self._phase[0]) * going + 0.004 * self._size * np.sin(2.2 * times + self._phase[1])
        base = np.column_stack([places[:, 0], course.height + bob, places[:, 1]])

        def put(points: Doubles) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
            return np.asarray(apply(turn[:, None], points) + base[:, None], np.float32)

        meshes = [self._mesh("trunk", put(np.broadcast_to(self._still[0], (len(times), *self._still[0].shape))), self._still)]
        root = np.array([0, 0.88, -0.52]) * self._size
        wag = turned("y", 0.5 * np.sin(9 * times + self._phase[2]))
        meshes.append(self._mesh("tail", put(apply(wag[:, None], (self._tail[0] - root)[None]) + root), self._tail))
        for k, (leg, hip, sign) in enumerate(self._legs):
            swing = turned("x", 0.45 * going * np.sin(step) * sign)
            points = apply(swing[:, None], (leg[0] - hip)[None]) + hip
            # legs bob with the trunk, feet do not go through the ground
            moved_points = put(points)
            moved_points[..., 1] = np.maximum(moved_points[..., 1], course.height + 0.002)
            meshes.append(self._mesh(f"leg {k + 1}", moved_points, leg))
        count, many, _ = self._strands.shape
        lines = put(np.broadcast_to(self._strands.reshape(-1, 3), (len(times), count * many, 3))).reshape(-1, count, many, 3)
        return Body(times, tuple(meshes), (Strands("fur", "pet", lines, self._radius, self._fur),))

    def _mesh(self, name: str, vertices: np.ndarray[tuple[int, ...], np.dtype[np.float32]], solid: Solid) -> Mesh:
        return Mesh(name, "pet", vertices, solid[1].astype(np.int32), solid[0].astype(np.float32), self._fur)
