"""People from seeds: every number of a ``Person`` from one generator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import numpy as np

from .contract import Colour, Garment, Hair, Material, Motion, Pattern, PatternKind, Person
from .shape import anny_age

Rng = np.random.Generator

#: skins in linear light, from very light to very dark (reflectances of the Fitzpatrick types under D65, rounded)
SKINS: tuple[Colour, ...] = (
    (0.66, 0.44, 0.34), (0.58, 0.36, 0.25), (0.50, 0.29, 0.18), (0.38, 0.20, 0.115), (0.22, 0.105, 0.055),
    (0.09, 0.042, 0.024), (0.045, 0.024, 0.016),
)  # fmt: skip
#: hair in linear light: black, dark brown, brown, light brown, blond, red, grey, white, dyed
HAIRS: tuple[tuple[Colour, float], ...] = (
    ((0.008, 0.007, 0.007), 0.30), ((0.025, 0.015, 0.010), 0.22), ((0.065, 0.035, 0.018), 0.14), ((0.16, 0.09, 0.045), 0.08),
    ((0.40, 0.26, 0.12), 0.10), ((0.22, 0.055, 0.018), 0.05), ((0.22, 0.215, 0.21), 0.04), ((0.55, 0.54, 0.52), 0.02),
    ((0.25, 0.03, 0.22), 0.05),
)  # fmt: skip
IRISES: tuple[Colour, ...] = ((0.03, 0.015, 0.008), (0.08, 0.04, 0.015), (0.06, 0.08, 0.03), (0.08, 0.14, 0.25), (0.12, 0.14, 0.15))


def draw_person(
    seed: int | Sequence[int],
    *,
    years: tuple[float, float] = (0.8, 88.0),
    motion: Motion | None = None,
    hair: str | None = None,
    outfit: str | None = None,
    held: str | None = None,
    assets: bool = False,
) -> Person:
    """A person from a seed. What is given is fixed, the rest drawn: years (from, to), motion, hair (a style), outfit ("dress",
    "coat", ...), held (kind of a carried thing, "" for none). assets: whether clothes of MakeHuman may be worn, which
    ``make_actor`` then needs. ValueError names what is not known."""
    from .outfits import draw_garments, draw_held

    rng = np.random.default_rng(seed)
    age = float(rng.uniform(*years))
    if rng.random() < 0.6:
        # most people are grown up: a second draw among those
        grown = (max(years[0], 16.0), min(years[1], 70.0))
        age = float(rng.uniform(*grown)) if grown[0] < grown[1] else age
    gender = float(np.clip(rng.choice([rng.normal(0.08, 0.08), rng.normal(0.92, 0.08)]), 0, 1))
    races = rng.dirichlet([0.5, 0.5, 0.5])
    phenotype = (
        ("age", anny_age(age)),
        ("gender", gender),
        ("muscle", float(rng.beta(3, 3))),
        ("weight", float(rng.beta(2.2, 2.2))),
        ("height", float(rng.beta(4, 4))),
        ("proportions", float(rng.uniform(0, 1))),
        ("cupsize", float(rng.beta(3, 3))),
        ("firmness", float(rng.uniform(0.2, 0.8))),
        ("african", float(races[0])),
        ("asian", float(races[1])),
        ("caucasian", float(races[2])),
    )
    shade = float(np.clip(races[0] * 5.2 + races[1] * 1.6 + races[2] * 0.8 + rng.normal(0, 0.8), 0, len(SKINS) - 1))
    skin = _between(SKINS, shade)
    chosen = draw_hair(rng, age, gender, float(races[0]), hair)
    iris = IRISES[int(rng.integers(0, len(IRISES)))] if shade < 2.5 else IRISES[int(rng.integers(0, 2))]
    what: Motion = motion or draw_motion(rng, age)
    if what not in get_args(Motion):
        raise ValueError(f"motion is {what!r}; allowed are {', '.join(get_args(Motion))}")
    garments = draw_garments(rng, age, gender, chosen, outfit=outfit, assets=assets)
    things = draw_held(rng, what, age) if held is None else draw_held(rng, what, age, held)
    return Person(
        seed=seed if isinstance(seed, int) else int(np.random.SeedSequence(list(seed)).generate_state(1)[0]),
        phenotype=phenotype, years=round(age, 2), skin=skin, iris=iris, hair=chosen, garments=garments, motion=what,
        tempo=float(rng.uniform(0.8, 1.25)) * (0.8 if age > 70 else 1.0), energy=float(rng.uniform(0.5, 1.3)) * (0.7 if age > 70 else 1.0),
        held=things,
        expression=str(rng.choice(["", "", "smile", "open", "brows", "frown", "closed"], p=[0.2, 0.2, 0.25, 0.1, 0.1, 0.1, 0.05])),
        detail_seed=int(rng.integers(0, 2**31)),
        beard_m=float(np.exp(rng.uniform(np.log(0.004), np.log(0.12)))) if gender < 0.4 and age > 18 and rng.random() < 0.35 else 0.0,
    )  # fmt: skip


def draw_motion(rng: Rng, years: float) -> Motion:
    """What somebody of that age may do: babies lie and sit, the old neither jump nor run."""
    if years < 1.5:
        return str_motion(rng, ["lie", "sit", "sit"])
    if years > 70:
        return str_motion(rng, ["stand", "walk", "walk", "sit", "turn", "wave", "hands", "lie", "bend"])
    return str_motion(
        rng,
        [
            "stand",
            "walk",
            "walk",
            "walk",
            "run",
            "sit",
            "sit",
            "dance",
            "dance",
            "bend",
            "lie",
            "turn",
            "jump",
            "wave",
            "hands",
            "hands",
            "crouch",
        ],
    )


def str_motion(rng: Rng, among: list[Motion]) -> Motion:
    """One of them."""
    return among[int(rng.integers(0, len(among)))]


def draw_hair(rng: Rng, years: float, gender: float, african: float, style: str | None = None) -> Hair:
    """Style, length, curl and colour; grey with the years."""
    weights = np.array([w for _, w in HAIRS])
    if years < 35:
        weights[6:8] = 0.0
    colour = HAIRS[int(rng.choice(len(HAIRS), p=weights / weights.sum()))][0]
    if years > 40 and rng.random() < (years - 40) / 35:
        grey = float(rng.uniform(0.3, 1.0))
        colour = _mixed(colour, (0.45, 0.44, 0.43), grey)
    if african > 0.6 and rng.random() < 0.8:
        colour = HAIRS[0][0]
    if style is None:
        if years < 1.2:
            style = "none" if rng.random() < 0.3 else "short"
        elif gender > 0.5:
            style = str(
                rng.choice(["short", "bob", "long", "long", "ponytail", "bun", "braids", "wild", "afro" if african > 0.4 else "long"])
            )
        else:
            style = str(
                rng.choice(["none", "short", "short", "short", "short", "bob", "wild", "long", "afro" if african > 0.4 else "short"])
            )
    lengths = {
        "none": (0.0, 0.0), "short": (0.015, 0.07), "bob": (0.14, 0.28), "long": (0.3, 0.75), "ponytail": (0.2, 0.5),
        "braids": (0.25, 0.55),
        "bun": (0.1, 0.16), "afro": (0.05, 0.16), "wild": (0.1, 0.35),
    }  # fmt: skip
    if style not in lengths:
        raise ValueError(f"hair style is {style!r}; allowed are {', '.join(lengths)}")
    curl = float(np.clip(rng.choice([rng.uniform(0, 0.1), rng.uniform(0.1, 0.5), rng.uniform(0.5, 1.0)], p=[0.5, 0.3, 0.2]), 0, 1))
    curl = max(curl, 0.8) if style == "afro" else max(curl, 0.3) if style == "wild" else curl
    small = min(1.0, 0.45 + years / 25)
    return Hair(style, float(rng.uniform(*lengths[style])) * small, curl, float(rng.uniform(0.1, 1.0)), colour)


def draw_cloth(rng: Rng, name: str, *, dark: float = 0.0, patterned: float = 0.45, sheer: float = 0.0) -> Material:
    """A cloth of any colour. dark: 0 any to 1 dark. patterned: how likely. sheer: translucency."""
    colour = draw_colour(rng, dark)
    pattern = Pattern()
    if rng.random() < patterned:
        kind: PatternKind = (("stripes", "checks", "dots", "noise"))[int(rng.integers(0, 4))]
        second = draw_colour(rng, 0.0) if rng.random() < 0.6 else _mixed(colour, (0.8, 0.8, 0.8), float(rng.uniform(0.4, 1)))
        pattern = Pattern(kind, float(np.exp(rng.uniform(np.log(0.012), np.log(0.12)))), second)
    return Material(
        name, colour, roughness=float(rng.uniform(0.55, 0.95)), sheen=float(rng.uniform(0, 0.6)), translucency=sheer, pattern=pattern
    )  # fmt: skip


def draw_colour(rng: Rng, dark: float) -> Colour:
    """In linear light: hue evenly, with greys, blacks, whites and blues as often as wardrobes have them."""
    value = float(rng.beta(1.2, 2.2)) * (1 - 0.8 * dark) * 0.8 + 0.012
    kind = rng.random()
    saturation = 0.05 if kind < 0.35 else float(rng.uniform(0.3, 0.95))
    hue = float(rng.normal(0.6, 0.05)) % 1.0 if 0.35 <= kind < 0.5 else float(rng.random())
    sector = hue * 6
    rgb = np.clip([abs(sector - 3) - 1, 2 - abs(sector - 2), 2 - abs(sector - 4)], 0, 1)
    r, g, b = np.clip(value * (1 - saturation + saturation * rgb * 1.5), 0.004, 0.85)
    return (float(r), float(g), float(b))


def _mixed(a: Colour, b: Colour, share: float) -> Colour:
    x = [float(p * (1 - share) + q * share) for p, q in zip(a, b, strict=True)]
    return (x[0], x[1], x[2])


def _between(colours: Sequence[Colour], position: float) -> Colour:
    low = min(int(position), len(colours) - 2)
    return _mixed(colours[low], colours[low + 1], position - low)


__all__ = ["Garment", "draw_cloth", "draw_colour", "draw_hair", "draw_motion", "draw_person"]
