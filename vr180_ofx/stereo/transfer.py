"""A matte carried from one eye to the other, where one of them cannot be trusted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from vr180_ofx.imaging.either import as_float, namespace, zeros
from vr180_ofx.imaging.parts import bounds
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.patch import Patch, spread
from vr180_ofx.stereo.correspondence import counterpart, extent
from vr180_ofx.stereo.disparity import Disparity, at_distance, measure
from vr180_ofx.stereo.pair import StereoPair, sampled
from vr180_ofx.stereo.parameters import STEREO, StereoParameters
from vr180_ofx.vr180.epipolar import upright
from vr180_ofx.vr180.layout import RIGHT


@dataclass(frozen=True, slots=True)
class WeakerEye:
    """What there is of one person in the eye that cannot be trusted.

    view: that eye. shift: the person's distance, see `agreement.Agreement`. own: what the eye made of them itself; None: nothing.
    weight: how much that counts beside the better eye, 0..1; None: not at all, wherever the better eye sees the place.
    """

    view: str
    shift: float
    own: Patch | None = None
    weight: float | None = None


def transferred(pair: StereoPair, better: Patch, weak: WeakerEye, parameters: StereoParameters = STEREO) -> Patch:
    """The weaker eye's matte made with the help of the better one's, ``better``. What the better eye does not see stays as it was."""
    to_left = weak.view == RIGHT
    found = _surface(pair, better, weak, parameters)
    rect = _extent(pair, better, found, parameters, from_left=to_left)
    if weak.own is not None:
        rect = rect.union(weak.own.rect)
    if rect.empty:
        return weak.own or _nothing(better)
    numbers = parameters.transfer
    places = counterpart(pair, rect, found, parameters.surface, to_left=to_left, like=better.alpha)
    theirs, sure = (sampled(v, better.rect, places) for v in (better.alpha, better.confidence))
    mine, my_confidence = spread(weak.own, rect, like=better.alpha)
    x, y = places[..., 0], places[..., 1]
    with np.errstate(invalid="ignore"):
        unseen = ~((x >= 0) & (y >= 0) & (x <= pair.projection.width) & (y <= pair.projection.height))
    xp = namespace(theirs)
    # beyond the better eye's matte nobody is there, for sure
    sure = xp.where(theirs > 0, sure, 1.0)
    alpha = theirs
    if weak.weight is not None:
        weights = my_confidence * float(weak.weight) + numbers.least_weight, sure + numbers.least_weight
        alpha = (mine * weights[0] + theirs * weights[1]) / (weights[0] + weights[1])
    confidence = xp.where(unseen, my_confidence, sure * numbers.confidence)
    return Patch(rect, as_float(xp.where(unseen, mine, alpha)), as_float(confidence))


def _nothing(like: Patch) -> Patch:
    return Patch(Rect(0, 0, 0, 0), zeros((0, 0), like.alpha), zeros((0, 0), like.alpha))


def without_occluded(patch: Patch, occluders: Iterable[Patch]) -> Patch:
    """A carried matte behind those who stand before the person in this eye: what they hide is not to be seen."""
    alpha = namespace(patch.alpha).copy(patch.alpha)
    for other in occluders:
        common = patch.rect.intersection(other.rect)
        if not common.empty:
            theirs = other.alpha[common.shifted(-other.rect.x0, -other.rect.y0).slices]
            alpha[common.shifted(-patch.rect.x0, -patch.rect.y0).slices] *= 1 - theirs
    return replace(patch, alpha=alpha)


def _surface(pair: StereoPair, better: Patch, weak: WeakerEye, parameters: StereoParameters) -> Disparity:
    """As the pictures show it when they can be matched; else one distance for the whole person."""
    from_left = weak.view == RIGHT
    flat = at_distance(pair, better, weak.shift, parameters.disparity, from_left=from_left)
    rect = _extent(pair, better, flat, parameters, from_left=from_left)
    if rect.empty:
        return flat
    places = counterpart(pair, rect, flat, parameters.surface, to_left=from_left, like=better.alpha)
    warped = sampled(better.alpha, better.rect, places)
    there = Patch(rect, warped, namespace(warped).ones_like(warped))
    in_left, in_right = (better, there) if from_left else (there, better)
    # a few percent of a pixel are no matter where an eye was wrong altogether
    found = measure(pair, in_left, in_right, parameters.disparity, exact=False)
    if found is None or found.sureness < parameters.surface.least_sure:
        return flat
    tangents = np.tan(found.laterals_left()) - np.tan(found.right.laterals())[None, :]
    inside = found.mask > 0.5
    off = tangents - upright(weak.shift, found.right.elevations())[:, None]
    return found if inside.any() and abs(float(np.median(off[inside]))) < parameters.transfer.elsewhere else flat


def _extent(pair: StereoPair, patch: Patch, found: Disparity, parameters: StereoParameters, *, from_left: bool) -> Rect:
    """Where the other eye sees a matte. from_left: the matte is the left eye's."""
    there = bounds(patch.alpha > parameters.transfer.least_alpha)
    if there.empty:
        return there
    around = there.shifted(patch.rect.x0, patch.rect.y0).grown(1).clipped(pair.projection.width, pair.projection.height)
    return extent(pair, around, found, parameters.surface, to_left=not from_left)
