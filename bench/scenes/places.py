"""Where scenes happen. A place is a function of a generator; a new one is a new function in `PLACES` (docs/bench/scenes.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bench.people import Material, Mesh, Pattern
from bench.scenes import shapes as s
from bench.scenes.contract import Lamp, Place, Prop, World
from bench.scenes.things import THINGS, Rng, Thing, cloth, foliage, patterned, wood

#: environment pictures that bpy ships (datafiles/studiolights/world), from HDRI Haven, CC0
ENVIRONMENTS = ("city", "courtyard", "forest", "interior", "night", "studio", "sunrise", "sunset")
ENVIRONMENT_LICENCE = "environment picture {}: HDRI Haven by way of bpy's datafiles/studiolights/world, CC0"


@dataclass
class Ground:
    """Collects props and what they take of the ground."""

    rng: Rng
    props: list[Prop] = field(default_factory=list)
    solid: list[tuple[float, float, float]] = field(default_factory=list)

    def put(self, thing: Thing, x: float = 0.0, z: float = 0.0, turn: float = 0.0) -> None:
        """Stands meshes at a place."""
        for part in thing:
            points, faces = s.moved((part.vertices[0], part.faces), (x, 0, z), turn)
            name = f"{part.name}_{len(self.props)}"
            self.props.append(Prop(replace(part, name=name, vertices=points[None], faces=faces)))

    def add(self, name: str, solid: s.Solid, look: Material, **more: object) -> None:
        """One solid as it is."""
        self.props.append(Prop(s.mesh(f"{name}_{len(self.props)}", solid, look), **more))  # type: ignore[arg-type]

    def scatter(self, kinds: Sequence[str], count: int, near: tuple[float, float], angle: float) -> None:
        """Things at random places between two distances within +-angle degrees of the axis, apart from each other."""
        for _ in range(count):
            make, radius = THINGS[str(self.rng.choice(list(kinds)))]
            for _ in range(12):
                far, way = self.rng.uniform(*near), np.radians(self.rng.uniform(-angle, angle))
                x, z = float(far * np.sin(way)), float(-far * np.cos(way))
                if all(np.hypot(x - a, z - b) > radius + r for a, b, r in self.solid) and np.hypot(x, z) > radius + 0.7:
                    self.put(make(self.rng), x, z, float(self.rng.uniform(-np.pi, np.pi)))
                    self.solid.append((x, z, radius))
                    break

    def place(self, name: str, world: World, **more: object) -> Place:
        """Done."""
        return Place(name, tuple(self.props), world, solid=tuple(self.solid), **more)  # type: ignore[arg-type]


def floor(ground: Ground, look: Material, reach: float = 40.0) -> None:
    """The ground as far as one sees."""
    ground.add("ground", s.box((2 * reach, 0.1, 2 * reach), (0, -0.05, 0)), look)


def walls(ground: Ground, size: tuple[float, float, float], look: Material, *, ceiling: bool = True, window: bool = True) -> None:
    """A room of (width, height, depth) whose back wall is 1.6 m behind the camera, with a window in its left wall."""
    w, h, d = size
    back = 1.6
    middle = back - d / 2
    ground.add("wall", s.box((w, h, 0.1), (0, h / 2, back - d)), look)
    ground.add("wall", s.box((w, h, 0.1), (0, h / 2, back)), look)
    ground.add("wall", s.box((0.1, h, d), (w / 2, h / 2, middle)), look)
    if window:
        frame, sill, top = min(2.0, d / 3), 0.9, h - 0.4
        z = middle
        parts = [
            s.box((0.1, sill, d), (-w / 2, sill / 2, middle)),
            s.box((0.1, h - top, d), (-w / 2, (h + top) / 2, middle)),
            s.box((0.1, top - sill, d / 2 - frame / 2), (-w / 2, (top + sill) / 2, z - frame / 2 - (d / 2 - frame / 2) / 2)),
            s.box((0.1, top - sill, d / 2 - frame / 2), (-w / 2, (top + sill) / 2, z + frame / 2 + (d / 2 - frame / 2) / 2)),
            s.box((0.06, top - sill, 0.05), (-w / 2, (top + sill) / 2, z)),
        ]
        ground.add("wall", s.joined(*parts), look)
    else:
        ground.add("wall", s.box((0.1, h, d), (-w / 2, h / 2, middle)), look)
    if ceiling:
        ground.add("ceiling", s.box((w, 0.1, d), (0, h, middle)), s.material((0.7, 0.7, 0.68), 0.95))


def curtain(rng: Rng, width: float, height: float, look: Material) -> Mesh:
    """A hanging sheet with folds, its middle at the origin."""
    across, down = int(width * 40), 12
    x, y = np.meshgrid(np.linspace(-width / 2, width / 2, across), np.linspace(height, 0.02, down))
    z = 0.06 * np.sin(x * rng.uniform(18, 30) + 0.6 * np.sin(x * 3)) * (0.6 + 0.4 * (1 - y / height))
    return s.mesh("curtain", (np.stack([x, y, z], -1).reshape(-1, 3).astype(np.float32), s.sheet(across, down)), look)


def environment(rng: Rng, names: Sequence[str], strength: float = 1.0) -> tuple[World, str]:
    """One of bpy's pictures, turned at random, and its licence's words."""
    name = str(rng.choice(list(names)))
    return World("picture", strength, name, float(rng.uniform(0, 2 * np.pi))), ENVIRONMENT_LICENCE.format(name)


def bare(rng: Rng) -> Place:
    """Plain ground before an environment picture."""
    g = Ground(rng)
    floor(g, s.material(s.paint(rng, saturation=0.2, low=0.1, high=0.4), 0.9, Pattern("noise", 0.3, s.paint(rng, saturation=0.2))), 12.0)
    g.scatter(["crates", "plant", "chair", "bags"], int(rng.integers(1, 5)), (2.5, 6), 60)
    world, licence = environment(rng, ENVIRONMENTS)
    return g.place("bare", world, free=(-3, 3, -6, -0.8), licences=("procedural: CC0", licence), tags=("light:all_sides",))


def room(rng: Rng) -> Place:
    """A furnished room with a window and ceiling lamps."""
    g = Ground(rng)
    size = (float(rng.uniform(4.5, 8)), float(rng.uniform(2.5, 3.2)), float(rng.uniform(5, 9)))
    floor(g, wood(rng) if rng.random() < 0.6 else cloth(rng), 10.0)
    walls(g, size, s.material(s.paint(rng, saturation=0.3, low=0.2), 0.95, patterned(rng, 0.3)))
    far = 1.6 - size[2]
    for x in np.arange(-size[0] / 2 + 0.8, size[0] / 2 - 0.5, 1.7):
        kind = str(rng.choice(["shelf", "sofa", "plant", "coat_stand", "table"]))
        if rng.random() < 0.75:
            g.put(THINGS[kind][0](rng), float(x), far + 0.55)
    g.scatter(["table", "chair", "bags", "plant", "coat_stand", "sofa", "balloons"], int(rng.integers(5, 11)), (1.2, size[2] - 2.2), 75)
    warm = (1.0, float(rng.uniform(0.7, 0.95)), float(rng.uniform(0.45, 0.85)))
    lamps = tuple(Lamp("area", float(rng.uniform(40, 120)), (x, size[1] - 0.1, -2.0), (x, 0, -2.0), warm, 0.8) for x in (-1.2, 1.2))
    world, licence = environment(rng, ("city", "courtyard", "forest", "sunrise"), float(rng.uniform(1, 4)))
    half = size[0] / 2 - 0.6
    return g.place(
        "room", world, lamps=lamps, free=(-half, half, far + 1.2, -0.7), licences=("procedural: CC0", licence), tags=("light:mixed",)
    )


def street(rng: Rng) -> Place:
    """Pavement and house fronts under a sky with a hard sun."""
    g = Ground(rng)
    floor(g, s.material((0.16, 0.16, 0.16), 0.95, Pattern("noise", 0.05, (0.09, 0.09, 0.09))))
    far = float(rng.uniform(-12, -7))
    g.add(
        "pavement",
        s.box((60, 0.12, 3), (0, 0.02, far + 1.5)),
        s.material((0.3, 0.29, 0.27), 0.95, Pattern("checks", 0.5, (0.25, 0.24, 0.22))),
    )
    x = -24.0
    while x < 24:
        w, h = rng.uniform(4, 9), rng.uniform(5, 14)
        front = s.material(s.paint(rng, saturation=0.35, low=0.1), 0.95, Pattern("noise", 0.2, s.paint(rng, saturation=0.3, low=0.08)))
        g.add("house", s.box((w, h, 4), (x + w / 2, h / 2, far - 2)), front)
        panes = [
            s.box((0.9, 1.3, 0.04), (wx, wy, far)) for wx in np.arange(x + 0.9, x + w - 0.6, 1.7) for wy in np.arange(1.6, h - 0.8, 2.6)
        ]
        g.add("panes", s.joined(*panes), s.material((0.03, 0.04, 0.05), 0.08))
        x += w
    g.scatter(["car", "lamp_post", "bin", "tree", "bush", "crates"], int(rng.integers(4, 9)), (3.5, -far - 1.5), 75)
    height = float(rng.uniform(0.25, 1.1))
    turn = float(rng.uniform(-np.pi, np.pi))
    sun = (20 * np.cos(height) * np.sin(turn), 20 * np.sin(height), 20 * np.cos(height) * np.cos(turn))
    lamps = (Lamp("sun", float(rng.uniform(2, 5)), (float(sun[0]), float(sun[1]), float(sun[2])), (0, 0, 0), (1.0, 0.93, 0.82), 0.0093),)
    sky = World("sky", float(rng.uniform(0.06, 0.12)), elevation=height, turn=turn)
    return g.place("street", sky, lamps=lamps, free=(-4, 4, far + 1, -0.7), tags=("light:hard_sun",))


def woods(rng: Rng) -> Place:
    """Trees and undergrowth; leaves before people, too."""
    g = Ground(rng)
    floor(g, s.material((0.1, 0.09, 0.04), 0.98, Pattern("noise", 0.25, (0.05, 0.09, 0.02))))
    g.scatter(["tree"], int(rng.integers(10, 18)), (3.5, 14), 88)
    g.scatter(["bush"], int(rng.integers(6, 14)), (2.0, 10), 85)
    grass = foliage(rng, 2500, (6, 0.1, 6), (0, 0.08, -4), 0.09)
    g.put(grass)
    world, licence = environment(rng, ("forest", "sunset", "sunrise", "courtyard"))
    return g.place("woods", world, free=(-3, 3, -7, -0.8), licences=("procedural: CC0", licence), tags=("light:all_sides", "foliage"))


def stage(rng: Rng) -> Place:
    """Spots from above, dark curtains, loudspeakers and microphones."""
    g = Ground(rng)
    floor(g, s.material((0.05, 0.045, 0.04), 0.35), 12.0)
    g.add("ceiling", s.box((24, 0.1, 24), (0, 5.2, 0)), s.material((0.01, 0.01, 0.01), 0.95))
    g.put([curtain(rng, 14, 5, s.material(s.paint(rng, saturation=0.8, low=0.02, high=0.12), 0.9))], 0, -7)
    for x in (-6.5, 6.5):
        g.put([curtain(rng, 9, 5, s.material((0.02, 0.02, 0.02), 0.95))], x, -3, np.pi / 2)
    g.scatter(["speaker", "microphone", "crates", "chair"], int(rng.integers(3, 7)), (1.2, 6), 60)
    lamps = []
    for _ in range(int(rng.integers(2, 5))):
        tone = 0.3 + 0.7 * rng.dirichlet([1, 1, 1]) * 2
        place = (float(rng.uniform(-4, 4)), 4.5, float(rng.uniform(-3, 1)))
        colour = (float(min(tone[0], 1)), float(min(tone[1], 1)), float(min(tone[2], 1)))
        lamps.append(
            Lamp(
                "spot",
                float(rng.uniform(300, 900)),
                place,
                (float(rng.uniform(-1.5, 1.5)), 1.0, -3.0),
                colour,
                0.15,
                float(rng.uniform(0.6, 1.2)),
            )
        )
    dark = World("colour", float(rng.uniform(0.01, 0.05)), colour=(0.7, 0.8, 1.0))
    return g.place("stage", dark, lamps=tuple(lamps), free=(-3, 3, -6, -0.8), tags=("light:spots", "background:dark"))


def green_screen(rng: Rng) -> Place:
    """A green cloth that turns from wall into floor, lit unevenly, with stands at its sides."""
    g = Ground(rng)
    turn = np.linspace(0, np.pi / 2, 12)
    bend = np.concatenate([[(2.0, 0.0)], np.stack([-4.5 - np.sin(turn), 1 - np.cos(turn)], 1), [(-5.5, 4.0)]])
    x = np.linspace(-6, 6, 60)
    points = np.stack([np.broadcast_to(x, (len(bend), 60)), np.repeat(bend[:, 1:], 60, 1), np.repeat(bend[:, :1], 60, 1)], -1).reshape(
        -1, 3
    )
    points[:, 2] += 0.02 * np.sin(points[:, 0] * 5 + points[:, 1] * 2) * (points[:, 1] > 0.5)
    green = (0.04, float(rng.uniform(0.3, 0.5)), float(rng.uniform(0.04, 0.1)))
    g.add("cloth", (points.astype(np.float32), s.sheet(60, len(bend))), s.material(green, 0.9))
    g.add("hall", s.box((20, 0.1, 20), (0, -0.1, 0)), s.material((0.2, 0.2, 0.2), 0.8))
    g.add("ceiling", s.box((20, 0.1, 20), (0, 5.5, 0)), s.material((0.1, 0.1, 0.1), 0.9))
    for side in (-1, 1):
        g.add("wall", s.box((0.1, 5.6, 20), (side * 7.0, 2.7, 0)), s.material((0.25, 0.25, 0.24), 0.9))
    for side in (-1, 1):
        g.put(THINGS["speaker"][0](rng), side * float(rng.uniform(2.5, 4)), -3.0)
    lamps = tuple(Lamp("area", float(rng.uniform(150, 500)), (x, 3.2, -0.5), (x / 3, 1, -4), (1, 1, 1), 1.2) for x in (-3.0, 3.0))
    return g.place("green_screen", World("colour", 0.15), lamps=lamps, free=(-2, 2, -4.2, -0.8), tags=("light:studio", "background:green"))


def night(rng: Rng) -> Place:
    """A street under few lamps, wet sometimes."""
    day = street(rng)
    wet = bool(rng.random() < 0.5)
    props = list(day.props)
    if wet:
        ground = props[0]
        props[0] = replace(
            ground, mesh=replace(ground.mesh, material=s.material((0.05, 0.05, 0.055), 0.12, Pattern("noise", 0.4, (0.03, 0.03, 0.03))))
        )
    lamps = []
    for _ in range(int(rng.integers(2, 5))):
        at = (float(rng.uniform(-6, 6)), 4.0, float(rng.uniform(-8, 0)))
        lamps.append(
            Lamp(
                "point",
                float(rng.uniform(150, 500)),
                at,
                (at[0], 0, at[2] - 0.01),
                (1.0, float(rng.uniform(0.55, 0.95)), float(rng.uniform(0.2, 0.9))),
                0.12,
            )
        )
    world, licence = environment(rng, ("night",), float(rng.uniform(0.2, 0.8)))
    tags = ("light:night", *(("ground:wet",) if wet else ()))
    return replace(day, name="night", props=tuple(props), world=world, lamps=tuple(lamps), tags=tags, licences=("procedural: CC0", licence))


def mirror_hall(rng: Rng) -> Place:
    """A room with a mirror and a shining floor: people are seen twice, and the second is no person."""
    place = room(rng)
    g = Ground(rng, list(place.props), list(place.solid))
    far = place.free[2] - 1.2
    g.add(
        "mirror",
        s.box((float(rng.uniform(1.2, 2.4)), 1.9, 0.03), (float(rng.uniform(-1, 1)), 1.15, far + 0.12)),
        Material("mirror", (0.9, 0.9, 0.9), 0.02, metallic=1.0),
    )
    return replace(place, name="mirror_hall", props=tuple(g.props), tags=(*place.tags, "mirror"))


def with_movers(place: Place, rng: Rng) -> Place:
    """The place with one or two things that move and are nobody: what sways, a ball that rolls, a car that passes."""
    out: list[Prop] = []
    for k in range(int(rng.integers(1, 3))):
        kinds = ("balloons", "bush", "ball", *(("car",) if place.name in ("street", "night") else ()))
        kind = str(rng.choice(kinds))
        if kind == "car":
            at = (float(rng.uniform(-3, 3)), 0.0, place.free[2] + 0.3)
            motion: dict[str, Any] = {"velocity": (float(rng.choice([-1, 1]) * rng.uniform(2, 8)), 0.0, 0.0)}
        else:
            at = (float(rng.choice([-1, 1]) * rng.uniform(1.2, 2.8)), 0.0, float(rng.uniform(-5, -2)))
            motion = {"swing_m": float(rng.uniform(0.05, 0.2)), "swing_hz": float(rng.uniform(0.3, 1.2))}
        if kind == "ball":
            motion = {"velocity": (float(rng.normal(0, 1.2)), 0.0, float(rng.normal(0, 0.4)))}
            parts: Thing = [s.mesh("ball", s.ball((0.24, 0.24, 0.24), (0, 0.12, 0)), s.material(s.paint(rng), 0.5, patterned(rng)))]
        else:
            parts = THINGS[kind][0](rng)
        for part in parts:
            points, faces = s.moved((part.vertices[0], part.faces), at)
            out.append(Prop(replace(part, name=f"{part.name}_mover{k}", vertices=points[None], faces=faces), role="mover", **motion))
    return replace(place, props=(*place.props, *out))


PLACES: dict[str, Callable[[Rng], Place]] = {
    "bare": bare,
    "room": room,
    "street": street,
    "woods": woods,
    "stage": stage,
    "green_screen": green_screen,
    "night": night,
    "mirror_hall": mirror_hall,
}
