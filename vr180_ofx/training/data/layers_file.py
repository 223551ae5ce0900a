"""Layers of the benchmark's scenes: colours in linear light, in video files of 16 bits (docs/bench/scenes.md)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vr180_ofx.arrays import Array
from vr180_ofx.training.data.light import encoded
from vr180_ofx.training.data.reading import rgb

#: What a scene's truth says of its colours: light = (code / 65535) ** (1 / power) * peak.
_POWER, _PEAK = 1 / 2.4, 8.0


def shown(frame: Array, path: Path) -> Array:
    """(h, w, 3) uint8 sRGB: a layer's light, or what any other video shows."""
    if frame.dtype != np.uint16 or frame.ndim != 3 or path.stem not in ("background", "foreground"):
        return rgb(frame)
    light = (frame.astype(np.float32) / 65535) ** np.float32(1 / _POWER) * np.float32(_PEAK)
    return np.rint(encoded(light) * 255).astype(np.uint8)
