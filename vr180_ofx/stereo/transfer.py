"""A matte carried from one eye to the other, where one of them cannot be trusted."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.patch import Patch, spread
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.stereo.disparity import Disparity, at_distance, looked_up, measure
from vr180_ofx.stereo.reconcile import LEAST_SURE, counterpart, extent
from vr180_ofx.vr180.alignment import LEVEL, Alignment
from vr180_ofx.vr180.epipolar import upright
from vr180_ofx.vr180.layout import LEFT, RIGHT
from vr180_ofx.vr180.projection import Projection

#: A surface that is so far from where the masks say the person is, in tangents, was matched with something else.
_ELSEWHERE = 0.01
#: What was carried is believed half as much as what was seen.
_CARRIED = np.float32(0.5)
#: Even without confidence an eye has a say.
_SAY = 0.01
_NOTHING = Patch(Rect(0, 0, 0, 0), np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32))


def correct(
    method: str, eyes: dict[str, EyeImage], better: Patch, own: Patch | None, weaker: str, shift: float, say: float,
    projection: Projection, alignment: Alignment = LEVEL,
) -> Patch:  # fmt: skip
    """The weaker eye's matte made with the help of the better one's.

    method: transfer (the better eye's matte as the weaker eye sees it) or ensemble (both, by confidence). own: what the weaker eye made of
    it; say: 0..1, how much that counts in an ensemble. shift: see `validate.Agreement`. What the better eye does not see stays as it was.
    """
    found = _surface(eyes, better, weaker, shift, projection, alignment)
    to_left = weaker == RIGHT
    rect = _extent(better, found, projection, to_left, alignment)
    if own is not None:
        rect = rect.union(own.rect)
    if rect.empty:
        return own or _NOTHING
    places = counterpart(rect, found, projection, to_left, alignment)
    theirs, sure = (looked_up(v, places, better.rect) for v in (better.alpha, better.confidence))
    mine, my_say = spread(own or _NOTHING, rect)
    with np.errstate(invalid="ignore"):
        unseen = ~((places >= 0) & (places <= (projection.width, projection.height))).all(axis=-1)
    # beyond the better eye's matte nobody is there, for sure
    sure = np.where(theirs > 0, sure, np.float32(1))
    alpha = theirs
    if method == "ensemble":
        weights = my_say * np.float32(say) + _SAY, sure + _SAY
        alpha = np.asarray((mine * weights[0] + theirs * weights[1]) / (weights[0] + weights[1]), np.float32)
    return Patch(rect, np.where(unseen, mine, alpha).astype(np.float32), np.where(unseen, my_say, sure * _CARRIED).astype(np.float32))


def _surface(
    eyes: dict[str, EyeImage], better: Patch, weaker: str, shift: float, projection: Projection, alignment: Alignment
) -> Disparity:  # fmt: skip
    """As the pictures show it when they can be matched; else one distance for the whole person."""
    from_left = weaker == RIGHT
    flat = at_distance(better, shift, from_left, projection, alignment)
    rect = _extent(better, flat, projection, from_left, alignment)
    if rect.empty:
        return flat
    carried = looked_up(better.alpha, counterpart(rect, flat, projection, from_left, alignment), better.rect)
    there = Patch(rect, carried, np.ones((rect.height, rect.width), np.float32))
    pair = (better, there) if from_left else (there, better)
    # a few percent of a pixel are no matter where an eye was wrong altogether
    found = measure(eyes[LEFT], eyes[RIGHT], *pair, projection, alignment, exact=False)
    if found is None or found.sureness < LEAST_SURE:
        return flat
    tangents = np.tan(found.laterals_left()) - np.tan(found.right.laterals())[None, :]
    inside = found.mask > 0.5
    off = tangents - upright(shift, found.right.elevations())[:, None]
    return found if inside.any() and abs(float(np.median(off[inside]))) < _ELSEWHERE else flat


def _extent(patch: Patch, found: Disparity, projection: Projection, from_left: bool, alignment: Alignment) -> Rect:
    """Where the other eye sees a matte. from_left: the matte is the left eye's."""
    x, y, w, h = cv2.boundingRect((patch.alpha > 0.004).astype(np.uint8))
    if w == 0:
        return Rect(0, 0, 0, 0)
    r = Rect(x, y, x + w, y + h).shifted(patch.rect.x0, patch.rect.y0)
    return extent(r.grown(1).clipped(projection.width, projection.height), found, projection, not from_left, alignment)


def without(patch: Patch, before: list[Patch]) -> Patch:
    """A carried matte behind those who stand before the person in this eye: what they hide is not to be seen."""
    alpha = patch.alpha.copy()
    for other in before:
        common = patch.rect.intersection(other.rect)
        if not common.empty:
            theirs = other.alpha[common.shifted(-other.rect.x0, -other.rect.y0).slices]
            alpha[common.shifted(-patch.rect.x0, -patch.rect.y0).slices] *= 1 - theirs
    return replace(patch, alpha=alpha)
