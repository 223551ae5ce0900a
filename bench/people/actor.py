"""A person made real: shape, clothes and hair at rest, then all of it at any time."""

from __future__ import annotations

from pathlib import Path as FilePath

import numpy as np
from numpy.typing import NDArray

from .base_mesh import Doubles, base_mesh
from .cloth import Shell, Worn, covered
from .contract import Body, Course, Floats, Material, Mesh, Person, Strands
from .draw import draw_cloth
from .face import face_hair
from .hair import Grown, Head, grow, scalp_field
from .lag import Lag
from .limbs import Anatomy
from .motion import Choreography, seat_height
from .regions import Figure, compact
from .shape import expression, rest_vertices
from .shapes import cuboid, moved
from .skeleton import Frames, Skin, apply, turned
from .wardrobe import Outfit, dress


class PersonActor:
    """See ``bench.people.contract.Actor``."""

    def __init__(self, person: Person, assets: FilePath | None = None) -> None:
        self.person = person
        self.figure = Figure.of(rest_vertices(dict(person.phenotype), expression(person.expression)))
        self.anatomy = Anatomy(self.figure.skeleton)
        rng = np.random.default_rng([person.detail_seed, 2])
        outfit = dress(self.figure, (*person.garments, *person.held), rng, assets)
        self.sole = outfit.sole
        hidden = np.unique(np.concatenate([covered(self.figure.regions, outfit.cuts), *outfit.hidden]))
        self.worn = [self._skin(hidden), self._eyes(), *outfit.worn]
        self.hair = self._hair(np.random.default_rng([person.detail_seed, 3]), outfit)
        self.face = face_hair(self.figure, person.beard_m, np.random.default_rng([person.detail_seed, 5]))
        self.lag = Lag(self.figure, outfit.hung, person.hair, self.hair, self._frames)

    def _skin(self, hidden: NDArray[np.int64]) -> Worn:
        """The body without what clothes cover."""
        figure, person = self.figure, self.person
        covers = np.zeros(len(figure.vertices), bool)
        covers[hidden] = True
        faces = base_mesh().faces("body")
        rows, faces = compact(faces[~covers[faces].all(axis=1)])
        tint = np.ones((len(rows), 3))
        head = Head.of(figure)
        points = figure.vertices[rows]
        if person.hair.style != "none":
            # skin between the strands is in their shade
            upper = points[:, 1] > figure.skeleton.head("neck03")[1]
            share = np.clip(scalp_field(head, points) / 0.12, 0, 1) * upper
            ratio = np.clip(np.array(person.hair.colour) / np.array(person.skin), 0, 1)
            tint = tint * (1 - share[:, None]) + ratio * share[:, None]
        material = Material("skin", person.skin, roughness=0.45, subsurface=0.3)
        return Worn("skin", "body", points, faces, Skin.of_base(rows), material, tint)

    def _eyes(self) -> Worn:
        mesh = base_mesh()
        rows, faces = compact(mesh.faces("helper-l-eye", "helper-r-eye"))
        points = self.figure.vertices[rows]
        tint = np.full((len(rows), 3), 0.8)
        for sign in (1.0, -1.0):
            here = np.sign(points[:, 0]) == sign
            eye = points[here]
            centre = (eye.max(axis=0) + eye.min(axis=0)) / 2
            across = np.hypot(eye[:, 0] - centre[0], eye[:, 1] - centre[1]) / max(1e-6, (eye[:, 0].max() - eye[:, 0].min()) / 2)
            front = eye[:, 2] > centre[2]
            shade = np.where((across < 0.5)[:, None], np.array(self.person.iris), 0.8)
            shade[across < 0.2] = 0.005
            tint[here] = np.where(front[:, None], shade, 0.8)
        return Worn("eyes", "eyes", points, faces, Skin.of_base(rows), Material("eyes", (1.0, 1.0, 1.0), roughness=0.1), tint)

    def _hair(self, rng: np.random.Generator, outfit: Outfit) -> Grown | None:
        figure = self.figure
        rows = np.unique(base_mesh().faces("body"))
        upper = rows[(figure.vertices[rows, 1] > figure.skeleton.head("spine04")[1]) & (figure.regions.arm[rows] < 0.5)]
        points, normals = figure.vertices[upper], figure.normals[upper]
        return grow(figure, self.person.hair, Shell(points, normals), rng, rim=outfit.rim)

    def at(self, times: Doubles, course: Course) -> Body:
        """Geometry at times (t,) along a course."""
        times = np.asarray(times, np.float64)
        frames = self._frames(times, course)
        skeleton: Floats = frames.places.astype(np.float32)
        hung, points = self.lag.at(times, course, frames)
        strands: tuple[Strands, ...] = (self._face(frames),)
        if points is not None and self.hair is not None:
            material = Material("hair", self.person.hair.colour, roughness=0.35)
            strands = (*strands, Strands("hair", "hair", points.astype(np.float32), self.hair.radius.astype(np.float32), material))
        return Body(times, (*(worn.posed(frames) for worn in self.worn), *hung), strands, self.figure.skeleton.names, skeleton)

    def _face(self, frames: Frames) -> Strands:
        """Eyebrows and beard; never as light as skin, or they would not be seen."""
        grown = self.face
        count, many, _ = grown.points.shape
        points = frames.carried("head", grown.points.reshape(-1, 3)).reshape(-1, count, many, 3)
        dark = tuple(min(h, 0.5 * s) for h, s in zip(self.person.hair.colour, self.person.skin, strict=True))
        material = Material("face hair", (dark[0], dark[1], dark[2]), roughness=0.5)
        return Strands("face hair", "hair", points.astype(np.float32), grown.radius.astype(np.float32), material)

    def furniture(self, course: Course) -> tuple[Mesh, ...]:
        """What somebody needs to do what they do, standing still: a stool for those who sit. One time; no part of the person."""
        if self.person.motion != "sit":
            return ()
        high, wide = seat_height(self.anatomy) - 0.03 + self.sole, 0.24 * self.anatomy.hip_height + 0.16
        solid = moved(cuboid((wide, high, 0.9 * wide), 3), (0.0, high / 2, -0.12 * wide))
        turn = turned("y", np.array(course.facings[0]))
        points = apply(turn, solid[0]) + [course.places[0][0], course.height, course.places[0][1]]
        material = draw_cloth(np.random.default_rng([self.person.detail_seed, 4]), "stool", patterned=0.2)
        rest = solid[0].astype(np.float32)
        return (Mesh("stool", "prop", points[None].astype(np.float32), solid[1].astype(np.int32), rest, material),)

    def _frames(self, times: Doubles, course: Course) -> Frames:
        stance = Choreography(self.person, self.anatomy, course, float(times.max(initial=0.0))).at(times)
        frames = self.anatomy.solve(stance, sole=self.sole)
        if not stance.feet:
            # whoever lies touches the ground with the lowest point of the moment
            rows = np.unique(base_mesh().faces("body"))[::4]
            lowest = Skin.of_base(rows).follow(self.figure.vertices[rows], frames)[:, :, 1].min(axis=1) - course.height
            frames = Frames(frames.skeleton, frames.turns, frames.places - lowest[:, None, None] * [0.0, 1.0, 0.0])
        return frames


def make_actor(person: Person, assets: FilePath | None = None) -> PersonActor:
    """A person made real. assets: the folder of MakeHuman's assets (its ``base``), None for plainer clothes.
    DataMissing says what is not there."""
    return PersonActor(person, assets)
