"""How far masks are believed, and what the other eye has to do with it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.either import as_float, beside, namespace
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
    if not masks:
        return {}
    keys = list(masks)
    # windows are of one size, and channels of one picture here; who is not in the other eye is compared with themselves
    soft = sigmoid(namespace(masks[keys[0]].logits).stack([masks[key].logits for key in keys], axis=-1))
    xp = namespace(soft)
    kernel = box(2 * parameters.depth_tolerance_px + 1, 1)
    there = {key: n for n, key in enumerate(keys)}
    others = [there.get((person, other_eye(view)), there[person, view]) for person, view in keys]
    # of a single channel OpenCV makes none
    around = (made.reshape(soft.shape) for made in (erode(soft, kernel), dilate(soft, kernel)))
    low, high = (xp.stack([values[..., n] for n in others], axis=-1) for values in around)
    scores = beside(np.array([masks[key].score for key in keys], np.float32), soft)
    value = xp.abs(2 * soft - 1) * scores * (1 - xp.maximum(xp.maximum(low - soft, soft - high), 0))
    return {key: xp.ascontiguousarray(as_float(value[..., n])) for n, key in enumerate(keys)}
