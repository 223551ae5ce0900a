"""What trackers are shown of a plan."""

from __future__ import annotations

import numpy as np

from vr180_ofx.trackers.contract import Prompt
from vr180_ofx.vr180.body import Box, outline
from vr180_ofx.vr180.projection import Projection
from vr180_ofx.vr180.window import Window


def prompt_in_window(box: Box, window: Window, projection: Projection) -> Prompt | None:
    """A box in the eye's pixels as the window shows it; None when it shows nothing of it. projection: of the eye's picture."""
    inside = np.clip(outline(box), 0.5, (projection.width - 0.5, projection.height - 0.5))
    p = window.points(projection.unproject(inside))
    p = p[np.isfinite(p).all(axis=1)]
    if not len(p):
        return None
    low, high = np.clip(p.min(axis=0), 0, window.size), np.clip(p.max(axis=0), 0, window.size)
    if (high - low).min() < 1:
        return None
    return Prompt(box=(float(low[0]), float(low[1]), float(high[0]), float(high[1])))
