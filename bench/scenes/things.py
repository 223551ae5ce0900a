"""Things that stand about: furniture, bags, coats on stands, plants, cars. Each is drawn from a generator and stands at the origin."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bench.people import Material, Mesh, Pattern
from bench.scenes import shapes as s

Rng = np.random.Generator
Thing = list[Mesh]


def patterned(rng: Rng, scale: float = 0.1) -> Pattern:
    """Plain mostly, else something with a second colour."""
    kind = rng.choice(["plain", "plain", "noise", "stripes", "checks", "dots"])
    return Pattern(str(kind), float(scale * rng.uniform(0.5, 2)), s.paint(rng))  # type: ignore[arg-type]


def cloth(rng: Rng) -> Material:
    """Some cloth."""
    return s.material(s.paint(rng), 0.9, patterned(rng))


def wood(rng: Rng) -> Material:
    """Some wood, dull or varnished."""
    tone = rng.uniform(0.3, 1.2)
    dark = (0.12 * tone, 0.06 * tone, 0.03 * tone)
    return s.material((0.3 * tone, 0.17 * tone, 0.09 * tone), float(rng.choice([0.4, 0.8])), Pattern("noise", 0.15, dark))


def table(rng: Rng) -> Thing:
    """With four legs."""
    w, d, h = rng.uniform(0.8, 1.8), rng.uniform(0.5, 0.9), rng.uniform(0.5, 0.78)
    legs = [s.box((0.05, h, 0.05), (x * (w / 2 - 0.05), h / 2, z * (d / 2 - 0.05))) for x in (-1, 1) for z in (-1, 1)]
    out = [s.mesh("table", s.joined(s.box((w, 0.04, d), (0, h, 0)), *legs), wood(rng))]
    for k in range(rng.integers(0, 4)):
        r = rng.uniform(0.03, 0.07)
        pot = s.cylinder(r, h + 0.02, h + rng.uniform(0.08, 0.3))
        out.append(s.mesh(f"pot{k}", s.moved(pot, (rng.uniform(-w, w) / 2.6, 0, rng.uniform(-d, d) / 2.6)), s.material(s.paint(rng), 0.3)))
    return out


def chair(rng: Rng) -> Thing:
    """With a back."""
    h, w = rng.uniform(0.42, 0.5), rng.uniform(0.4, 0.5)
    legs = [s.box((0.035, h, 0.035), (x * w * 0.45, h / 2, z * w * 0.45)) for x in (-1, 1) for z in (-1, 1)]
    back = s.box((w, rng.uniform(0.35, 0.55), 0.03), (0, h + 0.28, -w * 0.45))
    return [s.mesh("chair", s.joined(s.box((w, 0.05, w), (0, h, 0)), back, *legs), wood(rng) if rng.random() < 0.5 else cloth(rng))]


def sofa(rng: Rng) -> Thing:
    """Soft, with a coat or a blanket thrown over it sometimes."""
    w = rng.uniform(1.4, 2.2)
    body = s.joined(
        s.box((w, 0.42, 0.8), (0, 0.21, 0)),
        s.box((w, 0.45, 0.22), (0, 0.6, -0.3)),
        *(s.box((0.18, 0.6, 0.8), (x * w / 2, 0.3, 0)) for x in (-1, 1)),
    )
    out = [s.mesh("sofa", body, cloth(rng))]
    for k in range(rng.integers(0, 3)):
        pillow = s.lumpy(s.ball((0.45, 0.42, 0.2), (rng.uniform(-w, w) / 3, 0.6, -0.1)), rng, 0.02, 0.15)
        out.append(s.mesh(f"pillow{k}", pillow, cloth(rng)))
    return out


def shelf(rng: Rng) -> Thing:
    """Full of books."""
    w, h = rng.uniform(0.8, 1.6), rng.uniform(1.2, 2.1)
    boards = [s.box((w, 0.03, 0.3), (0, y, 0)) for y in np.arange(0.05, h + 0.1, 0.35)]
    sides = [s.box((0.03, h, 0.3), (x * w / 2, h / 2, 0)) for x in (-1, 1)]
    out = [s.mesh("shelf", s.joined(*boards, *sides), wood(rng))]
    shades = [s.material(s.paint(rng), 0.7) for _ in range(6)]
    books: list[list[s.Solid]] = [[] for _ in shades]
    for y in np.arange(0.065, h - 0.2, 0.35):
        x = -w / 2 + 0.04
        while x < w / 2 - 0.1:
            thick, tall = rng.uniform(0.015, 0.06), rng.uniform(0.17, 0.3)
            if rng.random() < 0.85:
                books[rng.integers(len(shades))].append(s.box((thick, tall, 0.2), (x + thick / 2, y + tall / 2, 0.03)))
            x += thick + 0.003
    return out + [s.mesh(f"books{k}", s.joined(*b), look) for k, (b, look) in enumerate(zip(books, shades, strict=True)) if b]


def coat_stand(rng: Rng) -> Thing:
    """A coat as it hangs on a stand, often with a hat on top: as tall as a person, and of a person's outline."""
    tall = rng.uniform(1.5, 1.85)
    out = [s.mesh("stand", s.joined(s.cylinder(0.02, 0, tall), s.cylinder(0.2, 0, 0.03)), wood(rng))]
    shoulder = tall - 0.15
    length = rng.uniform(0.7, 1.15)
    height = np.linspace(0, 1, 24)
    wide = 0.09 + 0.14 * np.minimum(1, height * 6) + rng.uniform(0.0, 0.1) * height
    points, faces = s.revolved(np.stack([wide, shoulder - length * height], 1)[::-1], 72)
    angle = np.arctan2(points[:, 2], points[:, 0])
    folds = 1 + 0.09 * np.sin(angle * rng.integers(7, 13) + rng.uniform(0, 6)) * np.clip((shoulder - points[:, 1]) / length, 0, 1)
    points = points * np.stack([folds * 1.05, np.ones_like(folds), folds * 0.6], 1)
    out.append(s.mesh("coat", (points.astype(np.float32), faces), cloth(rng)))
    if rng.random() < 0.6:
        hat = np.array([(0.19, 0.0), (0.19, 0.01), (0.1, 0.02), (0.1, 0.1), (0.07, 0.14), (1e-3, 0.15)])
        hat[:, 1] += tall - 0.02
        out.append(s.mesh("hat", s.revolved(hat, 32), cloth(rng)))
    return out


def bags(rng: Rng) -> Thing:
    """Shopping and travelling bags, some with handles."""
    out: Thing = []
    for k in range(rng.integers(2, 6)):
        w, h, d = rng.uniform(0.25, 0.5), rng.uniform(0.3, 0.7), rng.uniform(0.12, 0.3)
        where = (rng.uniform(-0.6, 0.6), 0.0, rng.uniform(-0.3, 0.3))
        body = (
            s.lumpy(s.ball((w * 1.2, h, d * 1.3), (0, h / 2, 0), 32), rng, 0.03, 0.2)
            if rng.random() < 0.4
            else s.box((w, h, d), (0, h / 2, 0))
        )
        turn = np.linspace(0, np.pi, 16)
        handle = [s.ball((0.02, 0.02, 0.02), (0.1 * np.cos(a), h + 0.14 * np.sin(a), 0), 6) for a in turn]
        out.append(s.mesh(f"bag{k}", s.moved(s.joined(body, *handle), where, rng.uniform(-0.8, 0.8)), cloth(rng)))
    return out


def plant(rng: Rng) -> Thing:
    """A pot with leaves."""
    high = rng.uniform(0.5, 1.7)
    pot = s.revolved(np.array([(1e-3, 0), (0.13, 0), (0.18, 0.3), (0.16, 0.3), (1e-3, 0.27)]))
    return [
        s.mesh("pot", pot, s.material(s.paint(rng), 0.6)),
        *foliage(rng, int(rng.integers(120, 400)), (0.35, high * 0.5, 0.35), (0, 0.3 + high / 2, 0), 0.12),
    ]


def foliage(rng: Rng, count: int, spread: s.Vector, centre: s.Vector, leaf: float) -> Thing:
    """Leaves about a centre, as single sheets."""
    way = rng.normal(size=(count, 3))
    middle = way / np.linalg.norm(way, axis=1, keepdims=True) * rng.uniform(0.3, 1, (count, 1)) * np.asarray(spread) + np.asarray(centre)
    u = rng.normal(size=(count, 3))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    v = np.cross(u, rng.normal(size=(count, 3)))
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    size = leaf * rng.uniform(0.5, 1.3, (count, 1))
    corners = np.stack([middle - u * size, middle - v * size * 0.35, middle + u * size, middle + v * size * 0.35], 1).reshape(-1, 3)
    k = np.arange(count)[:, None] * 4
    faces = np.concatenate([k + np.array([0, 1, 2]), k + np.array([0, 2, 3])]).astype(np.int32)
    green = (rng.uniform(0.03, 0.2), rng.uniform(0.12, 0.3), rng.uniform(0.01, 0.08))
    look = s.material(green, 0.7, Pattern("noise", 0.3, (green[0] * 2, green[1] * 0.8, green[2])))
    return [s.mesh("leaves", (corners.astype(np.float32), faces), look)]


def tree(rng: Rng) -> Thing:
    """A trunk, boughs and leaves."""
    high, thick = rng.uniform(4, 9), rng.uniform(0.1, 0.35)
    height = np.linspace(0, 1, 20)
    trunk = s.revolved(np.stack([thick * (1.25 - height) * (1 + 0.6 * np.exp(-height * 18)), high * height], 1), 18)
    bark = s.material((0.12, 0.08, 0.05), 0.95, Pattern("noise", 0.12, (0.03, 0.02, 0.015)))
    out = [s.mesh("trunk", s.lumpy(trunk, rng, thick * 0.5, 0.6), bark)]
    for _ in range(rng.integers(3, 6)):
        centre = (rng.uniform(-1.2, 1.2), high * rng.uniform(0.55, 1.0), rng.uniform(-1.2, 1.2))
        out += foliage(rng, int(rng.integers(400, 900)), (1.3, 0.9, 1.3), centre, 0.16)
    return out


def bush(rng: Rng) -> Thing:
    """Leaves down to the ground."""
    h = rng.uniform(0.5, 1.6)
    return foliage(rng, int(rng.integers(500, 1200)), (h * 0.6, h / 2, h * 0.6), (0, h / 2, 0), 0.09)


def car(rng: Rng) -> Thing:
    """Parked."""
    length, w = rng.uniform(3.8, 4.8), 1.75
    side = np.array([(-0.5, 0.25), (-0.5, 0.75), (-0.22, 0.85), (-0.1, 1.4), (0.28, 1.42), (0.44, 0.9), (0.5, 0.8), (0.5, 0.25)]) * [
        length,
        1,
    ]
    x, y = side.T
    left, right = np.stack([x, y, np.full_like(x, -w / 2)], 1), np.stack([x, y, np.full_like(x, w / 2)], 1)
    n = len(x)
    around = [[k, (k + 1) % n, n + (k + 1) % n] for k in range(n)] + [[k, n + (k + 1) % n, n + k] for k in range(n)]
    caps = [[0, k, k + 1] for k in range(1, n - 1)] + [[n, n + k + 1, n + k] for k in range(1, n - 1)]
    shell = np.concatenate([left, right])
    faces = np.asarray(around + caps)
    # corners of their own for each face: sheet metal has edges
    body = (shell[faces].reshape(-1, 3).astype(np.float32), np.arange(faces.size).reshape(-1, 3).astype(np.int32))
    glass = [s.box((length * 0.3, 0.36, 0.02), (length * 0.08, 1.15, z * (w / 2 + 0.005))) for z in (-1, 1)]
    wheels = []
    for cx in (-0.32, 0.32):
        for z in (-1, 1):
            p, f = s.cylinder(0.32, -0.1, 0.1)
            wheels.append((np.stack([p[:, 0] + cx * length, p[:, 2] + 0.32, p[:, 1] + z * (w / 2 - 0.05)], 1).astype(np.float32), f))
    return [
        s.mesh("car", body, s.material(s.paint(rng), 0.25)),
        s.mesh("glass", s.joined(*glass), s.material((0.02, 0.02, 0.025), 0.05)),
        s.mesh("wheels", s.joined(*wheels), s.material((0.02, 0.02, 0.02), 0.8)),
    ]


def lamp_post(rng: Rng) -> Thing:
    """A street's lamp (its light is a place's affair)."""
    return [s.mesh("post", s.joined(s.cylinder(0.06, 0, 4.2), s.box((0.8, 0.06, 0.15), (0.35, 4.2, 0))), s.material((0.1, 0.1, 0.1), 0.4))]


def speaker(rng: Rng) -> Thing:
    """A loudspeaker on a tripod."""
    h = rng.uniform(1.2, 1.8)
    return [
        s.mesh("tripod", s.joined(s.cylinder(0.02, 0, h), s.cylinder(0.25, 0, 0.02)), s.material((0.05, 0.05, 0.05), 0.4)),
        s.mesh("speaker", s.box((0.35, 0.6, 0.35), (0, h + 0.3, 0)), s.material((0.03, 0.03, 0.03), 0.6)),
    ]


def microphone(rng: Rng) -> Thing:
    """On a stand: thin before a face."""
    h = rng.uniform(1.3, 1.6)
    parts = s.joined(s.cylinder(0.012, 0, h), s.cylinder(0.14, 0, 0.02), s.ball((0.06, 0.08, 0.06), (0, h + 0.03, 0)))
    return [s.mesh("microphone", parts, s.material((0.1, 0.1, 0.1), 0.3))]


def crates(rng: Rng) -> Thing:
    """Piled."""
    out: Thing = []
    y = 0.0
    for k in range(rng.integers(1, 4)):
        h = rng.uniform(0.25, 0.5)
        crate = s.box((rng.uniform(0.4, 0.8), h, rng.uniform(0.4, 0.7)), (0, y + h / 2, 0))
        out.append(s.mesh(f"crate{k}", s.moved(crate, (0, 0, 0), rng.uniform(-0.3, 0.3)), wood(rng)))
        y += h
    return out


def bin_(rng: Rng) -> Thing:
    """For rubbish, with a full sack beside it."""
    can = s.revolved(np.array([(1e-3, 0), (0.25, 0), (0.3, 0.9), (0.31, 0.95), (1e-3, 1.0)]))
    sack = s.lumpy(s.ball((0.6, 0.7, 0.5), (0.55, 0.33, 0.1), 40), rng, 0.05, 0.15)
    return [s.mesh("bin", can, s.material(s.paint(rng), 0.5)), s.mesh("sack", sack, s.material(s.paint(rng, high=0.2), 0.35))]


def balloons(rng: Rng) -> Thing:
    """A bunch, heads high."""
    out: Thing = []
    for k in range(rng.integers(3, 7)):
        at = (rng.uniform(-0.35, 0.35), rng.uniform(1.2, 1.9), rng.uniform(-0.3, 0.3))
        thread = s.moved(s.cylinder(0.003, 0.0, at[1] - 0.15, 6), (at[0], 0.0, at[2]))
        balloon = s.joined(s.ball((0.26, 0.32, 0.26), at), thread)
        out.append(s.mesh(f"balloon{k}", balloon, s.material(s.paint(rng, saturation=0.9), 0.2)))
    return out


#: name -> (maker, radius of the ground that it takes in metres)
THINGS: dict[str, tuple[Callable[[Rng], Thing], float]] = {
    "table": (table, 0.9),
    "chair": (chair, 0.35),
    "sofa": (sofa, 1.1),
    "shelf": (shelf, 0.8),
    "coat_stand": (coat_stand, 0.35),
    "bags": (bags, 0.8),
    "plant": (plant, 0.4),
    "tree": (tree, 0.5),
    "bush": (bush, 0.9),
    "car": (car, 2.2),
    "lamp_post": (lamp_post, 0.2),
    "speaker": (speaker, 0.4),
    "microphone": (microphone, 0.2),
    "crates": (crates, 0.5),
    "bin": (bin_, 0.7),
    "balloons": (balloons, 0.5),
}
