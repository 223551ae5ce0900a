"""Mattes that were made at a fraction of the resolution, delivered at more of it."""

from __future__ import annotations

from collections.abc import Mapping

from vr180_ofx.imaging.half import half
from vr180_ofx.matte import enlarge
from vr180_ofx.matte.patch import Covering, Patch
from vr180_ofx.media.contract import EyeImage


def enlarged(
    patches: Mapping[int, Covering], small: EyeImage, large: EyeImage, factor: int, *, edge_aware: bool = True
) -> dict[int, Patch]:  # fmt: skip
    """Person -> their matte in ``large``, half, of ``patches``, which lie in ``small``. See `matte.enlarge.enlarged`."""
    made = enlarge.enlarged(list(patches.values()), small, large, factor, edge_aware=edge_aware)
    return {person: halved(patch) for person, patch in zip(patches, made, strict=True)}


def halved(patch: Patch) -> Patch:
    """The same in half precision, as layers hold it."""
    return Patch(patch.rect, half(patch.alpha), half(patch.confidence))
