"""Edge controls: what is done to the edges of mattes, the same in both eyes. The order is that of `settings.edges.EdgesSettings`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

from vr180_ofx.arrays import FloatArray
from vr180_ofx.controls.blur import blurred_by_motion
from vr180_ofx.controls.contract import Around, EyeMattes, Mattes
from vr180_ofx.controls.islands import without_holes, without_islands
from vr180_ofx.controls.lengths import Lengths, Milliradians, Pixels
from vr180_ofx.controls.levels import has_levels, levels
from vr180_ofx.controls.motion import EyeMotion, motion_of_eye
from vr180_ofx.controls.outline import feathered, resized, room
from vr180_ofx.controls.sharing import Shares, together
from vr180_ofx.controls.shot import beside
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.composite import fit_union
from vr180_ofx.matte.patch import Patch, spread
from vr180_ofx.settings.edges import EdgesSettings
from vr180_ofx.vr180.projection import Projection

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
        made: dict[int, Patch] = {}
        for person, patch in eye.people.items():
            if patch.rect.empty or not acts(values[person]):
                made[person] = Patch(patch.rect, *spread(patch, patch.rect))
        for group in self._groups({p: v for p, v in values.items() if p not in made}, eye, motion):
            made |= self._group(group, values[group[0]], eye, motion)
        if any(v != values[p] for p in values for v in values.values()):
            # what differs between people
            fit_union([made[p] for p in eye.people])
        return EyeMattes(eye.width, eye.height, {p: made[p] for p in eye.people})

    def _groups(self, values: dict[int, EdgesSettings], eye: EyeMattes, motion: EyeMotion | None) -> list[list[int]]:
        """People to whom the same is done, and who may decide what becomes of each other."""
        groups: list[tuple[list[int], Rect]] = []
        for person, edges in values.items():
            rect, members = self._wide(person, edges, eye), [person]
            # what is kept of levels is a person's own
            alone = motion is not None and edges.keep_motion_blur and has_levels(edges)
            while not alone and (near := next((g for g in groups if values[g[0][0]] == edges and not g[1].intersection(rect).empty), None)):
                groups.remove(near)
                rect, members = rect.union(near[1]), near[0] + members
            groups.append((members, rect))
        return [members for members, _ in groups]

    def _wide(self, person: int, edges: EdgesSettings, eye: EyeMattes) -> Rect:
        """As far as somebody else may decide what becomes of a person."""
        rect, lengths = eye.people[person].rect, self._lengths(edges, eye)
        return rect.grown(room(rect, abs(edges.size), edges.feather, lengths) + 1).clipped(eye.width, eye.height)

    def _group(self, group: list[int], edges: EdgesSettings, eye: EyeMattes, motion: EyeMotion | None) -> dict[int, Patch]:
        """Their mattes with everything done to them, in arrays of their own."""
        picture, lengths = (eye.width, eye.height), self._lengths(edges, eye)
        wide = {p: self._wide(p, edges, eye) for p in group}
        rect = reduce(Rect.union, wide.values())
        people = {p: q for p, q in eye.people.items() if not q.rect.intersection(rect).empty}
        if len(people) == 1:
            own = eye.people[group[0]].rect
            rect = own.grown(room(own, edges.size, edges.feather, lengths)).clipped(*picture)
        keep = None
        if motion is not None and edges.keep_motion_blur and has_levels(edges):
            keep = blurred_by_motion(eye.people[group[0]], rect, motion, eye.width / self._projection.width)
        made = shaped(together(people, rect), edges, lengths, picture, keep)
        if len(people) == 1:
            return {group[0]: made}
        # what grows comes from no further away
        reach = max(room(eye.people[p].rect, abs(edges.size), edges.feather, lengths) for p in group) + 1
        return Shares(people, rect, reach).of(made, wide)

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
