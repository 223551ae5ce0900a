"""Edge controls: mattes that grow or shrink. The same is done in both eyes."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.controls.contract import Around, EyeMattes, Mattes
from vr180_ofx.imaging.morphology import dilate, disc, erode
from vr180_ofx.matte.composite import fit_union
from vr180_ofx.matte.patch import Patch, spread
from vr180_ofx.settings.edges import EdgesSettings


class EdgeControls:
    """See `contract.Control`. values: (frame, person) -> what is done to their edges; a person of None is everybody who has nothing of
    their own.
    """

    def __init__(self, values: Callable[[int, int | None], EdgesSettings], people: tuple[int, ...]) -> None:
        self._values = values
        self._people = people

    def identity(self, n: int) -> str:
        said = {p: self._values(n, p) for p in (None, *self._people)}
        if all(v == EdgesSettings() for v in said.values()):
            return ""
        return "edges|" + "|".join(f"{p}:{v.model_dump_json()}" for p, v in said.items())

    def neighbours(self, n: int) -> tuple[int, ...]:
        return ()

    def apply(self, n: int, mattes: Mattes, around: Around) -> Mattes:
        return {view: self._eye(n, eye) for view, eye in mattes.items()}

    def _eye(self, n: int, eye: EyeMattes) -> EyeMattes:
        people = {p: shaped(patch, self._values(n, p), eye.width, eye.height) for p, patch in eye.people.items()}
        fit_union(list(people.values()))
        return EyeMattes(eye.width, eye.height, people)


def shaped(patch: Patch, edges: EdgesSettings, width: int, height: int) -> Patch:
    """A matte with ``edges`` done to it, in arrays of its own. width, height: of the eye's picture."""
    room = math.ceil(max(0.0, edges.size))
    rect = patch.rect.grown(room).clipped(width, height) if not patch.rect.empty else patch.rect
    alpha, confidence = spread(patch, rect, around=1)
    return Patch(rect, resized(alpha, edges.size), confidence)


def resized(alpha: FloatArray, size: float) -> FloatArray:
    """Grey morphology with a disc, which keeps the profile of soft edges: it moves them by ``size`` pixels, outwards above 0.

    alpha: (h, w) 0..1. Between whole radii the two results are mixed, which for a straight edge is exact coverage.
    """
    if size == 0 or not alpha.size:
        return alpha
    move = dilate if size > 0 else erode
    low = math.floor(abs(size))
    share = np.float32(abs(size) - low)
    out = alpha if low == 0 else move(alpha, disc(low))
    if share == 0:
        return out
    mixed: FloatArray = (1 - share) * out + share * move(alpha, disc(low + 1))
    return mixed
