"""Mattes of people whom both eyes see: the other eye's picture of the same places is a second opinion.

It is another picture, with other grain and another background behind the same edges, and what a network gets wrong in one eye it
often gets right in the other. As with the frames before and after (`temporal`), it is warped along the motion between both
pictures, and counts as far as they look alike there. So it does not count where one eye sees what the other does not, or
sees nothing at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from vr180_ofx.arrays import FloatArray, shapes_repr
from vr180_ofx.imaging.either import hosts, is_tensor
from vr180_ofx.imaging.flow import Luma, Motion, luma_of, motion_between, optical_flow
from vr180_ofx.imaging.parts import centroids
from vr180_ofx.imaging.warp import inverse_affine, warp_affine
from vr180_ofx.matte.contract import Refiner
from vr180_ofx.matte.fusion import GroupMasks, InstanceAlpha, InstanceMask
from vr180_ofx.matte.parameters import MATTE, BothEyesParameters, MatteParameters
from vr180_ofx.matte.scale import reference_scale
from vr180_ofx.matte.together import batches
from vr180_ofx.matte.uncertainty import uncertainty
from vr180_ofx.trackers.contract import NetworkAlpha

#: As `map`: the order of what comes back is that of what was given, whatever is worked on at once.
Each = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]


@dataclass(frozen=True, slots=True)
class Group:
    """People whom a network saw together in one eye.

    view: which. network: what it saw. masks: person -> a tracker's mask of them, of everybody in it.
    """

    view: str
    network: NetworkAlpha
    masks: Mapping[int, InstanceMask]

    def __repr__(self) -> str:
        return shapes_repr(self)


def fuse_groups(
    groups: Sequence[Group], refiner: Refiner, each: Each, *, agree: bool = True, parameters: MatteParameters = MATTE
) -> list[dict[int, InstanceAlpha]]:  # fmt: skip
    """For each group: person -> their alpha.

    groups: of one frame, in all eyes. refiner: of the masks' edges. each: what groups are worked on by. agree: whether the eyes'
    alphas are averaged, of groups of the same people.
    """
    others = [_counterpart(group, groups) if agree else None for group in groups]
    weights = parameters.both_eyes

    def prepared(n: int) -> tuple[GroupMasks, FloatArray, OtherEye | None]:
        network, other = groups[n].network, others[n]
        masks = GroupMasks.of(network, groups[n].masks, parameters.fusion)
        if other is None:
            return masks, network.alpha, None
        across = OtherEye.of(network, groups[other].network, weights)
        return masks, across.blended(network.alpha, groups[other].network.alpha, weights.network), across

    def matte(n: int) -> tuple[GroupMasks, FloatArray, OtherEye | None]:
        masks, alpha, across = prepared(n)
        return masks, masks.matte(alpha, refiner, parameters), across

    def heard(n: int, mattes: Sequence[tuple[GroupMasks, FloatArray, OtherEye | None]]) -> FloatArray:
        _, alpha, across = mattes[n]
        other = others[n]
        return alpha if across is None or other is None else across.blended(alpha, mattes[other][1], weights.matte)

    if groups and all(is_tensor(group.network.alpha) for group in groups):
        across = OtherEye.of_each(groups, others, each, weights)
        known = [(GroupMasks.of(g.network, g.masks, parameters.fusion), g.network.alpha, across.get(n)) for n, g in enumerate(groups)]
        for n, other in ((n, others[n]) for n in across):
            assert other is not None
            known[n] = known[n][0], across[n].blended(known[n][1], groups[other].network.alpha, weights.network), across[n]
        return _on_device(known, heard, refiner, parameters)
    mattes = list(each(matte, range(len(groups))))

    def instances(n: int) -> dict[int, InstanceAlpha]:
        return cast("dict[int, InstanceAlpha]", mattes[n][0].instances(heard(n, mattes), parameters))

    return list(each(instances, range(len(groups))))


def _on_device(
    known: list[tuple[GroupMasks, FloatArray, OtherEye | None]],
    heard: Callable[[int, Sequence[tuple[GroupMasks, FloatArray, OtherEye | None]]], FloatArray],
    refiner: Refiner, parameters: MatteParameters,
) -> list[dict[int, InstanceAlpha]]:  # fmt: skip
    """The same of tensors, in as few steps as can be. known: of each group its masks, the alpha that both eyes gave, and the other eye."""
    at_once = list(batches([masks for masks, _, _ in known], refiner))
    mattes = list(known)
    for batch in at_once:
        for n, made in zip(batch.numbers, batch.mattes([known[n][1] for n in batch.numbers], refiner, parameters), strict=True):
            mattes[n] = known[n][0], made, known[n][2]
    out: list[dict[int, InstanceAlpha]] = [{} for _ in known]
    for batch in at_once:
        for n, found in zip(batch.numbers, batch.instances([heard(n, mattes) for n in batch.numbers], parameters), strict=True):
            out[n] = found
    return out


def _counterpart(group: Group, groups: Sequence[Group]) -> int | None:
    """The same people together in the other eye."""
    return next((n for n, g in enumerate(groups) if g.view != group.view and g.masks.keys() == group.masks.keys()), None)


@dataclass(frozen=True, slots=True)
class OtherEye:
    """Where the other eye's crop shows what this one does.

    matrix: (2, 3), from this crop's pixel indices to the other's, as far as a camera's turn goes. motion: from there on. parameters:
    how it counts.
    """

    motion: Motion
    matrix: FloatArray
    parameters: BothEyesParameters

    @classmethod
    def of(cls, own: NetworkAlpha, theirs: NetworkAlpha, parameters: BothEyesParameters = MATTE.both_eyes) -> OtherEye:
        """At one scale, and moved so that the middles of both alphas meet; the rest is the flow's to find."""
        matrix = _between(own, theirs, *_middles([own.alpha, theirs.alpha]))
        luma = luma_of(own.guide)
        motion = motion_between(_warped(theirs, matrix, luma), luma, reference_scale(own.alpha), trust=parameters.trust)
        return cls(motion, matrix, parameters)

    @classmethod
    def of_each(
        cls, groups: Sequence[Group], others: Sequence[int | None], each: Each, parameters: BothEyesParameters = MATTE.both_eyes
    ) -> dict[int, OtherEye]:  # fmt: skip
        """`of` of each group that another eye has, too: of tensors a card is waited for twice, for all of them.

        others: for each group the other eye's. each: what flow is found by, on the host.
        """
        pairs = [(n, groups[n].network, groups[m].network) for n, m in enumerate(others) if m is not None]
        if not pairs:
            return {}
        middles = dict(zip([n for n, _, _ in pairs], _middles([own.alpha for _, own, _ in pairs]), strict=True))
        # whoever has another eye is that one's other eye
        matrices = [_between(own, theirs, middles[n], middles[cast("int", others[n])]) for n, own, theirs in pairs]
        lumas = [luma_of(own.guide) for _, own, _ in pairs]
        warped = [_warped(theirs, matrix, luma) for (_, _, theirs), matrix, luma in zip(pairs, matrices, lumas, strict=True)]
        down = hosts(*lumas, *warped)
        flows = list(each(lambda k: optical_flow(down[k], down[k + len(pairs)]), range(len(pairs))))
        out = {}
        for (n, own, _), matrix, luma, there, flow in zip(pairs, matrices, lumas, warped, flows, strict=True):
            motion = motion_between(there, luma, reference_scale(own.alpha), trust=parameters.trust, flow=flow)
            out[n] = cls(motion, matrix, parameters)
        return out

    def blended(self, alpha: FloatArray, theirs: FloatArray, weight: float) -> FloatArray:
        """An alpha of this eye's, averaged with the other eye's where both look alike and this one is uncertain, (h, w) 0..1.

        Where it is certain, the mean would be haze about somebody, or somebody half seen. alpha: (h, w) 0..1; theirs: the same of
        the other eye's crop. weight: of theirs, beside 1.
        """
        size = (alpha.shape[1], alpha.shape[0])
        warped = self.motion.warp_alpha(warp_affine(theirs, self.matrix, size, interpolation="cubic"))
        trust = self.motion.trust * uncertainty(alpha, self.parameters.uncertain) * weight
        out: FloatArray = (alpha + trust * warped) / (1 + trust)
        return out


def _focal_pixels(network: NetworkAlpha) -> float:
    return network.window.focal_pixels * network.crop.scale


def _middles(alphas: Sequence[FloatArray]) -> list[tuple[float, float]]:
    """The centroid of each alpha of at least a pixel; else the picture's middle."""
    return [c or (a.shape[1] / 2, a.shape[0] / 2) for c, a in zip(centroids(alphas, 1), alphas, strict=True)]


def _between(own: NetworkAlpha, theirs: NetworkAlpha, here: tuple[float, float], there: tuple[float, float]) -> FloatArray:
    """(2, 3) from one eye's crop to the other's, so that the places ``here`` and ``there`` meet."""
    scale = _focal_pixels(own) / _focal_pixels(theirs)
    return inverse_affine(np.array([[scale, 0, here[0] - scale * there[0]], [0, scale, here[1] - scale * there[1]]]))


def _warped(theirs: NetworkAlpha, matrix: FloatArray, luma: Luma) -> Luma:
    return warp_affine(luma_of(theirs.guide), matrix, (luma.shape[1], luma.shape[0]))
