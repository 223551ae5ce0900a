"""Garbage and holdout mattes: inside of them nobody is there, or it is all of one person's, or what others have is handed to one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.controls.carry import Carrier, Surface, carried_by
from vr180_ofx.controls.contract import Around, EyeMattes, Mattes
from vr180_ofx.controls.coverage import Coverage, of_picture, of_polygon
from vr180_ofx.controls.files import identity as files_identity
from vr180_ofx.controls.files import read_matte
from vr180_ofx.imaging.parts import bounds
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.resize import resize
from vr180_ofx.matte.composite import fit_union
from vr180_ofx.matte.patch import Patch, spread
from vr180_ofx.people.mattes_file import InputMatte, Kind
from vr180_ofx.people.plan import Plan
from vr180_ofx.vr180.layout import Layout, other_eye

#: The number of the only layer where nobody is told from anybody.
EVERYBODY = 1


@dataclass(frozen=True, slots=True)
class Covered:
    """Where a matte is in one eye.

    of: (person, rectangle) -> coverage, (rect.height, rect.width). rect: where it may be. sure: person -> how far to trust that, 0..1.
    """

    of: Callable[[int, Rect], FloatArray]
    rect: Rect
    sure: Callable[[int], float]


class MatteControls:
    """See `contract.Control`. mattes: those of ``kinds`` are applied, in their order. layout: how the clip's pictures hold its eyes."""

    def __init__(self, plan: Plan, mattes: Sequence[InputMatte], layout: Layout, kinds: Sequence[Kind]) -> None:
        self._plan = plan
        self._layout = layout
        self._mattes = [m for m in mattes if m.kind in kinds]
        self._told_apart = bool(plan.people)

    def identity(self, n: int) -> str:
        said = []
        for matte in self._mattes:
            facts = matte.facts(n)
            if facts is not None:
                files = "" if matte.image is None else files_identity(matte.image, n, self._layout, self._plan.frames)
                said.append(f"{facts}{files}")
        if not said:
            return ""
        return f"mattes|{carried_by(self._plan, n)}|{self._layout}|{'|'.join(said)}"

    def neighbours(self, n: int) -> tuple[int, ...]:
        return ()

    def apply(self, n: int, mattes: Mattes, around: Around) -> Mattes:
        out = {view: EyeMattes(eye.width, eye.height, dict(eye.people)) for view, eye in mattes.items()}
        carrier: Carrier | None = None

        def carriers() -> Carrier:
            nonlocal carrier
            if carrier is None:
                # by the mattes as they are before any of these takes something away
                carrier = self._carrier(n, mattes, around)
            return carrier

        for matte in self._mattes:
            if not matte.active(n):
                continue
            drawn = self._drawn(matte, n, out)
            covered = {view: _as_drawn(coverage) for view, coverage in drawn.items()}
            if matte.carry and len(drawn) == 1 and len(out) == 2:
                view = next(iter(drawn))
                covered[other_eye(view)] = self._carried(matte, drawn[view], view, carriers(), around)
            for view, where in covered.items():
                out[view] = self._forced(out[view], matte, where)
        for eye in out.values():
            fit_union(list(eye.people.values()))
        return out

    def _drawn(self, matte: InputMatte, n: int, mattes: Mattes) -> dict[str, Coverage]:
        """In the eyes in which it was drawn, in pixels of the mattes."""
        out = {}
        if matte.image is not None:
            for view, values in read_matte(matte, matte.image, n, self._layout, self._plan.frames).items():
                eye = mattes[view]
                scale = eye.width / self._plan.projection.width
                small = values if scale == 1 else resize(values, (eye.width, eye.height), "area")
                out[view] = of_picture(small, matte.feather * scale)
            return out
        for view in self._plan.views:
            points = matte.shape(view, n)
            if points is not None:
                eye = mattes[view]
                scale = eye.width / self._plan.projection.width
                out[view] = of_polygon(points * scale, matte.feather * scale, eye.width, eye.height)
        return out

    def _carrier(self, n: int, mattes: Mattes, around: Around) -> Carrier:
        width = next(iter(mattes.values())).width
        factor = round(self._plan.projection.width / width)
        eyes = {view: eye if factor == 1 else eye.reduced(factor) for view, eye in around.picture(n).eyes.items()}
        return Carrier.of(n, self._plan, eyes, mattes)

    def _carried(
        self, matte: InputMatte, drawn: Coverage, view: str, carrier: Carrier, around: Around
    ) -> Covered:  # fmt: skip
        """In the other eye. Raises InputMatteError."""
        label = f"{matte.name} {other_eye(view)}"
        nothing = Rect(0, 0, 0, 0)
        if drawn.empty:
            return Covered(lambda p, rect: np.zeros((rect.height, rect.width), np.float32), nothing, lambda p: 1.0)
        if matte.kind == "holdout":
            cover, surface = carrier.of_place(drawn, view, self._whose(matte), matte)
            _say(around, label, surface)
            return Covered(lambda p, rect: cover(rect), carrier.extent(drawn, view, surface), lambda p: surface.sure)
        found = {}
        for p in carrier.people(other_eye(view)):
            if matte.kind == "hand_over" or matte.person in (None, p):
                moved = carrier.of_person(drawn, view, p, matte)
                if moved is not None:
                    found[p] = moved
        if found:
            least = min((surface for _, surface in found.values()), key=lambda s: s.sure)
            _say(around, label, least)

        def of(person: int, rect: Rect) -> FloatArray:
            return found[person][0](rect) if person in found else np.zeros((rect.height, rect.width), np.float32)

        return Covered(of, nothing, lambda p: found[p][1].sure if p in found else 1.0)

    def _whose(self, matte: InputMatte) -> int:
        """Whose a matte makes it."""
        if not self._told_apart:
            return EVERYBODY
        return matte.person if matte.person is not None else self._plan.people[0].id

    def _forced(self, eye: EyeMattes, matte: InputMatte, where: Covered) -> EyeMattes:
        def cover(person: int, rect: Rect) -> FloatArray:
            inside = where.of(person, rect)
            return 1 - inside if matte.invert else inside

        people = dict(eye.people)
        if matte.kind == "garbage":
            for p, patch in eye.people.items():
                if matte.person in (None, p) or not self._told_apart:
                    people[p] = _without(patch, cover(p, patch.rect), where.sure(p))
            return EyeMattes(eye.width, eye.height, people)
        whose = self._whose(matte)
        given = people.get(whose)
        rect = given.rect if given is not None else Rect(0, 0, 0, 0)
        if matte.kind == "holdout":
            whole = Rect.of_size(eye.width, eye.height)
            rect = rect.union(whole if matte.invert else where.rect.clipped(eye.width, eye.height))
            inside = cover(whose, rect)
            alpha, confidence = spread(given, rect, around=1)
            people[whose] = Patch(rect, alpha + (1 - alpha) * inside, _certain(confidence, inside, where.sure(whose)))
            for p, patch in eye.people.items():
                if p != whose:
                    people[p] = _without(patch, cover(p, patch.rect), where.sure(p))
        else:
            taken = {p: patch.alpha * cover(p, patch.rect) for p, patch in eye.people.items() if p != whose}
            for p, share in taken.items():
                there = bounds(share > 0)
                rect = rect.union(there.shifted(eye.people[p].rect.x0, eye.people[p].rect.y0)) if not there.empty else rect
            alpha, confidence = spread(given, rect, around=1)
            for p, share in taken.items():
                patch = eye.people[p]
                theirs, their_confidence = spread(Patch(patch.rect, share, patch.confidence), rect, around=1)
                alpha += theirs
                confidence = np.where(theirs > 0, np.minimum(confidence, their_confidence), confidence)
                people[p] = Patch(patch.rect, patch.alpha - share, patch.confidence)
            if not rect.empty:
                people[whose] = Patch(rect, alpha, confidence)
        excluded = {p.id for p in self._plan.people if p.exclude}
        return EyeMattes(eye.width, eye.height, {p: patch for p, patch in people.items() if p not in excluded})


def _say(around: Around, label: str, surface: Surface) -> None:
    around.say("carried", label, f"{surface.by}, {surface.sure:.2f} of it measured")
    if surface.flat:
        around.say("carried_flat", label, surface.by)


def _as_drawn(coverage: Coverage) -> Covered:
    return Covered(lambda p, rect: coverage.within(rect), coverage.rect, lambda p: 1.0)


def _without(patch: Patch, inside: FloatArray, sure: float) -> Patch:
    return Patch(patch.rect, patch.alpha * (1 - inside), _certain(patch.confidence, inside, sure))


def _certain(confidence: FloatArray, inside: FloatArray, sure: float) -> FloatArray:
    """Where a matte says what is there, it is as sure as the matte's place."""
    out: FloatArray = confidence + (np.float32(sure) - confidence) * inside
    return out
