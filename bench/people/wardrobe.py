"""What people wear, made into meshes from ``Garment`` values; ``outfits`` draws these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .accessories import bag, glasses, hat, held_thing
from .assets import lower_half, read_asset
from .base_mesh import DataMissing, Doubles, Ints, base_mesh
from .cloth import Cut, Fit, Worn, border, clip, smoothed, tailored, without_covered
from .contract import Garment, Part
from .hanging import Hung, skirt, strip, support
from .regions import ANKLE, HIP, KNEE, NECK, WAIST, Figure, compact, vertex_normals
from .shapes import torus_faces
from .skeleton import Skin

Rng = np.random.Generator

#: metres of a shoe's sole
SOLE = 0.022


@dataclass
class Outfit:
    """What somebody wears, as meshes. cuts: what of the skin is covered. sole: metres."""

    worn: list[Worn] = field(default_factory=list)
    hung: list[Hung] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    sole: float = 0.0
    #: rows of the base mesh that files of clothes say are covered
    hidden: list[Ints] = field(default_factory=list)
    #: metres: the height of a hat's rim; no hair grows above
    rim: float = np.inf
    #: metres of cloth on the trunk, over which straps and scarves lie
    bulk: float = 0.026


def dress(figure: Figure, garments: tuple[Garment, ...], rng: Rng, assets: Path | None = None) -> Outfit:
    """Meshes of garments. ValueError names a kind that is not known, DataMissing assets that are not there."""
    outfit = Outfit()
    for garment in garments:
        if garment.kind.startswith("asset:"):
            _asset(outfit, figure, garment, assets)
            continue
        if garment.kind not in MAKERS:
            raise ValueError(f"garment kind is {garment.kind!r}; allowed are {', '.join(MAKERS)}")
        MAKERS[garment.kind](outfit, figure, garment, rng)
    return outfit


def _asset(outfit: Outfit, figure: Figure, garment: Garment, assets: Path | None) -> None:
    name = garment.kind.removeprefix("asset:")
    if assets is None:
        raise DataMissing(f"this person wears {name} of MakeHuman's assets; name their folder (--assets), or draw people without")
    fitted = read_asset(assets, name, figure)
    half = garment.option("half", 0.0)
    if half:
        waist = float(figure.skeleton.head("spine05")[1])
        fitted = lower_half(fitted, waist)[0 if half > 0 else 1]
    part: Part = "shoes" if "shoes" in name else "hat" if "fedora" in name else "clothes"
    if len(fitted.faces):
        outfit.worn.append(Worn(name.rsplit("/", 1)[-1], part, fitted.vertices, fitted.faces, fitted.skin, garment.material))
    outfit.hidden.append(fitted.hidden)
    if part == "shoes":
        outfit.sole = max(outfit.sole, float(-fitted.vertices[:, 1].min()))
    if part == "hat":
        outfit.rim = float(np.percentile(fitted.vertices[:, 1], 25))


def _hat(outfit: Outfit, figure: Figure, garment: Garment, rng: Rng) -> None:
    worn, outfit.rim = hat(figure, garment)
    outfit.worn.extend(worn)
    del rng


def _glasses(outfit: Outfit, figure: Figure, garment: Garment, rng: Rng) -> None:
    outfit.worn.extend(glasses(figure, garment))
    del rng


def _bag(outfit: Outfit, figure: Figure, garment: Garment, rng: Rng) -> None:
    outfit.worn.extend(bag(figure, garment, outfit.bulk))
    del rng


def _held(outfit: Outfit, figure: Figure, garment: Garment, rng: Rng) -> None:
    outfit.worn.extend(held_thing(figure, garment))
    del rng


def _top(outfit: Outfit, figure: Figure, garment: Garment, rng: Rng) -> None:
    cut = Cut(garment.option("low", HIP + 0.15), garment.option("high", NECK - 0.1), garment.option("sleeve", 0.3))
    fit = Fit(
        garment.option("ease", 0.01),
        loose=int(garment.option("loose", 6)),
        crease=garment.option("crease", 0.003),
        flare=garment.option("flare", 0.012),
    )
    # trousers end under the top
    outfit.worn = [without_covered(w, figure, cut, 0.12) if w.name == "trousers" else w for w in outfit.worn]
    outfit.worn.append(tailored(figure, cut, fit, name=garment.kind, material=garment.material, rng=rng))
    outfit.cuts.append(cut)


def _trousers(outfit: Outfit, figure: Figure, garment: Garment, rng: Rng) -> None:
    cut = Cut(garment.option("low", ANKLE + 0.1), garment.option("high", WAIST - 0.25))
    fit = Fit(garment.option("ease", 0.006), loose=4, crease=0.003, flare=garment.option("flare", 0.008))
    outfit.worn.append(tailored(figure, cut, fit, name="trousers", material=garment.material, rng=rng))
    outfit.cuts.append(cut)


def _skirt(outfit: Outfit, figure: Figure, garment: Garment, rng: Rng) -> None:
    outfit.hung.append(
        skirt(
            figure, garment.material, rng, name="skirt", high=garment.option("high", WAIST - 0.1), low=garment.option("low", KNEE),
            ease=garment.option("ease", 0.008), flare=garment.option("flare", 0.2), pleats=int(garment.option("pleats", 9)),
        )
    )  # fmt: skip


def _dress(outfit: Outfit, figure: Figure, garment: Garment, rng: Rng) -> None:
    """A top and a skirt of one cloth."""
    waist = WAIST + garment.option("waist", -0.1)
    cut = Cut(waist - 0.25, NECK - garment.option("open", 0.25), garment.option("sleeve", 0.0))
    outfit.worn.append(tailored(figure, cut, Fit(0.006, loose=4, crease=0.002), name="dress", material=garment.material, rng=rng))
    outfit.cuts.append(cut)
    _skirt(outfit, figure, Garment("skirt", garment.material, (*garment.options, ("high", waist), ("ease", 0.012))), rng)


def _coat(outfit: Outfit, figure: Figure, garment: Garment, rng: Rng) -> None:
    """Sleeves and trunk over everything else, open tails below the waist."""
    waist = WAIST - 0.2
    cut = Cut(waist - 0.45, NECK + 0.15, 0.99)
    ease = garment.option("ease", 0.024)
    outfit.bulk = ease + 0.018
    outfit.worn = [without_covered(w, figure, cut, 0.1) if w.part == "clothes" else w for w in outfit.worn]
    outfit.worn.append(tailored(figure, cut, Fit(ease, loose=10, crease=0.004), name="coat", material=garment.material, rng=rng))
    outfit.cuts.append(cut)
    outfit.hung.append(
        skirt(
            figure, garment.material, rng, name="coat tails", high=waist, low=garment.option("low", KNEE + 0.2), ease=ease + 0.006,
            flare=garment.option("flare", 0.12), pleats=4, gap=garment.option("gap", 0.25),
        )
    )  # fmt: skip


def _scarf(outfit: Outfit, figure: Figure, garment: Garment, rng: Rng) -> None:
    """Wound around the neck, with one or two ends that hang."""
    s = figure.skeleton
    ring, faces, angles = _neck_ring(figure, garment.option("thick", 0.028), rng)
    count = len(ring)
    skins = [Skin.rigid(s.index(n), count) for n in ("spine01", "neck01")]
    skin = Skin.mixed(skins, np.full((count, 2), 0.5), len(s.names))
    outfit.worn.append(Worn("scarf", "clothes", ring, faces, skin, garment.material))
    front = ring[np.argmax(ring[:, 2])]
    length = garment.option("length", 0.4) * figure.height / 1.75
    for k in range(int(garment.option("ends", 1))):
        top = front + [0.05 * (1 - 2 * k), 0.0, outfit.bulk - 0.022]
        outfit.hung.append(
            strip(
                figure, garment.material, name=f"scarf end {k + 1}", top=top, length=length, width=0.13, bone="spine01", apart=outfit.bulk
            )
        )
    del angles


def _neck_ring(figure: Figure, thick: float, rng: Rng) -> tuple[Doubles, Ints, Doubles]:
    s = figure.skeleton
    centre = s.head("neck01") - [0.0, 0.012, 0.0]
    rows = np.unique(base_mesh().faces("body"))
    near = figure.vertices[rows[np.abs(figure.vertices[rows, 1] - centre[1]) < 0.02]]
    near = near[np.abs(near[:, 0]) < 0.1]
    around, tube = 40, 12
    angles = np.linspace(0, 2 * np.pi, around, endpoint=False)
    reach = support((near - centre)[:, [0, 2]], angles) + 0.75 * thick
    turns = np.linspace(0, 2 * np.pi, tube, endpoint=False)
    lumps = 1 + 0.18 * np.sin(5 * angles + rng.uniform(0, 6))[:, None] * np.cos(2 * turns + rng.uniform(0, 6))[None]
    out = reach[:, None] + thick * lumps * np.cos(turns)
    up = centre[1] - 0.02 - 0.015 * np.cos(angles)[:, None] + 1.2 * thick * lumps * np.sin(turns)
    ring = np.stack([centre[0] + out * np.sin(angles)[:, None], up, centre[2] + out * np.cos(angles)[:, None]], axis=-1)
    return ring.reshape(-1, 3), torus_faces(around, tube), angles


def _shoes(outfit: Outfit, figure: Figure, garment: Garment, rng: Rng) -> None:
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
    outfit.worn.append(Worn("shoes", "shoes", puffed, faces, skin, garment.material, tint))
    outfit.cuts.append(Cut(-3.0, high))
    outfit.sole = SOLE
    del rng


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


Maker = Callable[[Outfit, Figure, Garment, Rng], None]
MAKERS: dict[str, Maker] = {
    "top": _top, "trousers": _trousers, "skirt": _skirt, "dress": _dress, "coat": _coat, "scarf": _scarf, "shoes": _shoes,
    "hat beanie": _hat, "hat cap": _hat, "hat brim": _hat, "glasses": _glasses, "bag back": _bag, "bag hip": _bag,
    **dict.fromkeys(("held ball", "held phone", "held book", "held cup", "held tool", "held stick"), _held),
}  # fmt: skip
