"""Both eyes of one moment, and where values of their mattes are sampled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.either import as_float
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.sample import sample
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.vr180.alignment import LEVEL, Alignment
from vr180_ofx.vr180.layout import LEFT, RIGHT
from vr180_ofx.vr180.projection import Projection


@dataclass(frozen=True, slots=True, repr=False)
class StereoPair:
    """Both eyes' pictures of one moment, and the cameras that took them.

    left, right: of one size, that of ``projection``. projection: from directions to their pixels. alignment: how the cameras are turned
    against each other.
    """

    left: EyeImage
    right: EyeImage
    projection: Projection
    alignment: Alignment = LEVEL

    @classmethod
    def of(cls, eyes: Mapping[str, EyeImage], projection: Projection, alignment: Alignment = LEVEL) -> StereoPair:
        """eyes: view -> picture, of both views."""
        return cls(eyes[LEFT], eyes[RIGHT], projection, alignment)

    def __post_init__(self) -> None:
        size = f"{self.projection.width}x{self.projection.height}"
        for view, eye in ((LEFT, self.left), (RIGHT, self.right)):
            if f"{eye.width}x{eye.height}" != size:
                raise ValueError(
                    f"the {view} eye has {eye.width}x{eye.height} pixels and the projection is of {size}; they must be the same"
                )

    def __repr__(self) -> str:
        return f"StereoPair({self.left.width}x{self.left.height}, {self.projection.name}, {self.alignment})"

    def level(self, view: str) -> Projection:
        """From level directions to the pixels of the eye ``view``."""
        return self.alignment.projection(self.projection, view)


def sampled(values: FloatArray, rect: Rect, places: FloatArray) -> FloatArray:
    """A patch's values, (rect.height, rect.width), at continuous pixels of its eye, (h, w, 2): (h, w) float32; 0 outside of the patch and
    where a place is NaN.
    """
    first = (rect.x0 + 0.5, rect.y0 + 0.5)
    return sample(as_float(values), as_float(places), origin=first, centre=0)
