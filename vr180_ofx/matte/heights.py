"""How high on a person a pixel lies: of hair masks know little, and what networks add at shoes is shadow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Protocol

import numpy as np

from vr180_ofx.arrays import BoolArray, FloatArray, shapes_repr
from vr180_ofx.imaging.either import beside, hosts, is_tensor, namespace
from vr180_ofx.imaging.parts import distance_to
from vr180_ofx.matte.parameters import HeightCurve


def distances_to_masks(logits: Mapping[int, FloatArray]) -> dict[int, FloatArray]:
    """Person -> pixels from each pixel to their mask, (h, w) float32, for those who have one.

    logits: (h, w) each person's mask, above 0 inside.
    """
    return _distances(_masks(logits), next(iter(logits.values()), None))


class OnBodies(Protocol):
    """What is asked of where pixels lie on people: see `Heights`."""

    def weights(self, curve: HeightCurve) -> FloatArray: ...

    def proximity(self, near: float, far: float) -> FloatArray: ...


@dataclass(frozen=True, slots=True)
class KnownHeights:
    """The answers of `Heights` to some questions, as the arrays that they are: for what is given nothing else.

    by_curve, by_range: curve, and (near, far) -> (..., h, w), (..., h, 1) or (1, 1).
    """

    by_curve: Mapping[HeightCurve, FloatArray]
    by_range: Mapping[tuple[float, float], FloatArray]

    def weights(self, curve: HeightCurve) -> FloatArray:
        return self.by_curve[curve]

    def proximity(self, near: float, far: float) -> FloatArray:
        return self.by_range[near, far]


@dataclass(frozen=True, slots=True)
class Heights:
    """Where pixels lie on the people of one picture, of those who have a mask.

    distances: (h, w) float32 pixels to each one's mask. heights: (h,) float32, of each row on each one: 0 at the top of their
    mask, 1 at its bottom, NumPy's. People stand upright in what is seen of them. like: of which kind and where what is made of them is.
    Of several pictures of one size, tensors, all that is (h, w) is (n, h, w), and all that is (h,) (n, h).

    nearest: (h, w) whose mask is nearest, in their order; None when there are less than two.
    """

    distances: Mapping[int, FloatArray]
    heights: Mapping[int, FloatArray]
    like: object = None
    nearest: FloatArray | None = field(init=False, repr=False, compare=False, default=None)

    @classmethod
    def of(cls, logits: Mapping[int, FloatArray]) -> Heights:
        """logits: (h, w) each person's mask. Of tensors masks come down, once, because distances go from pixel to pixel."""
        masks, like = _masks(logits), next(iter(logits.values()), None)
        return cls(_distances(masks, like), {p: _row_heights(np.any(mask, axis=1, keepdims=False)) for p, mask in masks.items()}, like)

    @classmethod
    def together(cls, pictures: Sequence[Heights]) -> Heights:
        """Of several pictures, tensors, in each of which as many people have a mask: in their order, whoever they are."""
        distances, heights = (
            [list(of.values()) for of in each] for each in zip(*((p.distances, p.heights) for p in pictures), strict=True)
        )
        xp = namespace(pictures[0].like)
        return cls(
            {k: xp.stack(maps) for k, maps in enumerate(zip(*distances, strict=True))},
            {k: np.stack(rows) for k, rows in enumerate(zip(*heights, strict=True))},
            pictures[0].like,
        )

    def __post_init__(self) -> None:
        if len(self.distances) > 1:
            xp = namespace(next(iter(self.distances.values())))
            object.__setattr__(self, "nearest", xp.argmin(xp.stack(list(self.distances.values())), axis=0))
        if self.distances.keys() != self.heights.keys():
            raise ValueError(
                f"distances are of {sorted(self.distances)} and heights of {sorted(self.heights)}; they are of the same people"
            )

    def __repr__(self) -> str:
        return shapes_repr(self)

    def weights(self, curve: HeightCurve) -> FloatArray:
        """The curve's value for each pixel, by the height on the person who is nearest: (h, w), or (h, 1) of one person.

        Without anybody (1, 1), the value of a body's middle.
        """
        if not self.heights:
            return self._beside(np.full((1, 1), np.interp(0.5, curve.heights, curve.values), np.float32))
        # one column for each person
        values = np.stack([np.interp(r, curve.heights, curve.values) for r in self.heights.values()], axis=-1).astype(np.float32)
        columns = self._beside(values)
        if self.nearest is None:
            return columns
        out: FloatArray = namespace(columns).take_along_axis(columns, self.nearest, axis=-1)
        return out

    def proximity(self, near: float, far: float) -> FloatArray:
        """(h, w): 1 up to ``near`` from the nearest mask, 0 from ``far`` on, in shares of the picture's side; (1, 1) 0 without anybody."""
        if not self.distances:
            return self._beside(np.zeros((1, 1), np.float32))
        distances = list(self.distances.values())
        xp = namespace(distances[0])
        nearest = reduce(xp.minimum, distances)
        side = math.sqrt(math.prod(nearest.shape[-2:]))
        out: FloatArray = xp.clip((far - nearest / side) / (far - near), 0, 1)
        return out

    def _beside(self, values: FloatArray) -> FloatArray:
        moved: FloatArray = beside(values, self.like)
        return moved


def _masks(logits: Mapping[int, FloatArray]) -> dict[int, BoolArray]:
    """Person -> their mask, (h, w) and NumPy's, of those who have one. Waits for tensors once."""
    inside = hosts(*(v > 0 for v in logits.values()))
    return {p: mask for p, mask in zip(logits, inside, strict=True) if mask.any()}


def _distances(masks: Mapping[int, BoolArray], like: object) -> dict[int, FloatArray]:
    found = [distance_to(mask) for mask in masks.values()]
    if found and is_tensor(like):
        found = list(beside(np.stack(found), like))
    return dict(zip(masks, found, strict=True))


def _row_heights(some: BoolArray) -> FloatArray:
    """some: (h,) which rows hold some of a mask."""
    rows = np.flatnonzero(some)
    out: FloatArray = ((np.arange(len(some)) - rows[0]) / max(1, rows[-1] - rows[0])).astype(np.float32)
    return out
