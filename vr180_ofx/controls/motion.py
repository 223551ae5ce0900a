"""How an eye's picture moves around a frame: what mattes are smoothed along, and what tells how far the shutter blurs edges."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.controls.contract import Around, EyeMattes, Mattes
from vr180_ofx.errors import FrameError
from vr180_ofx.imaging.flow import Luma, Motion, motion_between, pixel_indices
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.resize import block_means, resize
from vr180_ofx.matte.patch import Patch
from vr180_ofx.media.contract import EyeImage, SourceFrame

#: Motion is found in a picture of at most so many pixels a side around all people: it is smooth, and finer ones cost more than they tell.
_MOST_SIDE = 1024
#: Pixels around people in which motion is looked at, as a share of their size: who moves, moves within it.
_AROUND = 0.1


@dataclass(frozen=True, slots=True)
class EyeMotion:
    """The frames beside a frame, as one eye sees them.

    rect: where motion is known, in the eye's matte pixels. fields: frame -> from ``rect`` of this frame to that one, in pixels of a smaller
    picture. step: (x, y), how many of the matte's pixels are one of these. mattes: frame -> everybody in it.
    """

    rect: Rect
    fields: Mapping[int, Motion]
    step: tuple[float, float]
    mattes: Mapping[int, Mapping[int, Patch]]

    def within(self, n: int, rect: Rect) -> tuple[FloatArray, FloatArray]:
        """(displacement, trust) for the pixels of ``rect``, which lies in `rect`: (h, w, 2) in the matte's pixels, (h, w) 0..1."""
        field = self.fields[n]
        height, width = field.trust.shape
        moved = field.places - pixel_indices(width, height)
        moved *= np.array(self.step, np.float32)
        size = (round(width * self.step[0]), round(height * self.step[1]))
        part = rect.shifted(-self.rect.x0, -self.rect.y0)
        whole = resize(moved, size, "linear") if size != (width, height) else moved
        trust = resize(field.trust, size, "linear") if size != (width, height) else field.trust
        return whole[part.slices], trust[part.slices]


def motion_of_eye(
    n: int, view: str, eye: EyeMattes, around: Around, beside: Sequence[int], *, with_mattes: bool
) -> EyeMotion | None:  # fmt: skip
    """None where there is nobody. Frames beside that cannot be decoded are left out. with_mattes: theirs are wanted, too."""
    rect = Rect(0, 0, 0, 0)
    for patch in eye.people.values():
        rect = rect.union(patch.rect)
    if rect.empty:
        return None
    rect = rect.grown(round(_AROUND * max(rect.width, rect.height))).clipped(eye.width, eye.height)
    lumas: dict[int, Luma] = {}
    mattes: dict[int, Mapping[int, Patch]] = {}
    rect, step, shrink, pixels = _grid_of(rect, eye, around.picture(n).eyes[view])
    # in the order of time, which decoders like
    for k in sorted({n, *beside}):
        try:
            picture: SourceFrame = around.picture(k)
            there: Mattes = around.mattes(k) if with_mattes and k != n else {}
        except FrameError:
            if k == n:
                raise
            continue
        lumas[k] = _luma(picture.eyes[view], pixels, shrink)
        mattes[k] = there[view].people if there else {}
    here = lumas[n]
    scale = max(here.shape) / 384
    fields = {k: motion_between(lumas[k], here, scale) for k in sorted(lumas) if k != n}
    return EyeMotion(rect, fields, step, mattes)


def _grid_of(rect: Rect, eye: EyeMattes, image: EyeImage) -> tuple[Rect, tuple[float, float], int, Rect]:
    """(where motion is known in the matte, its pixels for one of the small picture, by how much that is smaller, where it lies)."""
    across, down = image.width / eye.width, image.height / eye.height
    shrink = max(1, math.ceil(max(rect.width * across, rect.height * down) / _MOST_SIDE))
    # whole blocks of the small picture, so that both begin at the same place
    block_x, block_y = max(1, round(shrink / across)), max(1, round(shrink / down))
    whole = Rect(
        rect.x0 // block_x * block_x, rect.y0 // block_y * block_y, -(-rect.x1 // block_x) * block_x, -(-rect.y1 // block_y) * block_y
    )  # fmt: skip
    pixels = Rect(round(whole.x0 * across), round(whole.y0 * down), round(whole.x1 * across), round(whole.y1 * down))
    return whole, (shrink / across, shrink / down), shrink, pixels.clipped(image.width, image.height)


def _luma(image: EyeImage, pixels: Rect, shrink: int) -> Luma:
    values = block_means(image.guide(pixels).luma, shrink, shrink)
    return np.clip(values * 255, 0, 255).astype(np.uint8)
