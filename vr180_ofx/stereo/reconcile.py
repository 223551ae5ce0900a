"""Both eyes' mattes of one person made to agree: each pixel takes in what the other eye says of the same point.

The disparity is measured once, at a resolution that suffices for it, and each eye keeps its own pixels: only the other eye's matte is
sampled, where it sees the point. Both weigh in with their confidence, so the edge is the same edge in both, as soft in one as in the
other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from vr180_ofx.imaging.either import as_float, hosts, namespace
from vr180_ofx.matte.patch import Patch, spread
from vr180_ofx.matte.same_edge import same_edge
from vr180_ofx.matte.scale import reference_scale
from vr180_ofx.stereo.correspondence import counterpart
from vr180_ofx.stereo.disparity import Disparity, measure
from vr180_ofx.stereo.pair import StereoPair, sampled
from vr180_ofx.stereo.parameters import STEREO, StereoParameters


@dataclass(frozen=True, slots=True)
class JoinedPair:
    """One person in both eyes.

    overlap: of the left matte carried to the right with the right one, before they were joined; 0..1. used: whether they were joined.
    """

    left: Patch
    right: Patch
    overlap: float
    used: bool


def join(
    pair: StereoPair, in_left: Patch, in_right: Patch, parameters: StereoParameters = STEREO, *, edges_only: bool = False
) -> JoinedPair:  # fmt: skip
    """Mattes that agree. Those who are in one eye alone, or cannot be measured, stay as they are.

    edges_only: where the eyes differ in more than an edge, each keeps its own: for mattes that err less in one eye than two of them do
    together.
    """
    found = measure(pair, in_left, in_right, parameters.disparity)
    if found is None or found.sureness < parameters.surface.least_sure:
        return JoinedPair(in_left, in_right, 0.0, False)
    new_right, overlap = _blended(pair, in_right, in_left, found, parameters, to_left=True, edges_only=edges_only)
    new_left, _ = _blended(pair, in_left, in_right, found, parameters, to_left=False, edges_only=edges_only)
    return JoinedPair(new_left, new_right, overlap, True)


def _blended(
    pair: StereoPair, own: Patch, other: Patch, found: Disparity, parameters: StereoParameters, *, to_left: bool, edges_only: bool
) -> tuple[Patch, float]:  # fmt: skip
    """One eye's matte with what the other says of its pixels, and how far both overlapped. to_left: ``own`` is the right eye's."""
    joining = parameters.join
    rect = own.rect.grown(joining.margin_px).clipped(pair.projection.width, pair.projection.height)
    places = counterpart(pair, rect, found, parameters.surface, to_left=to_left, like=own.alpha)
    mine, my_confidence = spread(own, rect, around=1.0)
    theirs, their_confidence = (sampled(v, other.rect, places) for v in (other.alpha, other.confidence))
    weights = my_confidence + joining.least_weight, their_confidence + joining.least_weight
    joined = (mine * weights[0] + theirs * weights[1]) / (weights[0] + weights[1])
    if edges_only:
        joined = mine + (joined - mine) * same_edge(mine, theirs, joining.edge_leniency * reference_scale(mine), joining.same_edge)
    xp = namespace(mine)
    common, union = hosts(xp.minimum(mine, theirs).sum(), xp.maximum(mine, theirs).sum())
    overlap = float(common / union) if union > 0 else 0.0
    return replace(own, rect=rect, alpha=as_float(joined), confidence=my_confidence), overlap
