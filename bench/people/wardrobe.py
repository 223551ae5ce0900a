"""What people wear and carry: drawn as ``Garment`` values, made into meshes by ``dress``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .base_mesh import Doubles, Ints, base_mesh
from .cloth import Cut, Fit, Worn, border, clip, smoothed, tailored
from .contract import Garment, Hair, Material, Motion
from .regions import ANKLE, HIP, KNEE, NECK, WAIST, Figure, compact, vertex_normals
from .skeleton import Skin

Rng = np.random.Generator

#: metres of a shoe's sole
SOLE = 0.022


def draw_garments(rng: Rng, years: float, gender: float, hair: Hair, outfit: str | None = None) -> tuple[Garment, ...]:
    """Clothes that go together."""
    from .draw import draw_cloth

    del years, gender, hair, outfit
    top = Garment(
        "top",
        draw_cloth(rng, "top"),
        (("sleeve", float(rng.choice([0.0, 0.3, 0.35, 0.62, 0.97]))), ("ease", float(rng.uniform(0.006, 0.02)))),
    )
    legs = float(rng.choice([KNEE + 0.35, KNEE - 0.3, ANKLE + 0.12, ANKLE + 0.12]))
    bottom = Garment(
        "trousers", draw_cloth(rng, "trousers", dark=0.5, patterned=0.15), (("low", legs), ("ease", float(rng.uniform(0.004, 0.014))))
    )
    return (bottom, top, Garment("shoes", draw_cloth(rng, "shoes", dark=0.4, patterned=0.0)))


def draw_held(rng: Rng, motion: Motion, years: float, kind: str | None = None) -> tuple[Garment, ...]:
    """What is carried; often nothing."""
    del rng, motion, years, kind
    return ()


def dress(figure: Figure, garments: tuple[Garment, ...], rng: Rng) -> tuple[list[Worn], list[Cut], float]:
    """Meshes of garments, what they cover of the skin, and the sole's height in metres. ValueError names a kind that is not known."""
    worn: list[Worn] = []
    cuts: list[Cut] = []
    sole = 0.0
    for garment in garments:
        if garment.kind not in MAKERS:
            raise ValueError(f"garment kind is {garment.kind!r}; allowed are {', '.join(MAKERS)}")
        made, covers = MAKERS[garment.kind](figure, garment, rng)
        worn.extend(made)
        cuts.extend(covers)
        if garment.kind == "shoes":
            sole = SOLE
    return worn, cuts, sole


Made = tuple[list[Worn], list[Cut]]


def _top(figure: Figure, garment: Garment, rng: Rng) -> Made:
    cut = Cut(garment.option("low", HIP + 0.15), garment.option("high", NECK - 0.1), garment.option("sleeve", 0.3))
    fit = Fit(
        garment.option("ease", 0.01),
        loose=int(garment.option("loose", 6)),
        crease=garment.option("crease", 0.003),
        flare=garment.option("flare", 0.012),
    )
    return [tailored(figure, cut, fit, name="top", material=garment.material, rng=rng)], [cut]


def _trousers(figure: Figure, garment: Garment, rng: Rng) -> Made:
    cut = Cut(garment.option("low", ANKLE + 0.1), garment.option("high", WAIST - 0.25))
    fit = Fit(garment.option("ease", 0.006), loose=4, crease=0.003, flare=garment.option("flare", 0.008))
    return [tailored(figure, cut, fit, name="trousers", material=garment.material, rng=rng)], [cut]


def _shoes(figure: Figure, garment: Garment, rng: Rng) -> Made:
    """The feet's own surface, smoothed until the toes are one, on a sole."""
    mesh = base_mesh()
    high = garment.option("high", ANKLE + 0.06)
    rows, faces = compact(mesh.faces("body"))
    level = figure.regions.level[rows]
    faces, pairs, share = clip(faces, np.where(figure.regions.arm[rows] < 0, high - level, -1.0))
    own = figure.vertices[rows]
    vertices = own[pairs[:, 0]] * (1 - share)[:, None] + own[pairs[:, 1]] * share[:, None]
    held = np.zeros(len(vertices))
    held[border(faces)] = 1.0
    soft = smoothed(vertices, faces, 14, held)
    normals = vertex_normals(soft, faces)
    puffed = soft + normals * 0.010
    for sign in (1.0, -1.0):
        puffed = _around(puffed, vertices, np.sign(vertices[:, 0]) == sign)
    bottom = vertices[:, 1] < 0.014
    puffed[bottom, 1] = -SOLE
    puffed[:, 1] = np.maximum(puffed[:, 1], -SOLE)
    base = Skin.of_base(rows)
    skin = Skin.mixed([base.take(pairs[:, 0]), base.take(pairs[:, 1])], np.column_stack([1 - share, share]), len(mesh.bones))
    tint = np.ones((len(puffed), 3))
    tint[puffed[:, 1] < -0.3 * SOLE] = 0.35
    cover = Cut(-3.0, high)
    return [Worn("shoes", "shoes", puffed, faces, skin, garment.material, tint)], [cover]


def _around(puffed: Doubles, foot: Doubles, rows: Doubles | np.ndarray) -> Doubles:
    """One shoe scaled on the ground plane until it is a little longer and wider than the foot was before smoothing."""
    out = puffed.copy()
    for axis, more in ((0, 0.006), (2, 0.010)):
        low, high = foot[rows, axis].min() - more, foot[rows, axis].max() + more
        have_low, have_high = puffed[rows, axis].min(), puffed[rows, axis].max()
        near = np.clip(1 - foot[rows, 1] / 0.09, 0, 1)
        scaled = low + (puffed[rows, axis] - have_low) * (high - low) / (have_high - have_low)
        out[rows, axis] = puffed[rows, axis] * (1 - near) + scaled * near
    return out


MAKERS: dict[str, Callable[[Figure, Garment, Rng], Made]] = {"top": _top, "trousers": _trousers, "shoes": _shoes}
__all__ = ["MAKERS", "Ints", "Material", "draw_garments", "draw_held", "dress"]
