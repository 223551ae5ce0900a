"""Frames of the client as arrays."""

from __future__ import annotations

import numpy as np


def halves(picture):
    return np.frombuffer(picture.data, "<f2").reshape(picture.height, picture.width)


def as_floats(picture):
    """The same, to compute with."""
    return halves(picture).astype(np.float32)
