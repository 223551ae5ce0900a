"""How far masks are believed, and what the other eye has to do with it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.logistic import sigmoid
from vr180_ofx.imaging.morphology import box, dilate, erode
from vr180_ofx.matte.parameters import MATTE, ConfidenceParameters
from vr180_ofx.trackers.contract import Key, Mask
from vr180_ofx.vr180.layout import other_eye


def confidences(masks: Mapping[Key, Mask], parameters: ConfidenceParameters = MATTE.confidence) -> dict[Key, FloatArray]:
    """(n, n) float32 0..1 for each mask: how far the logit is from the boundary, times the object score, times the agreement with the
    other eye where that has the person, too.

    The windows of a person in both eyes show the body in the same place, so the masks are compared as they lie, with some tolerance for
    depth.
    """
    soft = {key: sigmoid(m.logits) for key, m in masks.items()}
    kernel = box(2 * parameters.depth_tolerance_px + 1, 1)
    out = {}
    for key, m in masks.items():
        mine, theirs = soft[key], soft.get((key[0], other_eye(key[1])))
        value = np.abs(2 * mine - 1) * np.float32(m.score)
        if theirs is not None:
            low, high = erode(theirs, kernel), dilate(theirs, kernel)
            value *= 1 - np.maximum(np.maximum(low - mine, mine - high), 0)
        out[key] = value.astype(np.float32)
    return out
