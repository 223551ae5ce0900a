"""Edge controls: what is done to the edges of mattes, the same in both eyes. The order is that of `settings.edges.EdgesSettings`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.controls.blur import blurred_by_motion
from vr180_ofx.controls.contract import Around, EyeMattes, Mattes
from vr180_ofx.controls.islands import without_holes, without_islands
from vr180_ofx.controls.lengths import Lengths, Milliradians, Pixels
from vr180_ofx.controls.levels import has_levels, levels
from vr180_ofx.controls.motion import EyeMotion, motion_of_eye
from vr180_ofx.controls.outline import feathered, resized, room
from vr180_ofx.controls.shot import beside
from vr180_ofx.imaging.morphology import box, dilate
from vr180_ofx.imaging.parts import bounds
from vr180_ofx.matte.composite import fit_union
from vr180_ofx.matte.patch import Patch, spread
from vr180_ofx.settings.edges import EdgesSettings
from vr180_ofx.vr180.projection import Projection

#: Who is near counts so much of what who is there does: it decides only where nobody was before.
_NEAR = np.float32(1e-4)
#: What alone does nothing, and what `temporal.TemporalSmoothing` does.
_NO_ACT = {"unit": "pixels", "keep_motion_blur": False, "temporal": 0.0}


class EdgeControls:
    """See `contract.Control`.

    values: (frame, person) -> what is done to their edges; a person of None is everybody who has nothing of their own. people: who has.
    projection: of an eye at full resolution. shots: (first, last) frames. alone: a draft, which is made of one frame alone: nothing is
    done that looks at others.

    Edges are those against what is behind everybody: where people touch or cover each other their common border stays, and no gap opens
    between them.
    """

    def __init__(
        self, values: Callable[[int, int | None], EdgesSettings], people: tuple[int, ...], projection: Projection,
        shots: Sequence[tuple[int, int]], *, alone: bool = False,
    ) -> None:  # fmt: skip
        self._values = values
        self._people = people
        self._projection = projection
        self._shots = tuple(shots)
        self._alone = alone

    def identity(self, n: int) -> str:
        said = self._all(n)
        if not any(acts(v) for v in said.values()):
            return ""
        return f"edges|{self._alone}|" + "|".join(f"{p}:{v.model_dump_json()}" for p, v in said.items())

    def neighbours(self, n: int) -> tuple[int, ...]:
        return ()

    def apply(self, n: int, mattes: Mattes, around: Around) -> Mattes:
        return {view: self._eye(n, view, eye, around) for view, eye in mattes.items()}

    def _all(self, n: int) -> dict[int | None, EdgesSettings]:
        return {p: self._values(n, p) for p in (None, *self._people)}

    def _eye(self, n: int, view: str, eye: EyeMattes, around: Around) -> EyeMattes:
        values = {p: self._values(n, p) for p in eye.people}
        motion: EyeMotion | None = None
        if not self._alone and any(v.keep_motion_blur and has_levels(v) for v in values.values()):
            motion = motion_of_eye(n, view, eye, around, beside(n, self._shots), with_mattes=False)
        made = {p: self._person(p, values[p], eye, motion) for p in eye.people}
        # rounding, and what differs between people: it is little where it is anything
        fit_union(list(made.values()))
        return EyeMattes(eye.width, eye.height, made)

    def _person(self, person: int, edges: EdgesSettings, eye: EyeMattes, motion: EyeMotion | None) -> Patch:
        """Their matte with everything done to it, in arrays of its own."""
        patch = eye.people[person]
        picture, lengths = (eye.width, eye.height), self._lengths(edges, eye)
        if patch.rect.empty or not acts(edges):
            return Patch(patch.rect, *spread(patch, patch.rect))
        rect = patch.rect.grown(room(patch.rect, edges.size, edges.feather, lengths)).clipped(*picture)
        # as far as somebody else may decide what becomes of this one
        wide = patch.rect.grown(room(patch.rect, abs(edges.size), edges.feather, lengths) + 1).clipped(*picture)
        others = [q for k, q in eye.people.items() if k != person and not q.rect.intersection(wide).empty]
        rect = wide if others else rect
        keep = None
        if motion is not None and edges.keep_motion_blur and has_levels(edges):
            keep = blurred_by_motion(patch, rect, motion, eye.width / self._projection.width)
        own = Patch(rect, *spread(patch, rect, around=1))
        if not others:
            return shaped(own, edges, lengths, picture, keep)
        rest, trust = np.zeros_like(own.alpha), own.confidence.copy()
        for q in others:
            common = q.rect.intersection(rect)
            theirs, there = (common.shifted(-r.x0, -r.y0).slices for r in (q.rect, rect))
            rest[there] += q.alpha[theirs]
            np.minimum(trust[there], q.confidence[theirs], out=trust[there])
        np.minimum(rest, 1 - own.alpha, out=rest)
        made = shaped(Patch(rect, own.alpha + rest, trust), edges, lengths, picture, keep)
        # made of `trust`, and of nobody else's arrays
        np.multiply(made.alpha, _share(own.alpha, rest, patch.rect.x0 - rect.x0 + rect.x1 - patch.rect.x1), out=made.alpha)
        return made

    def _lengths(self, edges: EdgesSettings, eye: EyeMattes) -> Lengths:
        if edges.unit == "milliradians":
            return Milliradians(self._projection.resized(eye.width, eye.height))
        return Pixels(eye.width / self._projection.width)


def acts(edges: EdgesSettings) -> bool:
    """Whether anything is done here: units, and what holds back, are nothing by themselves."""
    return edges.model_copy(update=_NO_ACT) != _NOTHING


_NOTHING = EdgesSettings()


def shaped(
    patch: Patch, edges: EdgesSettings, lengths: Lengths, picture: tuple[int, int], keep: FloatArray | None = None
) -> Patch:  # fmt: skip
    """A matte with levels, islands, holes, size and feather done to it, in arrays of its own.

    patch: with room for what grows, see `outline.room`. picture: (width, height). keep: (h, w) 0..1, how far levels leave pixels as they
    are.
    """
    rect, alpha, confidence = patch.rect, patch.alpha, patch.confidence
    if has_levels(edges):
        changed = levels(alpha, edges)
        alpha = changed if keep is None else changed + keep * (alpha - changed)
    if edges.despeckle:
        alpha, confidence = without_islands(alpha, confidence, rect, edges.despeckle, lengths)
    if edges.close_holes:
        alpha, confidence = without_holes(alpha, confidence, rect, edges.close_holes, lengths)
    alpha, confidence = resized(alpha, confidence, rect, edges.size, lengths=lengths, picture=picture)
    alpha, confidence = feathered(alpha, confidence, rect, edges.feather, lengths=lengths, picture=picture)
    return Patch(rect, alpha.copy() if alpha is patch.alpha else alpha, confidence)


def _share(own: FloatArray, rest: FloatArray, reach: int) -> FloatArray:
    """How much of what is there is this person's, 0..1; where nobody was, of who is within ``reach`` pixels."""
    height, width = own.shape
    out = np.ones_like(own)
    # elsewhere nobody else is near
    part = bounds(rest > 0).grown(reach).clipped(width, height)
    if part.empty:
        return out
    wide = part.grown(reach).clipped(width, height)
    around, within = box(2 * reach + 1, 2 * reach + 1), part.shifted(-wide.x0, -wide.y0).slices
    own_near, rest_near = (dilate(v[wide.slices], around)[within] for v in (own, rest))
    own, rest = own[part.slices], rest[part.slices]
    near = 1 - own
    near -= rest
    near *= _NEAR
    mine = np.multiply(own_near, near, out=np.empty_like(near))
    mine += own
    total = np.multiply(rest_near, near, out=near)
    total += rest
    total += mine
    np.divide(mine, total, out=out[part.slices], where=total > 0)
    return out
