"""A network that sees nobody where a tracker is sure of somebody is not believed there: nobody vanishes because of one network's word."""

from __future__ import annotations

import math
from collections.abc import Mapping

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.either import as_float, namespace
from vr180_ofx.matte.heights import Heights
from vr180_ofx.matte.parameters import FusionParameters


def contradicted(alpha: FloatArray, logits: Mapping[int, FloatArray], heights: Heights, parameters: FusionParameters) -> FloatArray:
    """(h, w) float32: 1 where the person whose mask is nearest is nobody to the network, 0 where they are somebody, and between the two
    where it is of two minds, so that nobody flickers; (1, 1) of one person or nobody.

    alpha: (h, w) 0..1, the network's of everybody. logits: person -> (h, w), each one's mask; heights: of these. A person is nobody to
    it when it sees less than half of ``believed`` of what their mask is sure of, and somebody from ``believed`` on: a hand or a gap
    between arms that only one of both sees does not decide that. Of several pictures at once, tensors, all that is (h, w) is (n, h, w),
    and (1, 1) is (n, 1, 1).
    """
    xp = namespace(alpha)
    here: FloatArray = xp.zeros_like(alpha[..., :1, :1])
    if not heights.distances:
        return here
    certain = math.log(parameters.certain / (1 - parameters.certain))
    nobody: list[FloatArray] = []
    for person in heights.distances:
        sure = as_float(logits[person] > certain)
        area, seen = (v.sum(axis=(-2, -1), keepdims=True) for v in (sure, alpha * sure))
        # where no mask is sure of anything, nobody is contradicted
        share = seen / xp.maximum(area, 1.0) + parameters.believed * as_float(area == 0)
        nobody.append(as_float(xp.clip(2 - 2 * share / parameters.believed, 0, 1)))
    if heights.nearest is None:
        return nobody[0]
    for k, away in enumerate(nobody):
        here = here + away * as_float(heights.nearest == k)
    return here
