"""Who was found, who is a ghost, and who was taken for somebody else: in each eye of each frame."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from bench.score.likenesses import likenesses
from vr180_ofx.arrays import BoolArray, FloatArray
from vr180_ofx.imaging.morphology import dilate, square
from vr180_ofx.imaging.parts import bounds, connected_parts
from vr180_ofx.quality import metrics
from vr180_ofx.quality.evaluate import FOUND
from vr180_ofx.quality.truth import Truth, TruthFrame

#: Somebody must be found who is at least so high, of the view, and shows at least so much of themselves (what the benchmark promises).
LEAST_HEIGHT, LEAST_VISIBLE = 1 / 20, 1 / 3
#: The area of a body, of the square of its height: 0.18 to 0.24 for people who stand, in the truths of rendered bodies.
BODY_AREA = 0.2
#: Below this alpha nobody is there: a hundredth of a pixel's light, and more than 8 bits and a codec make of nothing.
_TOUCHED = 0.01
#: So many boundary bands away from anybody nothing is an edge's error.
_AWAY = 2


@dataclass(frozen=True, slots=True)
class Sighting:
    """A person of the truth in an eye of a frame.

    angle_degrees: from the view's axis to their middle. size_degrees: how high or wide they are, the larger one. counts: whether they must
    be found. found: whether everybody's alpha covers enough of them. layer: the layer that covers most of them, '' where none covers
    enough. iou: of everybody's alpha around them.
    """

    person: int
    view: str
    frame: int
    angle_degrees: float
    size_degrees: float
    visible: float
    counts: bool
    found: bool
    layer: str
    iou: float


@dataclass(slots=True)
class Observer:
    """Called by `vr180_ofx.quality.evaluate.evaluate` with each eye of each frame; collects.

    eyes: rows of {frame, view, present, ghosts, on_likenesses, false_area}. ghosts: pieces of matte, each as large as somebody who must be
    found, away from everybody and what they hold. on_likenesses: those of them of which half lies where a mannequin, a statue or a poster
    of people may be. false_area: share of the view that is more than half covered there.
    """

    truth: Truth
    sightings: list[Sighting] = field(default_factory=list)
    eyes: list[dict[str, Any]] = field(default_factory=list)
    has_layers: bool = False
    _likenesses: dict[str, BoolArray] | None = None

    def __call__(self, frame: TruthFrame, view: str, layers: dict[str, FloatArray], index: int) -> None:
        width, height = self.truth.layout.eye_size
        radius = _AWAY * metrics.band_radius(width)
        alpha, real = layers[""], frame.union(view)
        self.has_layers |= len([n for n in layers if n]) > 0
        there = real > _TOUCHED
        if frame.held is not None:
            there |= frame.held[view] > _TOUCHED
        away = (alpha > 0.5) & ~dilate(there, square(radius))
        least = BODY_AREA * (LEAST_HEIGHT * height) ** 2
        ghosts, alike = self._ghosts(away, view, least) if away.any() else (0, 0)
        bodies = {k: a for k, a in frame.people[view].items() if (a > 0.5).any()}
        self.eyes.append(
            {
                "frame": index, "view": view, "present": len(bodies), "ghosts": ghosts, "on_likenesses": alike,
                "false_area": float(np.count_nonzero(away)) / away.size, "covered": float(np.count_nonzero(real > 0.5)) / real.size,
            }
        )  # fmt: skip
        for k, body in bodies.items():
            self.sightings.append(self._sighting((k, view, index), body > 0.5, real, layers))

    def _ghosts(self, away: BoolArray, view: str, least: float) -> tuple[int, int]:
        """(pieces of at least so many pixels, those of them on likenesses)."""
        if self._likenesses is None:
            self._likenesses = likenesses(self.truth)
        parts = connected_parts(away, 8)
        large = [k for k, area in enumerate(parts.areas) if area >= least]
        alike = [k for k in large if self._likenesses[view][parts.labels == k].mean() >= 0.5]
        return len(large), len(alike)

    def _sighting(
        self, which: tuple[int, str, int], body: BoolArray, real: FloatArray, layers: dict[str, FloatArray]
    ) -> Sighting:  # fmt: skip
        """which: (person, view, frame). body: where they are. real: everybody's alpha."""
        person, view, frame = which
        width, height = self.truth.layout.eye_size
        radius = _AWAY * metrics.band_radius(width)
        alpha = layers[""]
        box = bounds(body)
        area = float(np.count_nonzero(body))
        cover = {name: float(np.count_nonzero(a[body] > 0.5)) / area for name, a in layers.items()}
        best = max((n for n in layers if n), key=lambda n: (cover[n], n), default="")
        angle, size = self._angles(body)
        visible = self._visible(person, view, frame)
        near = box.grown(radius + 1).clipped(width, height)
        around = dilate(np.ascontiguousarray(body[near.slices]), square(radius))
        return Sighting(
            person, view, frame, angle, size, visible,
            counts=max(box.width / width, box.height / height) >= LEAST_HEIGHT and visible >= LEAST_VISIBLE,
            found=cover[""] >= FOUND, layer=best if best and cover[best] >= FOUND else "",
            iou=metrics.iou(np.where(around, alpha[near.slices], 0), np.where(around, real[near.slices], 0)),
        )  # fmt: skip

    def _angles(self, body: BoolArray) -> tuple[float, float]:
        """(from the axis to the middle, the larger extent), degrees. From pixels of the body: a box's corners may lie outside of a lens."""
        ys, xs = np.nonzero(body)
        ends = [int(np.argmin(xs)), int(np.argmax(xs)), int(np.argmin(ys)), int(np.argmax(ys))]
        points = np.array([(xs.mean(), ys.mean()), *((xs[i], ys[i]) for i in ends)], np.float64) + 0.5
        rays = self.truth.projection.unproject(points)
        rays = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
        across, down = (math.degrees(math.acos(float(np.clip(rays[a] @ rays[b], -1, 1)))) for a, b in ((1, 2), (3, 4)))
        return math.degrees(math.acos(float(np.clip(rays[0, 2], -1, 1)))), max(across, down)

    def _visible(self, person: int, view: str, frame: int) -> float:
        """The share of somebody that nothing hides, as the scene says it; 1 where it says nothing."""
        people = self.truth.scene.get("people", [])
        said = people[person - 1].get("visible", {}) if person <= len(people) else {}
        values = said.get(view, []) if isinstance(said, dict) else []
        value = values[frame] if frame < len(values) else None
        return 1.0 if value is None else float(value)

    def switches(self) -> tuple[int, int]:
        """(how often somebody's layer is another one than in the last frame in which they had one, how often that could be): MOT's IDSW."""
        wrong = possible = 0
        for rows in self._tracks():
            named = [r.layer for r in rows if r.layer]
            possible += max(0, len(named) - 1)
            wrong += sum(a != b for a, b in pairwise(named))
        return wrong, possible

    def eyes_disagree(self) -> tuple[int, int]:
        """(how often somebody has another layer in the other eye, in how many frames both eyes have one)."""
        wrong = possible = 0
        frames: dict[tuple[int, int], list[str]] = defaultdict(list)
        for s in self.sightings:
            if s.layer:
                frames[s.person, s.frame].append(s.layer)
        for layers in frames.values():
            possible += len(layers) > 1
            wrong += len(set(layers)) > 1
        return wrong, possible

    def shared(self) -> int:
        """How often two people of an eye have the same layer."""
        eyes: dict[tuple[str, int], list[str]] = defaultdict(list)
        for s in self.sightings:
            if s.layer:
                eyes[s.view, s.frame].append(s.layer)
        return sum(len(layers) - len(set(layers)) for layers in eyes.values())

    def _tracks(self) -> Iterator[list[Sighting]]:
        tracks: dict[tuple[int, str], list[Sighting]] = defaultdict(list)
        for s in sorted(self.sightings, key=lambda s: s.frame):
            tracks[s.person, s.view].append(s)
        yield from tracks.values()
