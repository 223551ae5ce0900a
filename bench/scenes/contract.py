"""What a scene is: everything that decides its pictures, drawn from a split, a seed and an index, and written to JSON.

Metres, seconds, degrees where a name says so. Axes: x right, y up, the camera at x = z = 0 looks along -z; the ground is y = 0.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.people import Body, Course, DistractorKind, Mesh, Person

Split = Literal["dev", "test", "blind"]
Role = Literal["scenery", "mover"]


@dataclass(frozen=True, slots=True)
class Prop:
    """A thing of the scenery, or one that moves without being a person.

    mesh: its geometry; one row of vertices. role: ``scenery`` stands still; ``mover`` is rendered anew in each frame.
    glow: how strongly it shines by itself, 0 for not; picture: a file on its surface in place of the colour, by texture x, y.
    velocity: metres a second, turn_hz and swing_m: sideways swinging of movers.
    """

    mesh: Mesh
    role: Role = "scenery"
    glow: float = 0.0
    picture: str = ""
    velocity: tuple[float, float, float] = (0.0, 0.0, 0.0)
    swing_m: float = 0.0
    swing_hz: float = 0.0

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float32]:
        """Vertices (t, n, 3) at times."""
        shift = times[:, None] * np.asarray(self.velocity)
        shift[:, 0] += self.swing_m * np.sin(2 * np.pi * self.swing_hz * times)
        height = self.mesh.vertices[0][None, :, 1:2]
        # what swings hangs on the ground: its foot stays
        weight = np.clip(height / max(float(height.max()), 1e-6), 0, 1) if self.swing_m and not any(self.velocity) else np.float32(1)
        return np.asarray(self.mesh.vertices[0][None] + shift[:, None] * weight, np.float32)

    def body(self, times: NDArray[np.float64]) -> Body:
        """As something that moves."""
        return Body(times, (replace(self.mesh, vertices=self.at(times)),))


@dataclass(frozen=True, slots=True)
class Lamp:
    """kind: sun, point, area or spot. watts: power (a sun's: watts a square metre). place, target: metres. size: radius or side in metres,
    a sun's diameter in radians. cone: opening of a spot in radians."""

    kind: str
    watts: float
    place: tuple[float, float, float]
    target: tuple[float, float, float]
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)
    size: float = 0.1
    cone: float = 1.0

    def pose(self) -> NDArray[np.float64]:
        """From lamp to world: it shines along its -z."""
        back = np.asarray(self.place, float) - np.asarray(self.target, float)
        back /= np.linalg.norm(back)
        side = np.cross([0.0, 1.0, 0.0] if abs(back[1]) < 0.99 else [0.0, 0.0, 1.0], back)
        side /= np.linalg.norm(side)
        out = np.eye(4)
        out[:3, 0], out[:3, 1], out[:3, 2], out[:3, 3] = side, np.cross(back, side), back, self.place
        return out


@dataclass(frozen=True, slots=True)
class World:
    """Light from all sides. kind: picture (an environment's file, or the name of one that bpy ships), sky or colour."""

    kind: str = "colour"
    strength: float = 1.0
    picture: str = ""
    turn: float = 0.0
    elevation: float = 0.6
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a scene happens. free: (x0, x1, z0, z1) metres where people may be. tags: what is special. licences: of its pictures."""

    name: str
    props: tuple[Prop, ...]
    world: World
    lamps: tuple[Lamp, ...] = ()
    free: tuple[float, float, float, float] = (-3.0, 3.0, -6.0, -1.0)
    solid: tuple[tuple[float, float, float], ...] = ()
    tags: tuple[str, ...] = ()
    licences: tuple[str, ...] = ("procedural: CC0",)


@dataclass(frozen=True, slots=True)
class Rig:
    """Both eyes. misalignment_degrees: yaw, pitch, roll of the right eye against the left. hand_held_degrees: how far the rig trembles.
    shutter: share of a frame's time that light falls in. aperture_m: the lens's opening, 0 for everything sharp, focus_m then counts.
    softness: sigma in pixels of a picture of 1024 at the rim; it grows with the square of the angle from the axis."""

    projection: Literal["equirect", "fisheye"]
    degrees: float
    baseline_m: float
    height_m: float
    misalignment_degrees: tuple[float, float, float] = (0.0, 0.0, 0.0)
    hand_held_degrees: float = 0.0
    shutter: float = 0.5
    aperture_m: float = 0.0
    focus_m: float = 2.0
    softness: float = 0.0


@dataclass(frozen=True, slots=True)
class Sensor:
    """From light to a file. exposure_ev: the two eyes' against what is exposed well. warmth: gain of red, and 1/gain of blue, per eye.
    full_well: electrons at white (shot noise), read_noise: electrons. transfer: bt709 or hlg. bits: 8 or 10. codec: h264 or hevc.
    megabits: per second for a pair of eyes of 1024 pixels, scaled by area. flicker: depth of a lamp's beat, and its rate in hertz."""

    exposure_ev: tuple[float, float]
    warmth: tuple[float, float]
    full_well: float
    read_noise: float
    transfer: Literal["bt709", "hlg"]
    bits: Literal[8, 10]
    codec: Literal["h264", "hevc"]
    megabits: float
    flicker: float = 0.0
    flicker_hz: float = 0.0


@dataclass(frozen=True, slots=True)
class Member:
    """A person and where they are led; ``onset_s``: what time of their motion the clip begins at."""

    person: Person
    course: Course
    onset_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Distractor:
    """What looks like a person and is none: kind and seed for ``bench.people.make_distractor``, its place and facing."""

    kind: DistractorKind
    seed: int
    place: tuple[float, float]
    facing: float

    def course(self) -> Course:
        """It stays where it is."""
        return Course((0.0,), (self.place,), (self.facing,))


@dataclass(frozen=True, slots=True)
class Scene:
    """One clip, whole. movers_seed: of what moves in the background, 0 for nothing."""

    split: Split
    seed: int
    index: int
    place: str
    place_seed: int
    movers_seed: int
    fps: int
    rig: Rig
    sensor: Sensor
    cast: tuple[Member, ...] = ()
    distractors: tuple[Distractor, ...] = ()
    tags: tuple[str, ...] = field(default=())

    @property
    def name(self) -> str:
        """The folder's."""
        return f"scene{self.index:02d}"

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, strings, lists and objects."""
        return asdict(self)
