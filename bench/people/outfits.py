"""Which clothes and things go together: ``Garment`` values drawn from a generator."""

from __future__ import annotations

import numpy as np

from .assets import SHOES, SUITS
from .contract import Garment, Hair, Motion
from .draw import draw_cloth
from .regions import ANKLE, HIP, KNEE

Rng = np.random.Generator
OUTFITS = ("plain", "skirt", "dress", "coat", "suit")


def draw_garments(
    rng: Rng, years: float, gender: float, hair: Hair, *, outfit: str | None = None, assets: bool = False
) -> tuple[Garment, ...]:
    """Clothes that go together. outfit: one of OUTFITS; ValueError names what is not known. assets: MakeHuman's may be worn."""
    suited = assets and years > 14 and rng.random() < 0.45
    if outfit is None and suited:
        outfit = "suit"
    if outfit == "suit" and not assets:
        raise ValueError("outfit 'suit' is of MakeHuman's assets; draw with assets=True and give their folder")
    if outfit == "suit":
        return tuple(_suit(rng, gender) + _accessories(rng, years))
    if outfit is None:
        likely = [0.42, 0.2, 0.2, 0.18] if gender > 0.5 else [0.75, 0.02, 0.0, 0.23]
        outfit = str(rng.choice(OUTFITS[:4], p=likely))
    if outfit not in OUTFITS:
        raise ValueError(f"outfit is {outfit!r}; allowed are {', '.join(OUTFITS)}")
    out: list[Garment] = []
    options: tuple[tuple[str, float], ...]
    if outfit == "dress":
        options = (
            ("sleeve", float(rng.choice([0.0, 0.12, 0.35, 0.95]))), ("low", _hem(rng)), ("flare", float(rng.uniform(0.05, 0.5))),
            ("pleats", float(rng.integers(5, 14))), ("open", float(rng.uniform(0.1, 0.6))),
        )  # fmt: skip
        out.append(Garment("dress", draw_cloth(rng, "dress", patterned=0.6, sheer=float(rng.uniform(0, 0.3))), options))
    else:
        if outfit == "skirt":
            options = (("low", _hem(rng)), ("flare", float(rng.uniform(0.02, 0.6))), ("pleats", float(rng.integers(5, 14))))
            out.append(Garment("skirt", draw_cloth(rng, "skirt", patterned=0.5, sheer=float(rng.uniform(0, 0.3))), options))
        else:
            low = float(rng.choice([KNEE + 0.45, KNEE - 0.3, ANKLE + 0.1, ANKLE + 0.1, ANKLE + 0.1]))
            options = (("low", low), ("ease", float(rng.uniform(0.004, 0.014))), ("flare", float(rng.uniform(0.0, 0.03))))
            out.append(Garment("trousers", draw_cloth(rng, "trousers", dark=0.5, patterned=0.15), options))
        sleeve = float(rng.choice([0.0, 0.3, 0.35, 0.62, 0.97, 0.97]))
        options = (("sleeve", sleeve), ("ease", float(rng.uniform(0.007, 0.02))), ("low", HIP + float(rng.uniform(-0.1, 0.3))))
        out.append(Garment("top", draw_cloth(rng, "top"), options))
    if outfit == "coat":
        options = (
            ("low", KNEE + float(rng.uniform(-0.3, 0.6))),
            ("gap", float(rng.uniform(0.1, 0.7))),
            ("flare", float(rng.uniform(0.05, 0.25))),
        )
        out.append(Garment("coat", draw_cloth(rng, "coat", dark=0.4, patterned=0.25), options))
    if rng.random() < (0.45 if outfit == "coat" else 0.12):
        options = (
            ("length", float(rng.uniform(0.2, 0.6))),
            ("ends", float(rng.integers(0, 3))),
            ("thick", float(rng.uniform(0.02, 0.035))),
        )
        out.append(Garment("scarf", draw_cloth(rng, "scarf", patterned=0.7), options))
    if years > 1.5 and rng.random() < 0.92:
        out.append(Garment("shoes", draw_cloth(rng, "shoes", dark=0.4, patterned=0.0), (("high", ANKLE + float(rng.uniform(0.02, 0.3))),)))
    out += _accessories(rng, years)
    del hair
    return tuple(out)


def _suit(rng: Rng, gender: float) -> list[Garment]:
    name = str(rng.choice(SUITS["female" if gender > 0.5 else "male"]))
    kind = f"asset:clothes/{name}/{name}"
    shoe = str(rng.choice(SHOES))
    return [
        Garment(kind, draw_cloth(rng, "suit's upper half"), (("half", 1.0),)),
        Garment(kind, draw_cloth(rng, "suit's lower half", dark=0.5, patterned=0.2), (("half", -1.0),)),
        Garment(f"asset:clothes/{shoe}/{shoe}", draw_cloth(rng, "shoes", dark=0.5, patterned=0.0)),
    ]


def _hem(rng: Rng) -> float:
    return float(rng.choice([KNEE + 0.5, KNEE + 0.15, KNEE - 0.3, ANKLE + 0.25])) + float(rng.uniform(-0.1, 0.1))


#: what is carried in which motion; hands that hold the face or the knees hold nothing else
_HELD = ("ball", "phone", "book", "cup", "tool", "stick")


def draw_held(rng: Rng, motion: Motion, years: float, kind: str | None = None) -> tuple[Garment, ...]:
    """What is carried; often nothing. kind: "" for nothing, a name for that."""
    drawn = str(rng.choice(_HELD)) if rng.random() < 0.3 and years > 2 and motion not in ("lie", "crouch") else ""
    kind = drawn if kind is None else kind
    material = draw_cloth(rng, kind or "thing", patterned=0.3)
    options = (("left", float(rng.random() < 0.4)), ("size", float(rng.uniform(0.5, 1.2))))
    if kind and kind not in _HELD:
        raise ValueError(f"held thing is {kind!r}; allowed are {', '.join(_HELD)}, or nothing")
    return (Garment(f"held {kind}", material, options),) if kind else ()


def _accessories(rng: Rng, years: float) -> list[Garment]:
    out: list[Garment] = []
    options: tuple[tuple[str, float], ...]
    if years > 2 and rng.random() < 0.22:
        kind = str(rng.choice(["hat beanie", "hat cap", "hat brim"]))
        brim = {"hat beanie": 0.0, "hat cap": float(rng.uniform(0.06, 0.09)), "hat brim": float(rng.uniform(0.05, 0.16))}[kind]
        tall = 0.0 if kind == "hat cap" else float(rng.uniform(0.0, 0.06))
        out.append(
            Garment(
                kind, draw_cloth(rng, "hat", patterned=0.2), (("brim", brim), ("tall", tall), ("thick", float(rng.uniform(0.008, 0.016))))
            )
        )
    if years > 4 and rng.random() < 0.25:
        options = (("wide", float(rng.uniform(0.9, 1.15))), ("high", float(rng.uniform(0.6, 0.95))), ("dark", float(rng.random() < 0.35)))
        out.append(Garment("glasses", draw_cloth(rng, "frame", dark=0.7, patterned=0.0), options))
    if years > 4 and rng.random() < 0.22:
        kind = str(rng.choice(["bag back", "bag hip"]))
        options = (
            ("left", float(rng.random() < 0.5)),
            ("high", float(rng.uniform(0.3, 0.5) if kind == "bag back" else rng.uniform(0.16, 0.28))),
        )
        out.append(Garment(kind, draw_cloth(rng, "bag", dark=0.3, patterned=0.2), options))
    return out
