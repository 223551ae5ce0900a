"""All of a person that lags behind the body, simulated once for a course and asked at any times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .base_mesh import Doubles, base_mesh
from .contract import Course, Hair, Mesh
from .drape import Capsules, Net, between, chains, grid_times, nearest_guides, simulate
from .hair import Grown
from .hanging import Hung, Surface
from .regions import Figure, compact
from .skeleton import Frames

#: strands that are simulated; the others follow the nearest three
GUIDES = 110
#: shorter hair keeps its shape, metres
STIFF = 0.09


@dataclass(frozen=True, slots=True)
class Run:
    """Displacements on the grid for one course. times: (t,); hung: one (t, n, 3) for each; hair: (t, g, m, 3) of the guides."""

    course: Course
    times: Doubles
    hung: tuple[Doubles, ...]
    hair: Doubles | None


class Lag:
    """Hair and hanging cloth of one person. frames: gives bones at times along a course."""

    def __init__(
        self, figure: Figure, hung: list[Hung], hair: Hair, grown: Grown | None, frames: Callable[[Doubles, Course], Frames]
    ) -> None:
        self.figure, self.hung, self.hair, self.grown = figure, hung, hair, grown
        self._frames = frames
        self._capsules = Capsules.of(figure)
        self._run: Run | None = None
        rows, faces = compact(base_mesh().faces("helper-tights"))
        self._tights = Surface(figure, rows, faces)
        body = base_mesh().faces("body")
        high = figure.skeleton.head("spine03")[1]
        rows, faces = compact(body[(figure.vertices[body][:, :, 1] > high).all(axis=1) & (figure.regions.arm[body] < 0.6).all(axis=1)])
        self._upper = Surface(figure, rows, faces)
        self._guides = np.zeros(0, np.int64)
        if grown is not None and hair.length_m > STIFF and not grown.tied.all():
            free = np.flatnonzero(~grown.tied)
            self._guides = free[:: max(1, len(free) // GUIDES)]
            self._near = nearest_guides(grown.points[free][:, 1], grown.points[self._guides][:, 1])

    def at(self, times: Doubles, course: Course, frames: Frames) -> tuple[list[Mesh], Doubles | None]:
        """Hanging meshes, and all strands (t, k, m, 3), at times; frames are the bones then."""
        run = self._simulated(course, float(times.max(initial=0.0)))
        meshes = []
        if self.hung:
            shells = self._tights.shells(frames)
            for hung, displaced in zip(self.hung, run.hung, strict=True):
                vertices = hung.rigid(frames) + between(run.times, displaced, times)
                fixed = hung.net.hold >= 1
                for k, shell in enumerate(shells):
                    pushed = shell.outside(vertices[k], 0.85 * hung.net.apart)
                    vertices[k] = np.where(fixed[:, None], vertices[k], pushed)
                    vertices[k, :, 1] = np.maximum(vertices[k, :, 1], course.height + 0.003)
                meshes.append(hung.posed(vertices))
        return meshes, self._strands(run, times, course, frames)

    def _strands(self, run: Run, times: Doubles, course: Course, frames: Frames) -> Doubles | None:
        grown = self.grown
        if grown is None:
            return None
        count, many, _ = grown.points.shape
        points = frames.carried("head", grown.points.reshape(-1, 3)).reshape(-1, count, many, 3)
        if run.hair is None:
            return points
        free = np.flatnonzero(~grown.tied)
        rows, shares = self._near
        guides = between(run.times, run.hair, times)
        for k, shell in enumerate(self._upper.shells(frames)):
            moved = points[k, free]
            for j in range(rows.shape[1]):
                moved = moved + shares[:, j, None, None] * guides[k, rows[:, j]]
            moved[:, 2:] = shell.outside(moved[:, 2:], 0.003, within=0.05)
            moved[..., 1] = np.maximum(moved[..., 1], course.height + 0.002)
            points[k, free] = moved
        return points

    def _simulated(self, course: Course, until: float) -> Run:
        if self._run is not None and self._run.course == course and self._run.times[-1] >= until:
            return self._run
        # half seconds: the next question is likely a little later
        times = grid_times(np.ceil(2 * until) / 2)
        simulated: list[Doubles] = []
        hair = None
        if self.hung or len(self._guides):
            frames = self._frames(times, course)
            capsules = self._capsules.at(frames)
            simulated = [simulate(h.net, h.rigid(frames), capsules, self._capsules.radii, course.height) for h in self.hung]
            if len(self._guides) and self.grown is not None:
                rest = self.grown.points[self._guides]
                rigid = frames.carried("head", rest.reshape(-1, 3))
                moved = simulate(self._hair_net(rest), rigid, capsules, self._capsules.radii, course.height)
                hair = moved.reshape(len(times), *rest.shape)
        self._run = Run(course, times, tuple(simulated), hair)
        return self._run

    def _hair_net(self, rest: Doubles) -> Net:
        """How fast hair lies: fast at the scalp, the less the looser, and curls keep their shape."""
        gone = np.concatenate([np.zeros((len(rest), 1)), np.cumsum(np.linalg.norm(np.diff(rest, axis=1), axis=2), axis=1)], axis=1)
        end = {"afro": 0.4, "wild": 0.12}.get(self.hair.style, 0.01 + 0.05 * (1 - self.hair.loose) + 0.06 * self.hair.curl)
        hold = end + (1 - end) * np.exp(-gone / 0.025) * 0.8
        hold[:, :2] = 1.0
        return chains(rest, hold, 0.006)
