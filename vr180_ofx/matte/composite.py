"""People of one eye in one picture: where they overlap, each pixel is shared out, so that layers add up to the union."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from vr180_ofx.imaging.either import is_tensor, namespace, zeros
from vr180_ofx.imaging.logistic import sigmoid
from vr180_ofx.imaging.parts import bounds
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.sample import sample
from vr180_ofx.matte.fusion import InstanceMask
from vr180_ofx.matte.parameters import MATTE, CompositeParameters
from vr180_ofx.matte.patch import Patch
from vr180_ofx.vr180.projection import Projection


@dataclass(frozen=True, slots=True)
class Claim:
    """One person in one eye.

    patch: their matte. mask: what the tracker says of them, which decides where two overlap. shared: people with the same mark were told
    apart by a matting network already; None: not told apart from anybody.
    """

    patch: Patch
    mask: InstanceMask
    shared: Hashable | None = None


def compose(claims: Mapping[int, Claim], projection: Projection, parameters: CompositeParameters = MATTE.composite) -> dict[int, Patch]:
    """Person -> their layer, in the order of their numbers: alphas that add up to at most 1, and to the larger one where two overlap.

    claims: person -> what they claim of an eye. projection: of the eye's picture. The alphas of the patches are changed in place, and come
    back: they are as large as people are, and nobody else needs them.
    """
    for a, b in combinations(sorted(claims), 2):
        one, other = claims[a], claims[b]
        overlap = one.patch.rect.intersection(other.patch.rect)
        if overlap.empty:
            continue
        pa, pb = (c.patch.alpha[overlap.shifted(-c.patch.rect.x0, -c.patch.rect.y0).slices] for c in (one, other))
        if one.shared is not None and one.shared == other.shared:
            # shared out already: together they are the union, but for what interpolation added
            total = namespace(pa).maximum(pa + pb, 1)
            pa /= total
            pb /= total
        else:
            _share_out(one, other, overlap, projection, parameters)
    return {person: claims[person].patch for person in sorted(claims)}


def _share_out(one: Claim, other: Claim, overlap: Rect, projection: Projection, parameters: CompositeParameters) -> None:
    """Gives each pixel of ``overlap`` that two claim to both, by what their masks say, in place; if any of them has more than there is."""
    pa, pb = (c.patch.alpha[overlap.shifted(-c.patch.rect.x0, -c.patch.rect.y0).slices] for c in (one, other))
    xp = namespace(pa)
    too_much = (pa + pb).max() > 1
    place = overlap
    if is_tensor(pa):
        # asking where it is would wait for the card
        crowded = (xp.minimum(pa, pb) > parameters.least_alpha) & too_much
    elif too_much:
        # only where both claim more than there is, and nothing is computed elsewhere
        crowded = xp.minimum(pa, pb) > parameters.least_alpha
        part = bounds(crowded)
        if part.empty:
            return
        crowded, pa, pb = crowded[part.slices], pa[part.slices], pb[part.slices]
        place = part.shifted(overlap.x0, overlap.y0)
    else:
        return
    union = xp.maximum(pa, pb)
    la, lb = (
        sample(c.mask.logits, c.mask.window.inverse_map(projection, place, like=pa), border=parameters.outside_logit) for c in (one, other)
    )
    share = pa * sigmoid(la - lb)
    total = share + pb * sigmoid(lb - la)
    share = xp.where(total > 1e-6, share / xp.maximum(total, 1e-6), 0.5)
    xp.copyto(pa, union * share, where=crowded)
    xp.copyto(pb, union * (1 - share), where=crowded)


def fit_union(patches: Sequence[Patch]) -> None:
    """Where the alphas of people add up to more than 1, each gets less, in place: by the share that is too much."""
    rects = [patch.rect for patch in patches]
    crowded = Rect(0, 0, 0, 0)
    for a, b in combinations(rects, 2):
        crowded = crowded.union(a.intersection(b)) if not a.intersection(b).empty else crowded
    if crowded.empty:
        return
    total = zeros((crowded.height, crowded.width), patches[0].alpha)
    places = []
    for patch in patches:
        common = crowded.intersection(patch.rect)
        if not common.empty:
            part = patch.alpha[common.shifted(-patch.rect.x0, -patch.rect.y0).slices]
            place = common.shifted(-crowded.x0, -crowded.y0).slices
            places.append((part, place))
            total[place] += part
    namespace(total).maximum(total, 1, out=total)
    for part, place in places:
        part /= total[place]
