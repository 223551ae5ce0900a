"""Everybody whom a network saw, in several pictures at once: on a graphics card the number of steps is what stages cost.

Pictures are tensors of one size, in each of which as many people have masks: they are worked on in as many steps as one. Steps of sizes
that come again are recorded (`weights.graphs`), where that can be done. What comes out is what `fusion.GroupMasks` makes of each alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from threading import local
from typing import TYPE_CHECKING, cast

from vr180_ofx.arrays import FloatArray, shapes_repr
from vr180_ofx.imaging.either import namespace
from vr180_ofx.imaging.logistic import sigmoid
from vr180_ofx.matte.contract import Refiner, takes_tensors
from vr180_ofx.matte.contradiction import contradicted
from vr180_ofx.matte.detail import with_detail
from vr180_ofx.matte.fusion import GroupMasks, InstanceAlpha, everybodys_matte, split_instances
from vr180_ofx.matte.heights import Heights, KnownHeights
from vr180_ofx.matte.parameters import MATTE, MatteParameters

if TYPE_CHECKING:
    from vr180_ofx.weights.graphs import Function


@dataclass(frozen=True, slots=True)
class Batch:
    """Groups whose pictures can be worked on at once.

    numbers: which of those that were given. groups: themselves. guide: (n, h, w, 3). heights: of all of them.
    """

    numbers: tuple[int, ...]
    groups: tuple[GroupMasks, ...]
    guide: FloatArray
    heights: Heights

    def __repr__(self) -> str:
        return shapes_repr(self)

    def mattes(self, alphas: Sequence[FloatArray], refiner: Refiner, parameters: MatteParameters = MATTE) -> Sequence[FloatArray]:
        """As `GroupMasks.matte` of each. alphas: of each group, (h, w)."""
        xp = namespace(self.guide)
        logits = self._logits()
        masks = sigmoid(reduce(xp.maximum, logits.values()))
        edges, near = parameters.edges, (parameters.edges.hair_near, parameters.edges.hair_far)
        curves = edges.hair, edges.soles, parameters.fusion.less
        known = [*(self.heights.weights(curve) for curve in curves), self.heights.proximity(*near)]
        together = xp.stack(alphas)
        nobody = contradicted(together, logits, self.heights, parameters.fusion)

        def made(*given: FloatArray) -> tuple[FloatArray, ...]:
            # nothing here asks the card for an answer, or the host for numbers: a recording could not
            alpha, guide, mask, nobody, *answers = given
            heights = KnownHeights(dict(zip(curves, answers, strict=False)), {near: answers[-1]})
            return (everybodys_matte(alpha, guide, mask, nobody, heights=heights, refiner=refiner, parameters=parameters),)

        given = together, self.guide, masks, nobody, *known
        if not takes_tensors(refiner):
            return list(made(*given)[0])
        return list(_called(f"{refiner.identity()}|{parameters.identity()}", made, *given))

    def _orders(self) -> list[list[int]]:
        """The people of each group: those with masks first, who have distances. Within a batch they are known by their place."""
        return [[*g.heights.distances, *(p for p in g.logits if p not in g.heights.distances)] for g in self.groups]

    def _logits(self) -> dict[int, FloatArray]:
        """Place -> (n, h, w), the masks of those who have it."""
        places = enumerate(zip(*self._orders(), strict=True))
        stack = namespace(self.guide).stack
        return {k: stack([g.logits[p] for g, p in zip(self.groups, people, strict=True)]) for k, people in places}

    def instances(self, mattes: Sequence[FloatArray], parameters: MatteParameters = MATTE) -> list[dict[int, InstanceAlpha]]:
        """As `GroupMasks.instances` of each."""
        xp = namespace(self.guide)
        orders, logits = self._orders(), self._logits()
        alphas = xp.stack(list(split_instances(xp.stack(mattes), logits, self.heights, parameters.fusion).values()))
        detailed = with_detail(alphas, self.guide, parameters.detail)
        made: list[dict[int, InstanceAlpha]] = []
        for n, (group, order) in enumerate(zip(self.groups, orders, strict=True)):
            refined = {p: replace(detailed, coefficients=detailed.coefficients[k, n]) for k, p in enumerate(order)}
            own = {p: group.instance(p, alphas[k, n], refined[p]) for k, p in enumerate(order)}
            made.append({p: own[p] for p in group.logits})
        return made


def batches(groups: Sequence[GroupMasks], refiner: Refiner) -> Iterator[Batch]:
    """groups: whose pictures are tensors. Those that cannot be worked on with others are alone, as all are with a refiner of arrays."""
    alike: dict[tuple[object, ...], list[int]] = {}
    for n, group in enumerate(groups):
        alone = None if takes_tensors(refiner) else n
        key = tuple(group.network.alpha.shape), len(group.logits), len(group.heights.distances), alone
        alike.setdefault(key, []).append(n)
    for numbers in alike.values():
        some = tuple(groups[n] for n in numbers)
        guide = namespace(some[0].network.guide).stack([g.network.guide for g in some])
        yield Batch(tuple(numbers), some, guide, Heights.together([g.heights for g in some]))


_here = local()


def _called(name: str, function: Callable[..., tuple[FloatArray, ...]], *given: FloatArray) -> FloatArray:
    """The function's result, by a recording where there can be one: threads have their own."""
    import torch

    from vr180_ofx.weights.graphs import Graphs, recorder_for

    tensors = cast("tuple[torch.Tensor, ...]", given)
    device = tensors[0].device
    known: dict[torch.device, Graphs] = _here.__dict__.setdefault("graphs", {})
    if device not in known:
        known[device] = Graphs(recorder_for(device))
    graphs = known[device]
    (made,) = graphs.kept(*graphs(name, cast("Function", function), *tensors))
    return cast("FloatArray", made)
