"""Logits and alphas."""

from __future__ import annotations

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.either import either


@either
def sigmoid(x: FloatArray) -> FloatArray:
    """The logistic function."""
    out: FloatArray = 1 / (1 + np.exp(-np.clip(x, -30, 30)))
    return out


@either
def logit(alpha: FloatArray) -> FloatArray:
    """The inverse of `sigmoid`, of alphas that are never quite 0 or 1."""
    soft = np.clip(alpha, np.float32(1e-3), np.float32(1 - 1e-3))
    return np.log(soft / (1 - soft)).astype(np.float32)
