"""What a person is to the rest of the benchmark: a description that goes to JSON, a course through the room, and geometry over time.

Metres, seconds, radians. Right-handed axes: y up, the ground at y = 0; a person whose facing is 0 looks along +z and has their left hand
at +x. Colours are linear light with the primaries of BT.709.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Protocol, Self, get_args

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Indices = NDArray[np.int32]
Colour = tuple[float, float, float]

#: what a mesh or strand belongs to; "held" and "bag" are carried things, which truth files keep apart from people where asked
Part = Literal["body", "eyes", "mouth", "clothes", "shoes", "hair", "hat", "glasses", "bag", "held", "statue", "poster", "pet", "prop"]
PatternKind = Literal["plain", "stripes", "checks", "dots", "noise"]
Motion = Literal["stand", "walk", "run", "sit", "dance", "bend", "lie", "turn", "jump", "wave", "hands", "crouch"]
MOTIONS: tuple[Motion, ...] = get_args(Motion)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A solid texture over ``Mesh.texture``: a point's colour is chosen by where it was in the cloth at rest.

    kind: plain (the material's colour alone), stripes (along y), checks (in all three directions), dots (balls on a cubic grid), noise.
    scale: metres of one repeat, above 0.
    colour: the second colour, mixed with the material's own.
    """

    kind: PatternKind = "plain"
    scale: float = 0.05
    colour: Colour = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        if self.kind not in get_args(PatternKind):
            raise ValueError(f"pattern kind is {self.kind!r}; allowed are {', '.join(get_args(PatternKind))}")
        if not self.scale > 0:
            raise ValueError(f"pattern scale is {self.scale} m; it has to be above 0")


@dataclass(frozen=True, slots=True)
class Material:
    """How a surface or a strand looks; a renderer makes its shader from this.

    colour: in linear light, each 0..1. Where a mesh has ``tint``, that is multiplied with it.
    roughness: 0 (mirror) to 1. sheen: the fuzz of cloth, 0..1. metallic: 0 or 1.
    translucency: share of light that passes diffusely (thin cloth, ears, leaves), 0..1.
    subsurface: share of light scattered beneath (skin), 0..1.
    transparency: share of rays that pass straight (lenses of glasses), 0..1.
    """

    name: str
    colour: Colour
    roughness: float = 0.6
    sheen: float = 0.0
    metallic: float = 0.0
    translucency: float = 0.0
    subsurface: float = 0.0
    transparency: float = 0.0
    pattern: Pattern = field(default_factory=Pattern)

    def __post_init__(self) -> None:
        values = dict(zip("rgb", self.colour, strict=True)) | {
            name: getattr(self, name) for name in ("roughness", "sheen", "metallic", "translucency", "subsurface", "transparency")
        }
        for name, value in values.items():
            if not 0 <= value <= 1:
                raise ValueError(f"material {self.name}: {name} is {value}; allowed is 0 to 1")


@dataclass(frozen=True, slots=True)
class Mesh:
    """A triangle mesh that moves; its faces stay.

    vertices: (t, n, 3) float32 metres, one row per asked time.
    faces: (f, 3) int32, counter-clockwise seen from outside.
    texture: (n, 3) float32 metres: where each vertex was at rest, for patterns.
    tint: (n, 3) float32 0..1 in linear light, multiplied with the material's colour (lips, soles, iris); None is white.
    thin: one sheet with two visible sides (skirts, scarves), not the hull of something.
    """

    name: str
    part: Part
    vertices: Floats
    faces: Indices
    texture: Floats
    material: Material
    tint: Floats | None = None
    thin: bool = False

    def __post_init__(self) -> None:
        if self.vertices.ndim != 3 or self.vertices.shape[2] != 3:
            raise ValueError(f"mesh {self.name}: vertices have shape {self.vertices.shape}; (t, n, 3) is needed")
        count = self.vertices.shape[1]
        if self.faces.ndim != 2 or self.faces.shape[1] != 3:
            raise ValueError(f"mesh {self.name}: faces have shape {self.faces.shape}; (f, 3) is needed")
        if len(self.faces) and not (self.faces.min() >= 0 and self.faces.max() < count):
            raise ValueError(f"mesh {self.name}: faces name vertices {self.faces.min()} to {self.faces.max()}; there are {count}")
        for name, value in (("texture", self.texture), ("tint", self.tint)):
            if value is not None and value.shape != (count, 3):
                raise ValueError(f"mesh {self.name}: {name} has shape {value.shape}; ({count}, 3) is needed")


@dataclass(frozen=True, slots=True)
class Strands:
    """Curves with a radius: hair, fur, tassels.

    points: (t, k, m, 3) float32 metres: k strands of m points from root to tip.
    radius: (k, m) float32 metres at each point.
    """

    name: str
    part: Part
    points: Floats
    radius: Floats
    material: Material

    def __post_init__(self) -> None:
        if self.points.ndim != 4 or self.points.shape[3] != 3:
            raise ValueError(f"strands {self.name}: points have shape {self.points.shape}; (t, k, m, 3) is needed")
        if self.radius.shape != self.points.shape[1:3]:
            raise ValueError(f"strands {self.name}: radius has shape {self.radius.shape}; {self.points.shape[1:3]} is needed")


@dataclass(frozen=True, slots=True)
class Body:
    """Geometry of one person (or distractor) at the asked times.

    times: (t,) float64 seconds. skeleton: (t, j, 3) float32 metres, heads of the joints named by ``joints`` (empty for things).
    """

    times: NDArray[np.float64]
    meshes: tuple[Mesh, ...]
    strands: tuple[Strands, ...] = ()
    joints: tuple[str, ...] = ()
    skeleton: Floats = field(default_factory=lambda: np.zeros((0, 0, 3), np.float32))

    @property
    def faces(self) -> int:
        """Triangles of all meshes together."""
        return sum(len(mesh.faces) for mesh in self.meshes)

    @property
    def strand_points(self) -> int:
        """Points of all strands together, at one time."""
        return sum(s.points.shape[1] * s.points.shape[2] for s in self.strands)

    def bounds(self) -> tuple[Floats, Floats]:
        """Lowest and highest corner per time, each (t, 3) metres, of meshes and strands."""
        sets = [m.vertices for m in self.meshes] + [s.points.reshape(len(self.times), -1, 3) for s in self.strands]
        filled = [points for points in sets if points.shape[1]]
        low = np.min([points.min(axis=1) for points in filled], axis=0)
        high = np.max([points.max(axis=1) for points in filled], axis=0)
        return np.asarray(low, np.float32), np.asarray(high, np.float32)


@dataclass(frozen=True, slots=True)
class Course:
    """Where a person is led: keys in time, joined by a smooth curve; before the first and after the last key they stand.

    times: (n,) seconds, rising. places: (n, 2) metres, x and z on the ground. facings: (n,) radians about y, 0 along +z, growing to +x;
    not wrapped: 0 to 2 pi is a whole turn. height: metres of the ground beneath (a stage, a stair).
    """

    times: tuple[float, ...] = (0.0,)
    places: tuple[tuple[float, float], ...] = ((0.0, 0.0),)
    facings: tuple[float, ...] = (0.0,)
    height: float = 0.0

    def __post_init__(self) -> None:
        if not len(self.times) == len(self.places) == len(self.facings) > 0:
            raise ValueError(
                f"a course has {len(self.times)} times, {len(self.places)} places and {len(self.facings)} facings; "
                "as many of each are needed, at least one"
            )
        if any(after <= before for before, after in zip(self.times, self.times[1:], strict=False)):
            raise ValueError(f"the times of a course are {self.times}; they have to rise")


@dataclass(frozen=True, slots=True)
class Hair:
    """style: none, short, bob, long, ponytail, braids, bun, afro, wild. length_m: along a strand. curl: 0 straight to 1 tight.
    loose: 0 held (gel, braids) to 1 flying; colour: linear light."""

    style: str
    length_m: float
    curl: float
    loose: float
    colour: Colour


@dataclass(frozen=True, slots=True)
class Garment:
    """One thing worn. kind: a name that ``bench.people`` knows, or ``asset:FOLDER/NAME``. material: its look.
    options: numbers that shape it (length, flare, ease), each named."""

    kind: str
    material: Material
    options: tuple[tuple[str, float], ...] = ()

    def option(self, name: str, default: float) -> float:
        """The number under a name, or what to take without it."""
        return dict(self.options).get(name, default)


@dataclass(frozen=True, slots=True)
class Person:
    """All that is drawn about one person; with the same assets it makes the same arrays, to the bit.

    phenotype: anny's numbers by name (gender, age, muscle, weight, height, proportions, ...), each 0..1.
    detail_seed: for what is too fine to list (strands, folds, noise of the motion).
    motion, tempo (1 is ordinary), energy (amplitude, 1 is ordinary): what they do. held: things in the hands. beard_m: metres, 0 for none.
    """

    seed: int
    phenotype: tuple[tuple[str, float], ...]
    years: float
    skin: Colour
    iris: Colour
    hair: Hair
    garments: tuple[Garment, ...]
    motion: Motion
    tempo: float
    energy: float
    held: tuple[Garment, ...]
    expression: str
    detail_seed: int
    beard_m: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, strings, lists and objects."""
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """What ``to_json`` gave. ValueError names a field that is missing or unknown."""
        known = {f.name for f in fields(cls)}
        if set(document) != known:
            raise ValueError(f"a person's document lacks {sorted(known - set(document))} and has unknown {sorted(set(document) - known)}")
        made = dict(document)
        made["phenotype"] = tuple((str(n), float(v)) for n, v in document["phenotype"])
        made["skin"], made["iris"] = _colour(document["skin"]), _colour(document["iris"])
        made["hair"] = Hair(**{**document["hair"], "colour": _colour(document["hair"]["colour"])})
        made["garments"] = tuple(_garment(g) for g in document["garments"])
        made["held"] = tuple(_garment(g) for g in document["held"])
        return cls(**made)


class Actor(Protocol):
    """A person or distractor made real: ``bench.people.make_actor(person, assets)``."""

    def at(self, times: NDArray[np.float64], course: Course) -> Body:
        """Geometry at any times (t,) in seconds, in any order; the same time gives the same numbers whatever else is asked.

        What hangs begins to move one second before time 0; earlier times find it at rest.
        """
        ...


def _colour(values: Any) -> Colour:
    r, g, b = (float(v) for v in values)
    return (r, g, b)


def _material(document: dict[str, Any]) -> Material:
    pattern = document["pattern"]
    return Material(
        **{
            **document,
            "colour": _colour(document["colour"]),
            "pattern": Pattern(**{**pattern, "colour": _colour(pattern["colour"])}),
        }
    )


def _garment(document: dict[str, Any]) -> Garment:
    return Garment(document["kind"], _material(document["material"]), tuple((str(n), float(v)) for n, v in document["options"]))
