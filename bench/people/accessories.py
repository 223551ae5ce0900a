"""Hats, glasses, bags and things in the hand: solids fixed to bones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from .base_mesh import Doubles, base_mesh
from .cloth import Worn, border, clip, smoothed
from .contract import Garment, Material, Part
from .hair import Head
from .hanging import support
from .regions import Figure, compact, vertex_normals
from .shapes import Solid, ball, box, cuboid, cylinder, moved, ribbon, together, torus_faces, tube, turned_profile
from .skeleton import Skin, unit

Rng = np.random.Generator
METAL = Material("metal", (0.5, 0.5, 0.52), roughness=0.25, metallic=1.0)
WOOD = Material("wood", (0.22, 0.11, 0.045), roughness=0.6)
LENS = Material("lens", (0.9, 0.9, 0.92), roughness=0.05, transparency=0.85)
DARK_LENS = Material("dark lens", (0.02, 0.02, 0.022), roughness=0.05, transparency=0.15)


def fixed(name: str, part: Part, solid: Solid, bone: int, material: Material) -> Worn:
    """A solid that follows one bone."""
    return Worn(name, part, solid[0], solid[1], Skin.rigid(bone, len(solid[0])), material)


def hat(figure: Figure, garment: Garment) -> tuple[list[Worn], float]:
    """beanie, cap or brim: the skull's own surface, lifted and smoothed, and a brim. Gives the rim's height in metres, too."""
    head = Head.of(figure)
    bone = figure.skeleton.index("head")
    rim = float(head.centre[1] + (0.42 if garment.kind != "hat beanie" else 0.3) * head.tall)
    rows, faces = compact(base_mesh().faces("body"))
    points = figure.vertices[rows]
    # lower at the back than at the forehead
    field = points[:, 1] - rim - 0.28 * (points[:, 2] - head.centre[2])
    faces, pairs, share = clip(faces, np.where(points[:, 1] > head.centre[1] - head.tall, field, -1.0))
    vertices = points[pairs[:, 0]] * (1 - share)[:, None] + points[pairs[:, 1]] * share[:, None]
    held = np.zeros(len(vertices))
    held[border(faces)] = 1.0
    crown = smoothed(vertices, faces, 6, held)
    thick = garment.option("thick", 0.012)
    tall = garment.option("tall", 0.0)
    lifted = crown + vertex_normals(crown, faces) * thick
    lifted[:, 1] += tall * np.clip((lifted[:, 1] - rim) / (0.6 * head.tall), 0, 1)
    out = [fixed("hat", "hat", (lifted, faces), bone, garment.material)]
    brim = garment.option("brim", 0.0)
    if brim > 0:
        angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        ring = vertices[border(faces)]
        reach = support((ring - head.centre)[:, [0, 2]], angles) + 0.5 * thick
        width = brim * (np.clip(np.cos(angles) * 1.6 - 0.35, 0, 1) if garment.kind == "hat cap" else 1.0 + 0 * angles)
        rows_of = [
            (reach - 0.012, 0.004),
            (reach + 0.5 * width, 0.002),
            (reach + width, -0.006),
            (reach + width, -0.010),
            (reach - 0.012, -0.003),
        ]
        z = reach * np.cos(angles)
        height = rim + 0.28 * z
        loops = [np.stack([r * np.sin(angles), height + lift + 0 * r, r * np.cos(angles)], axis=-1) for r, lift in rows_of]
        loops = [loop + [head.centre[0], 0.0, head.centre[2]] for loop in loops]
        out.append(fixed("brim", "hat", loft(loops), bone, garment.material))
    return out, rim


def loft(loops: list[Doubles]) -> Solid:
    """Closed loops (k, 3) joined to a closed tube, from the inner upper one outward and back below."""
    return np.concatenate(loops), torus_faces(len(loops), len(loops[0]))


def glasses(figure: Figure, garment: Garment) -> list[Worn]:
    """Two lenses in frames, a bridge, and temples to the ears."""
    s, head = figure.skeleton, Head.of(figure)
    bone = s.index("head")
    eyes = np.unique(base_mesh().faces("helper-l-eye"))
    eye = figure.vertices[eyes]
    middle = np.array([eye[:, 0].mean(), eye[:, 1].mean(), eye[:, 2].max()])
    size = 0.62 * float(middle[0])
    wide, high = size * garment.option("wide", 1.0), size * garment.option("high", 0.8)
    turn = np.linspace(0, 2 * np.pi, 33)
    frames: list[Solid] = []
    lenses: list[Solid] = []
    for sign in (1.0, -1.0):
        centre = middle * [sign, 1, 1] + [0.0, -0.004, 0.014]
        rim = centre + np.stack(
            [wide * _rounded(np.cos(turn)), high * _rounded(np.sin(turn)), -0.12 * wide * (1 + sign * np.cos(turn))], axis=-1
        )
        frames.append(tube(rim, 0.0022, 6))
        lens = np.concatenate([rim[:-1], [rim[:-1].mean(axis=0)]])
        fan = np.array([[32, k, (k + 1) % 32] for k in range(32)])
        lenses.append((lens, fan))
        hinge = centre + [sign * wide, 0.3 * high, -0.24 * wide]
        ear = np.array([sign * (head.radius + 0.006), middle[1] + 0.004, head.centre[2] - 0.012])
        frames.append(tube(np.linspace(hinge, ear, 8), 0.0022, 6))
    inner = middle[0] - wide
    bridge = middle * [0, 1, 1] + [0.0, 0.25 * high, 0.016]
    frames.append(tube(bridge + np.linspace(-inner, inner, 6)[:, None] * [1.0, 0.0, 0.0], 0.0022, 6))
    lens_material = DARK_LENS if garment.option("dark", 0.0) else LENS
    out = [fixed("glasses", "glasses", together(*frames), bone, garment.material)]
    out.append(replace(fixed("lenses", "glasses", together(*lenses), bone, lens_material), thin=True))
    return out


def _rounded(x: Doubles) -> Doubles:
    return np.asarray(np.sign(x) * np.abs(x) ** 0.75)


def bag(figure: Figure, garment: Garment, bulk: float) -> list[Worn]:
    """A backpack, or a bag at the hip on a strap over the other shoulder. bulk: metres of clothes beneath."""
    s = figure.skeleton
    scale = figure.height / 1.75
    tights = np.unique(base_mesh().faces("helper-tights"))
    trunk = figure.vertices[tights[figure.regions.arm[tights] < 0]]
    if garment.kind == "bag back":
        middle = (s.head("spine01") + s.head("spine03")) / 2
        near = trunk[np.abs(trunk[:, 1] - middle[1]) < 0.12 * scale]
        back = float(near[:, 2].min())
        size = (0.29 * scale, garment.option("high", 0.42) * scale, garment.option("deep", 0.15) * scale)
        body = moved(box(size, round_to=5), (0.0, float(middle[1]), back - size[2] / 2 - bulk))
        pocket = moved(
            box((0.2 * scale, 0.16 * scale, 0.05 * scale), round_to=5), (0.0, float(middle[1]) - 0.1 * scale, back - size[2] - bulk - 0.01)
        )
        straps = [_strap(figure, sign * 0.1 * scale, float(middle[1] - 0.1 * scale), bulk) for sign in (1.0, -1.0)]
        return [fixed("backpack", "bag", together(body, pocket, *straps), s.index("spine02"), garment.material)]
    sign = 1.0 if garment.option("left", 1.0) else -1.0
    hip = s.head("upperleg01.L")[1] + 0.02
    near = trunk[np.abs(trunk[:, 1] - hip) < 0.05]
    side = float(near[:, 0].max()) + 0.03 + bulk
    size = (0.09 * scale, garment.option("high", 0.24) * scale, garment.option("wide", 0.3) * scale)
    body = moved(box(size, round_to=5), (sign * side, float(hip) - 0.05, 0.0))
    shoulder = np.array([-sign * 0.07 * scale, float(s.head("neck01")[1]) + 0.005, 0.0])
    straps = []
    for z in (1.0, -1.0):
        u = np.linspace(0, 1, 14)[:, None]
        line = shoulder * (1 - u) + np.array([sign * side, hip + size[1] / 2 - 0.06, 0.0]) * u
        line = line + np.sin(np.pi * u) * [0.0, 0.0, z * 0.3]
        straps.append(_laid(line, figure, bulk))
    bone = s.index("spine04")
    return [fixed("bag", "bag", body, s.index("root"), garment.material), fixed("strap", "bag", together(*straps), bone, garment.material)]


def _strap(figure: Figure, x: float, low: float, bulk: float) -> Solid:
    top = float(figure.skeleton.head("neck01")[1]) - 0.02
    angle = np.linspace(-0.45 * np.pi, 1.45 * np.pi, 30)
    ring = np.stack([0 * angle + x, (top + low) / 2 + 0.62 * (top - low) * np.sin(angle), 0.16 * np.cos(angle)], axis=-1)
    return _laid(ring, figure, bulk)


def _laid(line: Doubles, figure: Figure, bulk: float) -> Solid:
    """A strap along a line, drawn to just above the trunk's surface."""
    rows = np.unique(base_mesh().faces("helper-tights"))
    rows = rows[figure.regions.arm[rows] < 0.05]
    _, nearest = cKDTree(figure.vertices[rows]).query(line)
    normals = figure.normals[rows][nearest]
    lifted = figure.vertices[rows][nearest] + normals * (bulk + 0.008)
    for _ in range(3):
        lifted[1:-1] = (lifted[:-2] + lifted[1:-1] + lifted[2:]) / 3
    return ribbon(lifted, unit(normals), 0.035, 0.006)


def held_thing(figure: Figure, garment: Garment) -> list[Worn]:
    """Something in a hand: ball, phone, tool, cup, stick, book. option left: 1 for the left hand."""
    s = figure.skeleton
    side = "L" if garment.option("left", 0.0) else "R"
    bone = s.index(f"wrist.{side}")
    wrist, knuckle = s.head(f"wrist.{side}"), s.head(f"finger3-1.{side}")
    fingers = unit(knuckle - wrist)
    across = unit(s.head(f"finger2-1.{side}") - s.head(f"finger5-1.{side}"))
    across = unit(across - np.sum(across * fingers) * fingers)
    # out of the palm: the thumb lies on that side
    palm = np.cross(fingers, across)
    thumb = s.head(f"finger1-3.{side}") - (wrist + knuckle) / 2
    palm = palm * np.sign(np.sum(palm * thumb)) if abs(np.sum(palm * thumb)) > 1e-6 else palm
    axes = np.stack([palm, across, fingers], axis=-1)
    centre = knuckle - 0.015 * fingers
    # children hold smaller things
    small = float(np.clip(figure.height / 1.7, 0.5, 1.1))
    size = garment.option("size", 1.0)
    thick = 0.022
    parts: list[tuple[Solid, Material]] = []
    kind = garment.kind.removeprefix("held ")
    if kind == "ball":
        radius = 0.05 + 0.07 * (size - 0.5)
        parts.append((moved(ball(radius), (radius + 0.6 * thick, 0.0, 0.01)), garment.material))
    elif kind == "phone":
        parts.append((moved(box((0.009, 0.075, 0.15), round_to=8), (thick, 0.0, 0.03)), garment.material))
    elif kind == "book":
        parts.append((moved(cuboid((0.03, 0.15 * size, 0.22 * size), 2), (thick + 0.01, 0.0, 0.05)), garment.material))
    elif kind == "cup":
        profile = turned_profile(np.array([0.03, 0.036, 0.042, 0.038, 0.032]), np.array([0.0, 0.05, 0.105, 0.104, 0.02]))
        parts.append(
            (
                (np.stack([profile[0][:, 0] + thick + 0.035, profile[0][:, 1] - 0.05, profile[0][:, 2]], axis=-1), profile[1]),
                garment.material,
            )
        )
    elif kind == "tool":
        parts.append((moved(cylinder(0.014, 0.30 * size), (thick + 0.008, -0.09 * size, 0.0)), WOOD))
        parts.append((moved(box((0.11 * size, 0.035, 0.035), round_to=10), (thick + 0.008, 0.21 * size, 0.0)), METAL))
    elif kind == "stick":
        parts.append((moved(cylinder(0.011, 0.95 * size), (thick + 0.006, -0.3 * size, 0.0)), garment.material))
    else:
        raise ValueError(f"held thing is {kind!r}; allowed are ball, phone, book, cup, tool, stick")
    mirrored = bool(np.linalg.det(axes) < 0)
    out = []
    for k, ((vertices, faces), material) in enumerate(parts):
        placed = centre + small * vertices @ axes.T
        out.append(
            fixed(f"{kind} {k + 1}" if len(parts) > 1 else kind, "held", (placed, faces[:, ::-1] if mirrored else faces), bone, material)
        )
    return out
