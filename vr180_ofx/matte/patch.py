"""A person's matte in the pixels of an eye, stored only where it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from vr180_ofx.arrays import FloatArray, shapes_repr
from vr180_ofx.imaging.either import is_tensor, namespace, zeros
from vr180_ofx.imaging.half import floats
from vr180_ofx.imaging.rect import Rect


@dataclass(frozen=True, slots=True)
class Patch:
    """A rectangle of an eye: alpha and confidence, (rect.height, rect.width) float32, 0..1; outside of it alpha is 0."""

    rect: Rect
    alpha: FloatArray
    confidence: FloatArray

    def __post_init__(self) -> None:
        shape = (self.rect.height, self.rect.width)
        if self.alpha.shape != shape or self.confidence.shape != shape:
            raise ValueError(f"alpha has the shape {self.alpha.shape} and confidence {self.confidence.shape}; the rectangle's is {shape}")

    def __repr__(self) -> str:
        return shapes_repr(self)


class Covering(Protocol):
    """Alpha and confidence, (rect.height, rect.width) of any float type, in a rectangle: `Patch`, or a frame's layer."""

    @property
    def rect(self) -> Rect: ...

    @property
    def alpha(self) -> FloatArray: ...

    @property
    def confidence(self) -> FloatArray: ...


def spread(matte: Covering | None, rect: Rect, *, around: float = 0.0, like: object = None) -> tuple[FloatArray, FloatArray]:
    """(alpha, confidence) of a matte in another rectangle, (rect.height, rect.width) float32 each, in arrays of their own.

    Outside of the matte alpha is 0 and confidence ``around``; None is a matte of no pixels, and of the kind of ``like``.
    """
    if matte is not None and matte.rect == rect:
        return _copied(matte.alpha), _copied(matte.confidence)
    kind = like if matte is None else matte.alpha
    alpha, confidence = zeros((rect.height, rect.width), kind), zeros((rect.height, rect.width), kind)
    if around:
        confidence += around
    if matte is not None:
        common = rect.intersection(matte.rect)
        if not common.empty:
            own, there = (common.shifted(-r.x0, -r.y0).slices for r in (matte.rect, rect))
            alpha[there], confidence[there] = _copied(matte.alpha[own]), _copied(matte.confidence[own])
    return alpha, confidence


def _copied(values: FloatArray) -> FloatArray:
    if is_tensor(values):
        copy: FloatArray = namespace(values).astype(values, namespace(values).float32)
        return copy
    # NumPy takes ten times as long over halves
    return floats(values) if values.dtype == np.float16 else values.astype(np.float32)
