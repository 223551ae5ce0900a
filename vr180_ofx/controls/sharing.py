"""What was done to several people's mattes at once, given back to each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vr180_ofx.arrays import BoolArray, FloatArray
from vr180_ofx.controls.blocks import BLOCK, Blocks, in_pixels, pieces
from vr180_ofx.controls.coverage import Coverage
from vr180_ofx.imaging.morphology import box, dilate
from vr180_ofx.imaging.parts import distance_to
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.patch import Patch

#: Who is near counts so much of what who is there does: it decides only where nobody was before.
_NEAR = np.float32(1e-4)


def together(people: Mapping[int, Patch], rect: Rect) -> Patch:
    """Everybody's mattes as one, in arrays of its own: the sum of alphas, trusted as the least sure of who may be there."""
    alpha = np.zeros((rect.height, rect.width), np.float32)
    confidence = np.ones_like(alpha)
    for patch in people.values():
        common = patch.rect.intersection(rect)
        if common.empty:
            continue
        own, there = (common.shifted(-r.x0, -r.y0).slices for r in (patch.rect, rect))
        alpha[there] += patch.alpha[own]
        np.minimum(confidence[there], patch.confidence[own], out=confidence[there])
    return Patch(rect, np.minimum(alpha, 1, out=alpha), confidence)


@dataclass(frozen=True, slots=True)
class Shares:
    """Who had how much of what is in a rectangle.

    people: everybody who is in ``rect``, before. reach: pixels within which somebody counts where nobody was.
    """

    people: Mapping[int, Patch]
    rect: Rect
    reach: int

    def of(self, made: Patch, wanted: Mapping[int, Rect]) -> dict[int, Patch]:
        """Each one's part of ``made``, which is for ``rect``, in arrays of their own.

        wanted: person -> the rectangle that they get, which lies in ``rect``.
        """
        near = {p: self._near(patch) for p, patch in self.people.items()}
        size = (self.rect.width, self.rect.height)
        out = {}
        for person, rect in wanted.items():
            inside = rect.shifted(-self.rect.x0, -self.rect.y0).slices
            mask = in_pixels(near[person], size)[inside]
            out[person] = Patch(rect, np.multiply(made.alpha[inside], mask), made.confidence[inside].copy())
        # where two may be; and where there is something now, and was nobody near
        count = np.sum(list(near.values()), axis=0)
        for piece in pieces((count > 1) | (Blocks.of(made.alpha).some & (count == 0)), size):
            shares = self._at(piece, made.alpha[piece.slices])
            there = piece.shifted(self.rect.x0, self.rect.y0)
            for person, patch in out.items():
                common = there.intersection(patch.rect)
                if not common.empty:
                    own, of_all, share = (common.shifted(-r.x0, -r.y0).slices for r in (patch.rect, self.rect, there))
                    np.multiply(made.alpha[of_all], shares[person][share], out=patch.alpha[own])
        return out

    def _near(self, patch: Patch) -> BoolArray:
        """The blocks of ``rect`` in whose reach a person is."""
        rect = self.rect
        columns, rows = -(-rect.width // BLOCK), -(-rect.height // BLOCK)
        out = np.zeros((rows, columns), bool)
        inside = patch.rect.intersection(rect)
        if inside.empty:
            return out
        own = inside.shifted(-rect.x0, -rect.y0)
        first_x, first_y = own.x0 // BLOCK, own.y0 // BLOCK
        whole = Rect(first_x * BLOCK, first_y * BLOCK, own.x1, own.y1).shifted(rect.x0, rect.y0)
        there = Blocks.of(_alpha_within(patch, whole)).some
        out[first_y : first_y + there.shape[0], first_x : first_x + there.shape[1]] = there
        blocks = -(-self.reach // BLOCK)
        return dilate(out, box(2 * blocks + 1, 2 * blocks + 1))

    def _at(self, piece: Rect, made: FloatArray) -> dict[int, FloatArray]:
        """Everybody's share of a piece, 0..1, together 1 wherever there is something."""
        rect = piece.shifted(self.rect.x0, self.rect.y0)
        wide, kernel = rect.grown(self.reach), box(2 * self.reach + 1, 2 * self.reach + 1)
        within = rect.shifted(-wide.x0, -wide.y0).slices
        own = {p: _alpha_within(patch, wide) for p, patch in self.people.items() if not patch.rect.intersection(wide).empty}
        free = np.ones((rect.height, rect.width), np.float32)
        for values in own.values():
            free -= values[within]
        np.maximum(free, 0, out=free)
        free *= _NEAR
        weights = {p: values[within] + dilate(values, kernel)[within] * free for p, values in own.items()}
        total = np.zeros_like(free)
        for values in weights.values():
            total += values
        lost = (total == 0) & (made > 0)
        if lost.any():
            # a hole that was closed is of who is around it
            self._nearest(rect, lost, weights)
            total[lost] = 1
        np.copyto(total, 1, where=total == 0)
        shares = {p: np.divide(values, total, out=values) for p, values in weights.items()}
        return {p: shares.get(p, np.zeros_like(total)) for p in self.people}

    def _nearest(self, rect: Rect, lost: BoolArray, weights: dict[int, FloatArray]) -> None:
        """Gives places where nobody is near to who is nearest."""
        numbers: Sequence[int] = tuple(self.people)
        away = np.stack(list(self._distances(rect)))
        first = np.argmin(away, axis=0)
        for k, person in enumerate(numbers):
            weights.setdefault(person, np.zeros(lost.shape, np.float32))[lost & (first == k)] = 1

    def _distances(self, rect: Rect) -> Iterator[FloatArray]:
        own = rect.shifted(-self.rect.x0, -self.rect.y0).slices
        for patch in self.people.values():
            yield distance_to(_alpha_within(patch, self.rect) > 0)[own]


def _alpha_within(patch: Patch, rect: Rect) -> FloatArray:
    """A matte's alpha in another rectangle, (rect.height, rect.width); 0 outside of its own."""
    return Coverage(patch.rect, patch.alpha).within(rect)
