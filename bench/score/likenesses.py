"""Where a scene's likenesses of people are: mannequins, statues and people on posters, as the scene's recipe says it."""

from __future__ import annotations

from typing import Any

import numpy as np

from vr180_ofx.arrays import BoolArray, FloatArray
from vr180_ofx.quality.truth import Truth
from vr180_ofx.vr180.layout import LEFT, RIGHT

#: What looks like people; pets do not.
KINDS = ("mannequin", "statue", "poster")
#: Metres: what a likeness keeps within around its place, with arms stretched out and what it stands on.
RADIUS, HEIGHT = 0.9, 2.7
#: Points of a cylinder's sides and ends, enough for its outline to a degree at a metre.
_AROUND, _UP = 24, 10


def likenesses(truth: Truth) -> dict[str, BoolArray]:
    """View -> (h, w): where a likeness may be, a rectangle around each. Empty for scenes that say nothing of any.

    A tremble of the rig, and small misalignments of the eyes, are less than the room around.
    """
    width, height = truth.layout.eye_size
    said = truth.scene.get("recipe", {})
    places = [d["place"] for d in said.get("distractors", []) if d.get("kind") in KINDS] if isinstance(said, dict) else []
    masks = {view: np.zeros((height, width), bool) for view in truth.layout.views}
    for place in places:
        for view, mask in masks.items():
            x0, y0, x1, y1 = _bounds(truth, said["rig"], place, view)
            mask[y0:y1, x0:x1] = True
    return masks


def _bounds(truth: Truth, rig: dict[str, Any], place: tuple[float, float], view: str) -> tuple[int, int, int, int]:
    """Pixels of an eye around a cylinder; where the camera is within one, all of the picture."""
    aside = {LEFT: -0.5, RIGHT: 0.5}.get(view, 0.0) * float(rig["baseline_m"])
    width, height = truth.layout.eye_size
    if np.hypot(*place) <= RADIUS:
        return 0, 0, width, height
    points = truth.projection.project(_cylinder(place) - (aside, float(rig["height_m"]), 0.0))
    points = points[np.isfinite(points).all(axis=-1)]
    if not len(points):
        return 0, 0, 0, 0
    low, high = np.floor(points.min(axis=0)), np.ceil(points.max(axis=0))
    x0, x1 = (int(np.clip(v, 0, width)) for v in (low[0], high[0]))
    y0, y1 = (int(np.clip(v, 0, height)) for v in (low[1], high[1]))
    return x0, y0, x1, y1


def _cylinder(place: tuple[float, float]) -> FloatArray:
    """(n, 3): points on its sides, metres, x right, y up, z forward (scenes look along -z)."""
    turns = np.arange(_AROUND) * (2 * np.pi / _AROUND)
    ring = np.stack([place[0] + RADIUS * np.cos(turns), np.zeros(_AROUND), -place[1] + RADIUS * np.sin(turns)], -1)
    rings: FloatArray = ring[None] + np.linspace(0, HEIGHT, _UP)[:, None, None] * (0.0, 1.0, 0.0)
    return rings.reshape(-1, 3)
