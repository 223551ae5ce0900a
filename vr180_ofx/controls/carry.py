"""Input mattes carried into the eye in which they were not drawn: by the disparity of what lies under them.

A matte takes something from people, so it is their surfaces that say where the other eye sees it: each person's own disparity, measured
over all of them, moves the matte along the epipolar lines. Where it adds something (holdout), what lies under it is looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.controls.contract import EyeMattes
from vr180_ofx.controls.coverage import Coverage
from vr180_ofx.errors import InputMatteError
from vr180_ofx.imaging.parts import bounds
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.patch import Patch, spread
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.parameters import identity_of
from vr180_ofx.people.mattes_file import InputMatte
from vr180_ofx.people.plan import Plan
from vr180_ofx.stereo.correspondence import counterpart, extent
from vr180_ofx.stereo.disparity import Disparity, at_distance, measure
from vr180_ofx.stereo.pair import StereoPair, sampled
from vr180_ofx.stereo.parameters import STEREO, SWEEP
from vr180_ofx.stereo.sweep import sweep
from vr180_ofx.vr180.layout import LEFT, other_eye

#: Below a step of eight bits nobody is there.
_SOMEBODY = 1 / 255


@dataclass(frozen=True, slots=True)
class Surface:
    """How far apart the eyes see something.

    sure: 0..1, the share of it where that was measured. by: what says so, in words. flat: whether it is one distance for all of it, for
    want of a better one.
    """

    disparity: Disparity
    sure: float
    by: str
    flat: bool = False


def carried_by(plan: Plan, n: int) -> str:
    """All that decides how things are carried at frame ``n``, beside what is carried and the pictures."""
    shifts = [(p.id, p.shift(n)) for p in plan.people]
    return f"{plan.alignment.identity()},{plan.interocular_m:g}|{shifts}|{identity_of(STEREO)}|{identity_of(SWEEP)}"


class Carrier:
    """Both eyes of one frame; what is measured is measured once.

    n: the frame, for messages. pair: the pictures, in the size of ``mattes``. shift: of a person at this frame, see `Person.shift`; None:
    nobody measured it.
    """

    def __init__(
        self, n: int, pair: StereoPair, mattes: Mapping[str, EyeMattes], *, interocular_m: float, shift: Callable[[int], float | None]
    ) -> None:  # fmt: skip
        self._n = n
        self._pair = pair
        self._mattes = mattes
        self._interocular_m = interocular_m
        self._shift = shift
        self._known: dict[int, Surface | None] = {}

    @classmethod
    def of(cls, n: int, plan: Plan, eyes: Mapping[str, EyeImage], mattes: Mapping[str, EyeMattes]) -> Carrier:
        """eyes: the pictures of frame ``n``, in the size of ``mattes``."""
        some = next(iter(mattes.values()))
        pair = StereoPair.of(eyes, plan.projection.resized(some.width, some.height), plan.alignment)
        people = {p.id: p for p in plan.people}
        return cls(n, pair, mattes, interocular_m=plan.interocular_m, shift=lambda p: people[p].shift(n) if p in people else None)

    def people(self, view: str) -> tuple[int, ...]:
        """Who has a matte in an eye."""
        return tuple(self._mattes[view].people)

    def of_person(self, drawn: Coverage, view: str, person: int, matte: InputMatte) -> tuple[Callable[[Rect], FloatArray], Surface] | None:
        """Where the other eye has what ``drawn`` covers of a person in the eye ``view``; None when it covers nothing of them.

        Returns coverage, (rect.height, rect.width), in rectangles of the other eye, and what says so. Raises InputMatteError.
        """
        own = self._mattes[view].people.get(person)
        if own is None or own.rect.empty:
            return None
        under = own.alpha * drawn.within(own.rect)
        if not (under > _SOMEBODY).any():
            return None
        patch = _tight(Patch(own.rect, under, np.ones_like(under)))
        surface = (
            self._by_hand(patch, view, matte.metres) or self._of_body(patch, view, person) or self._by_plan(patch, view, person, matte)
        )
        return self._moved(drawn, view, surface), surface

    def of_place(self, drawn: Coverage, view: str, person: int | None, matte: InputMatte) -> tuple[Callable[[Rect], FloatArray], Surface]:
        """Where the other eye has what lies under ``drawn``, whoever it is. Raises InputMatteError."""
        patch = Patch(drawn.rect, drawn.values, np.ones_like(drawn.values))
        surface = self._by_hand(patch, view, matte.metres) or self._looked_for(patch, view)
        if surface is None and person is not None:
            surface = self._surface(person)
        if surface is None:
            surface = self._by_plan(patch, view, person, matte)
        return self._moved(drawn, view, surface), surface

    def surely(self, drawn: Coverage, view: str, person: int) -> tuple[Callable[[Rect], FloatArray], Surface] | None:
        """The same where both pictures say it: of what lies under ``drawn``, or of the person as a whole; None where they do not."""
        found = self._looked_for(Patch(drawn.rect, drawn.values, np.ones_like(drawn.values)), view)
        surface = found if found is not None and not found.flat else self._surface(person)
        return None if surface is None else (self._moved(drawn, view, surface), surface)

    def extent(self, drawn: Coverage, view: str, surface: Surface) -> Rect:
        """The part of the other eye in which it may be."""
        return extent(self._pair, drawn.rect, surface.disparity, to_left=view != LEFT)

    def _by_hand(self, patch: Patch, view: str, metres: float | None) -> Surface | None:
        if metres is None:
            return None
        shift = self._interocular_m / metres
        return Surface(at_distance(self._pair, patch, shift, from_left=view == LEFT), 1.0, f"{metres:g} m, by hand")

    def _of_body(self, patch: Patch, view: str, person: int) -> Surface | None:
        """Of the part of a person under a patch: the person's own, unless both pictures disagree with it there, and agree elsewhere."""
        body = self._surface(person)
        alike = 0.0 if body is None else self._likeness(patch, view, body)
        if alike >= SWEEP.least_likeness:
            return body
        # somebody else in the same layer, or a thing in front
        found = self._looked_for(patch, view)
        return found if body is None or (found is not None and self._likeness(patch, view, found) > alike) else body

    def _likeness(self, patch: Patch, view: str, surface: Surface) -> float:
        """The correlation of what both eyes see of a patch, -1..1; 0 where there is no contrast."""
        own, other = (self._pair.left, self._pair.right) if view == LEFT else (self._pair.right, self._pair.left)
        places = counterpart(self._pair, patch.rect, surface.disparity, to_left=view != LEFT)
        there = (patch.alpha > 0.5) & np.isfinite(places).all(axis=-1)
        if np.count_nonzero(there) < SWEEP.least_pixels:
            return 0.0
        a, b = own.guide(patch.rect).luma[there], other.sample(places).guide[..., 0][there]
        a, b = a - a.mean(), b - b.mean()
        size = float(np.sqrt((a * a).sum() * (b * b).sum()))
        return float((a * b).sum()) / size if size > 0 else 0.0

    def _by_plan(self, patch: Patch, view: str, person: int | None, matte: InputMatte) -> Surface:
        """As a flat figure at the person's distance."""
        shift = None if person is None else self._shift(person)
        if not shift:
            raise InputMatteError(
                matte.name, self._n,
                f"the {other_eye(view)} eye shows nothing that could be what lies under it in the {view} eye, so that it cannot be carried "
                "there; say how far away that is (metres), draw it in both eyes, or set carry to false",
            )  # fmt: skip
        return Surface(at_distance(self._pair, patch, shift, from_left=view == LEFT), 0.0, "the person's distance in the plan", flat=True)

    def _surface(self, person: int) -> Surface | None:
        """Of all of a person; None when both pictures do not say it."""
        if person not in self._known:
            left, right = (self._mattes[v].people.get(person) for v in (LEFT, other_eye(LEFT)))
            found = None if left is None or right is None or left.rect.empty or right.rect.empty else measure(self._pair, left, right)
            sure = 0.0 if found is None else found.sureness
            good = found is not None and sure >= STEREO.surface.least_sure
            self._known[person] = Surface(found, sure, "disparity") if found is not None and good else None
        return self._known[person]

    def _looked_for(self, patch: Patch, view: str) -> Surface | None:
        """Of what lies under a patch, whatever it is; None when the other eye shows nothing like it."""
        swept = sweep(self._pair, patch, view, self._interocular_m)
        if swept is None or swept.likeness < SWEEP.least_likeness:
            return None
        from_left = view == LEFT
        flat = at_distance(self._pair, patch, swept.shift, from_left=from_left)
        rect = extent(self._pair, patch.rect.grown(1).clipped(*self._size), flat, to_left=not from_left)
        if rect.empty:
            return None
        there = sampled(patch.alpha, patch.rect, counterpart(self._pair, rect, flat, to_left=from_left))
        moved = Patch(rect, there, np.ones_like(there))
        found = measure(self._pair, *((patch, moved) if from_left else (moved, patch)))
        if found is not None and found.sureness >= STEREO.surface.least_sure:
            return Surface(found, found.sureness, "disparity")
        # alike as a whole, and not in its parts: moved as a whole
        return Surface(flat, 0.0, "one distance for all that lies under it", flat=True)

    @property
    def _size(self) -> tuple[int, int]:
        return self._pair.projection.width, self._pair.projection.height

    def _moved(self, drawn: Coverage, view: str, surface: Surface) -> Callable[[Rect], FloatArray]:
        def cover(rect: Rect) -> FloatArray:
            if rect.empty:
                return np.zeros((rect.height, rect.width), np.float32)
            places = counterpart(self._pair, rect, surface.disparity, to_left=view == LEFT)
            return sampled(drawn.values, drawn.rect, places)

        return cover


def _tight(patch: Patch) -> Patch:
    """Without what is empty around it."""
    there = bounds(patch.alpha > _SOMEBODY)
    rect = there.shifted(patch.rect.x0, patch.rect.y0)
    return Patch(rect, *spread(patch, rect))
