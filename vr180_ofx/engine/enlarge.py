"""Layers that were made at a fraction of the resolution, delivered at more of it."""

from __future__ import annotations

from dataclasses import replace

from vr180_ofx.engine.frame import ViewMatte
from vr180_ofx.imaging.half import half
from vr180_ofx.matte import enlarge
from vr180_ofx.media.contract import EyeImage


def enlarged(view: ViewMatte, small: EyeImage, large: EyeImage, factor: int, *, edge_aware: bool = True) -> ViewMatte:
    """``view``, which is as large as ``small``, at the size of ``large``. See `matte.enlarge.enlarged`."""
    made = enlarge.enlarged(view.layers, small, large, factor, edge_aware=edge_aware)
    layers = (
        replace(layer, rect=p.rect, alpha=half(p.alpha), confidence=half(p.confidence)) for layer, p in zip(view.layers, made, strict=True)
    )
    return ViewMatte(large.width, large.height, tuple(layers))
