"""Painted mattes: what is said at their frame, and what of it is new, which is carried to frames beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.controls.region import REGION, Region, RegionParameters, small_size, zone_of
from vr180_ofx.errors import InputMatteError, MediaError
from vr180_ofx.imaging.morphology import disc, opened
from vr180_ofx.imaging.parts import bounds
from vr180_ofx.imaging.resize import resize
from vr180_ofx.media.files import file_identity
from vr180_ofx.media.painted import Painted, read_painted


@dataclass(frozen=True, slots=True)
class PaintRegions:
    """whole: all that is said, for its frame. changes: where that is another thing than the matte, for frames beside it and the other eye;
    None where it is nowhere.
    """

    whole: Region
    changes: Region | None


def painted_at(file: str, n: int, name: str, eye: tuple[int, int], size: tuple[int, int]) -> Painted:
    """What is painted for frame ``n``, in pixels of a matte. name: whose, for messages. eye: (width, height) of the eye's picture in the
    clip, in which, or at half of which, somebody paints. size: of the matte. Raises InputMatteError.
    """
    try:
        found = painted_for(file, eye)
    except MediaError as error:
        raise InputMatteError(name, n, str(error)) from None
    height, width = found.said.shape
    if (width, height) == size:
        return found
    value, said = (resize(v, size, "area" if width > size[0] else "linear") for v in (found.value, found.said))
    return Painted(np.minimum(value, said), said)


def painted_for(file: str, eye: tuple[int, int]) -> Painted:
    """What is painted, as large as the picture is. eye: (width, height) of one eye's picture. Raises MediaError."""
    path = Path(file)
    try:
        before = file_identity(path)
        found = read_painted(path)
        changed = file_identity(path) != before
    except FileNotFoundError:
        raise MediaError(f"{path} does not exist") from None
    except OSError as error:
        raise MediaError(f"{path} cannot be read: {error.strerror or error}") from None
    if changed:
        raise MediaError(f"{path} changed while it was read; ask again when it is whole")
    height, width = found.said.shape
    if (width, height) not in (eye, (eye[0] // 2, eye[1] // 2)):
        raise MediaError(
            f"{path} is {width}x{height}; a painted matte is as large as one eye's picture, {eye[0]}x{eye[1]}, or half of it, "
            f"{eye[0] // 2}x{eye[1] // 2}"
        )
    return found


def regions_of(painted: Painted, alpha: FloatArray, reach_px: float, p: RegionParameters = REGION) -> PaintRegions:
    """alpha: the matte before, (h, w) as the painted one. reach_px: of the body.

    Where half is said, alpha is held within what the half that is said leaves to the other half; where all is, it is that.
    """
    height, width = alpha.shape
    rect = bounds(painted.said > 0)
    grow, shrink = painted.value, painted.said - painted.value
    anything = np.ones((1, 1), bool)
    whole = Region(rect, grow[rect.slices], shrink[rect.slices], anything, painted=True)
    differs = np.abs(np.minimum(np.maximum(alpha, grow), 1 - shrink) - alpha)
    new = bounds(differs > p.sure)
    if new.empty:
        return PaintRegions(whole, None)
    # as much around as points have for what they are held against
    rect = new.grown(math.ceil(0.5 * p.reach * reach_px)).clipped(width, height)
    size = small_size(rect, p)
    small = resize(np.ascontiguousarray(differs[rect.slices]), size, "area") if size != (rect.width, rect.height) else differs[rect.slices]
    # two mattes of one thing differ a little all along its outline: what is thinner than motion is known to is no change, unless it is
    # another thing altogether
    part = opened(small > p.sure, disc(p.rim)) | (small > 0.5)
    if not part.any():
        return PaintRegions(whole, None)
    zone = zone_of(part, rect, p)
    return PaintRegions(whole, Region(rect, zone * grow[rect.slices], zone * shrink[rect.slices], part, painted=True))
