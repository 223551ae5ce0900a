"""Mattes averaged with those of the frames beside them, along the motion of the picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.controls.contract import Around, EyeMattes, Mattes
from vr180_ofx.controls.motion import EyeMotion, motion_of_eye
from vr180_ofx.controls.shot import beside
from vr180_ofx.imaging.flow import pixel_indices
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.sample import sample
from vr180_ofx.matte.composite import fit_union
from vr180_ofx.matte.parameters import TEMPORAL
from vr180_ofx.matte.patch import Patch
from vr180_ofx.matte.uncertainty import uncertainty
from vr180_ofx.settings.edges import EdgesSettings


class TemporalSmoothing:
    """The edge control ``temporal``: see `contract.Control`, and `edges.EdgeControls` for the arguments."""

    def __init__(
        self, values: Callable[[int, int | None], EdgesSettings], people: tuple[int, ...], shots: Sequence[tuple[int, int]], *, alone: bool
    ) -> None:  # fmt: skip
        self._values = values
        self._people = people
        self._shots = tuple(shots)
        self._alone = alone

    def identity(self, n: int) -> str:
        said = {p: self._values(n, p).temporal for p in (None, *self._people)}
        if self._alone or not any(said.values()) or not beside(n, self._shots):
            return ""
        return "temporal|" + "|".join(f"{p}:{v!r}" for p, v in said.items())

    def neighbours(self, n: int) -> tuple[int, ...]:
        return beside(n, self._shots) if self.identity(n) else ()

    def apply(self, n: int, mattes: Mattes, around: Around) -> Mattes:
        return {view: self._eye(n, view, eye, around) for view, eye in mattes.items()}

    def _eye(self, n: int, view: str, eye: EyeMattes, around: Around) -> EyeMattes:
        motion = motion_of_eye(n, view, eye, around, beside(n, self._shots), with_mattes=True)
        if motion is None:
            return eye
        people = {p: smoothed(p, patch, self._values(n, p).temporal, motion) for p, patch in eye.people.items()}
        fit_union(list(people.values()))
        return EyeMattes(eye.width, eye.height, people)


def smoothed(person: int, patch: Patch, strength: float, motion: EyeMotion) -> Patch:
    """A matte averaged with those of the frames beside it, along the motion. strength: 0..1, how much each counts beside this frame's 1.

    Where the picture does not look the same there, they do not count, nor where this frame is certain, which would make haze about people;
    unless all of them have the opposite. Trust is averaged alike, and never more than it was.
    """
    rect = patch.rect.intersection(motion.rect)
    others = [k for k in motion.fields if person in motion.mattes[k]]
    if not strength or not others or rect != patch.rect or rect.empty:
        return patch
    warped = [_warped(motion, k, motion.mattes[k][person], rect) for k in others]
    counts = uncertainty(patch.alpha, TEMPORAL.uncertain, 1)
    if len(warped) > 1:
        low, high = TEMPORAL.opposed_from, TEMPORAL.opposed_to
        opposite = [np.clip((np.abs(a - patch.alpha) - low) / np.float32(high - low), 0, 1) * trust for a, _, trust in warped]
        counts = np.maximum(counts, np.minimum.reduce(opposite))
    total, sure, weight = patch.alpha.copy(), patch.confidence.copy(), np.ones_like(patch.alpha)
    for alpha, confidence, trust in warped:
        share = trust * counts * np.float32(strength)
        total += share * alpha
        sure += share * confidence
        weight += share
    return Patch(rect, np.clip(total / weight, 0, 1), np.minimum(patch.confidence, sure / weight))


def _warped(motion: EyeMotion, n: int, patch: Patch, rect: Rect) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(alpha, confidence, trust) of another frame's matte at the places of ``rect``."""
    moved, trust = motion.within(n, rect)
    height, width = trust.shape
    places = moved + pixel_indices(width, height)
    places += np.array([rect.x0 - patch.rect.x0, rect.y0 - patch.rect.y0], np.float32)
    # cubic: linear interpolation would soften edges
    alpha = sample(patch.alpha, places, interpolation="cubic", centre=0)
    confidence = sample(patch.confidence, places, border=1.0, centre=0)
    return np.clip(alpha, 0, 1), confidence, trust
