"""Whether two alphas differ in where exactly an edge is, or in who is there."""

from __future__ import annotations

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.either import as_float, namespace, on_planes, worth_it
from vr180_ofx.imaging.filter import box_blur
from vr180_ofx.imaging.morphology import dilate, disc, erode
from vr180_ofx.matte.parameters import SAME_EDGE, SameEdgeParameters


def same_edge(a: FloatArray, b: FloatArray, scale: float, parameters: SameEdgeParameters = SAME_EDGE) -> FloatArray:
    """(h, w) float32: 1 where two alphas differ in no more than where exactly an edge is, 0 near differences that are wider, soft between.

    a, b: (h, w) 0..1. scale: see `scale.reference_scale`.
    """
    around = max(1, round(parameters.around_px * scale))
    near_wide = namespace(a).zeros_like(a > b)
    for difference, reach in ((a - b, parameters.less_px), (b - a, parameters.more_px)):
        radius = max(1, round(reach * scale))
        wide = on_planes(erode, difference > 0.5, disc(radius))
        if worth_it(wide):
            near_wide |= on_planes(dilate, wide, disc(radius + around))
    out: FloatArray = 1 - on_planes(box_blur, as_float(near_wide), (2 * around + 1, 2 * around + 1))
    return out
