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
from vr180_ofx.imaging.flow import Motion, luma_of, motion_between, optical_flow
from vr180_ofx.imaging.parts import all_centroids
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

    def prepared(n: int, across: OtherEye | None) -> tuple[GroupMasks, FloatArray, OtherEye | None]:
        network, other = groups[n].network, others[n]
        masks = GroupMasks.of(network, groups[n].masks, parameters.fusion)
        if other is None:
            return masks, network.alpha, None
        if across is None:
            across = OtherEye.of(network, groups[other].network, weights)
        return masks, across.blended(network.alpha, groups[other].network.alpha, weights.network), across

    def matte(n: int) -> tuple[GroupMasks, FloatArray, OtherEye | None]:
        masks, alpha, across = prepared(n, None)
        return masks, masks.matte(alpha, refiner, parameters), across

    def heard(n: int, mattes: Sequence[tuple[GroupMasks, FloatArray, OtherEye | None]]) -> FloatArray:
        _, alpha, across = mattes[n]
        other = others[n]
        return alpha if across is None or other is None else across.blended(alpha, mattes[other][1], weights.matte)

    if groups and all(is_tensor(group.network.alpha) for group in groups):
        pairs = {n: (groups[n].network, groups[other].network) for n, other in enumerate(others) if other is not None}
        across = dict(zip(pairs, OtherEye.of_all(list(pairs.values()), each, weights), strict=True))
        return _on_device([prepared(n, across.get(n)) for n in range(len(groups))], heard, refiner, parameters)
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
        return cls.of_all([(own, theirs)], map, parameters)[0]

    @classmethod
    def of_all(
        cls, pairs: Sequence[tuple[NetworkAlpha, NetworkAlpha]], each: Each, parameters: BothEyesParameters = MATTE.both_eyes
    ) -> list[OtherEye]:  # fmt: skip
        """`of` each pair. A graphics card is waited for twice, whatever their number; each: what flows are found by, on the host."""
        middles = iter(all_centroids([network.alpha for pair in pairs for network in pair], least=1) if pairs else [])
        matrices, lumas = [], []
        for own, theirs in pairs:
            scale = _focal_pixels(own) / _focal_pixels(theirs)
            here, there = (next(middles) or _middle(network.alpha) for network in (own, theirs))
            matrix = inverse_affine(np.array([[scale, 0, here[0] - scale * there[0]], [0, scale, here[1] - scale * there[1]]]))
            luma = luma_of(own.guide)
            lumas += [luma, warp_affine(luma_of(theirs.guide), matrix, (luma.shape[1], luma.shape[0]))]
            matrices.append(matrix)
        down = hosts(*lumas)
        flows = each(lambda pair: optical_flow(*pair), zip(down[::2], down[1::2], strict=True))
        motions = [
            motion_between(warped, luma, reference_scale(own.alpha), trust=parameters.trust, flow=flow)
            for (own, _), luma, warped, flow in zip(pairs, lumas[::2], lumas[1::2], flows, strict=True)
        ]
        return [cls(motion, matrix, parameters) for motion, matrix in zip(motions, matrices, strict=True)]

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


def _middle(picture: FloatArray) -> tuple[float, float]:
    return picture.shape[1] / 2, picture.shape[0] / 2
