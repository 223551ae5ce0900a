"""Mattes of an eye that were made at a fraction of the resolution, at more of it."""

from __future__ import annotations

from collections.abc import Sequence

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.either import namespace
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.resize import Resampling, resize
from vr180_ofx.matte.composite import fit_union
from vr180_ofx.matte.patch import Covering, Patch, spread
from vr180_ofx.matte.upsample import REACH, upsampled
from vr180_ofx.media.contract import EyeImage


def enlarged(patches: Sequence[Covering], small: EyeImage, large: EyeImage, factor: int, *, edge_aware: bool = True) -> list[Patch]:
    """The same mattes in ``large``, whose alphas add up to at most 1, as theirs do.

    small: the picture that they lie in, averaged in blocks of ``factor`` pixels of ``large``. edge_aware: edges follow the large picture;
    else they are interpolated.
    """
    made = [_enlarged(patch, small, large, factor, edge_aware=edge_aware) for patch in patches]
    fit_union(made)
    return made


def _enlarged(patch: Covering, small: EyeImage, large: EyeImage, factor: int, *, edge_aware: bool) -> Patch:
    part = patch.rect.grown(REACH).clipped(small.width, small.height)
    rect = Rect(part.x0 * factor, part.y0 * factor, part.x1 * factor, part.y1 * factor).clipped(large.width, large.height)
    alpha, confidence = spread(patch, part, around=1.0)
    if edge_aware:
        alpha = upsampled(alpha, small.guide(part).luma, large.guide(rect).luma, factor)
    else:
        alpha = namespace(alpha).clip(_resized(alpha, factor, rect, "cubic"), 0, 1)
    return Patch(rect, alpha, namespace(alpha).ascontiguousarray(_resized(confidence, factor, rect, "linear")))


def _resized(values: FloatArray, factor: int, rect: Rect, interpolation: Resampling) -> FloatArray:
    big = resize(values, (values.shape[1] * factor, values.shape[0] * factor), interpolation)
    return big[: rect.height, : rect.width]
