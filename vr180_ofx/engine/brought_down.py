"""What is seen of eyes on a device, brought to the host, for stages that do not take tensors yet. It goes when the last of them does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vr180_ofx.arrays import Array, FloatArray
from vr180_ofx.imaging.either import host, is_tensor
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.contract import ColourTags, EyeImage, Guide, Sample, SourceFrame

_HOST = np.zeros(0, np.float32)


@dataclass(frozen=True, slots=True)
class BroughtDown:
    """See `media.contract.EyeImage`."""

    eye: EyeImage

    @property
    def width(self) -> int:
        return self.eye.width

    @property
    def height(self) -> int:
        return self.eye.height

    @property
    def tags(self) -> ColourTags:
        return self.eye.tags

    @property
    def like(self) -> Array:
        return _HOST

    def moved(self, move: Callable[[Array], Any]) -> EyeImage:
        return BroughtDown(self.eye.moved(move))

    def sample(self, grid: FloatArray, rough: FloatArray | None = None) -> Sample:
        seen = self.eye.sample(grid, rough)
        return Sample(host(seen.rgb), host(seen.guide))

    def region(self, rect: Rect, shrink: int = 1) -> FloatArray:
        values: FloatArray = host(self.eye.region(rect, shrink))
        return values

    def reduced(self, factor: int) -> EyeImage:
        return BroughtDown(self.eye.reduced(factor))

    def native(self, rect: Rect) -> FloatArray:
        values: FloatArray = host(self.eye.native(rect))
        return values

    def guide(self, rect: Rect) -> Guide:
        seen = self.eye.guide(rect)
        return Guide(host(seen.luma), host(seen.chroma), seen.matrix)


def brought_down(frame: SourceFrame) -> SourceFrame:
    """The frame, with eyes on a device seen from the host."""
    return replace(frame, eyes={view: BroughtDown(eye) if is_tensor(eye.like) else eye for view, eye in frame.eyes.items()})
