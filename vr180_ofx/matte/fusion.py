"""A matting network's alpha of everybody in a picture, and a tracker's masks of each: made one, and each person's own.

The network's edges are soft where they should be; the tracker's masks, refined by the picture, err elsewhere. Where both see the
same edge, their mean is better than either; where they differ in more than an edge, the network is believed, if a mask is near.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from vr180_ofx.arrays import FloatArray, shapes_repr
from vr180_ofx.imaging.either import as_float, namespace, on_planes, worth_it
from vr180_ofx.imaging.filter import box_blur, gaussian_blur
from vr180_ofx.imaging.lattice import smooth_map
from vr180_ofx.imaging.logistic import logit, sigmoid
from vr180_ofx.imaging.morphology import dilate, disc, erode, opened
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.sample import sample
from vr180_ofx.matte.contract import Refined, Refiner
from vr180_ofx.matte.contradiction import contradicted
from vr180_ofx.matte.detail import with_detail
from vr180_ofx.matte.edges import refine_edges
from vr180_ofx.matte.heights import Heights, OnBodies, distances_to_masks
from vr180_ofx.matte.parameters import MATTE, FusionParameters, MatteParameters
from vr180_ofx.matte.refine import refine
from vr180_ofx.matte.same_edge import same_edge
from vr180_ofx.matte.scale import reference_scale
from vr180_ofx.trackers.contract import NetworkAlpha
from vr180_ofx.vr180.window import Window


@dataclass(frozen=True, slots=True)
class InstanceMask:
    """A tracker's mask of one person: (n, n) logits in their window of n pixels, above 0 inside."""

    logits: FloatArray
    window: Window

    def __post_init__(self) -> None:
        if self.logits.shape != (self.window.size, self.window.size):
            raise ValueError(f"logits have the shape {self.logits.shape}; the window has {self.window.size} pixels on a side")

    def __repr__(self) -> str:
        return shapes_repr(self)


@dataclass(frozen=True, slots=True)
class InstanceAlpha:
    """One person's alpha as a function of the full picture, and the window that it is meant in.

    When that is not the person's own: alpha, (h, w) as the coefficients, 0..1; places, (h, w, 2) where these lie in the person's
    window, in its continuous pixels; NaN behind its camera.
    """

    refined: Refined
    window: Window
    alpha: FloatArray | None = None
    places: FloatArray | None = None

    def __post_init__(self) -> None:
        shape = self.refined.coefficients.shape[:2]
        if self.alpha is not None and self.alpha.shape != shape:
            raise ValueError(f"alpha has the shape {self.alpha.shape}; its coefficients are {shape}")
        if self.places is not None and self.places.shape != (*shape, 2):
            raise ValueError(f"places have the shape {self.places.shape}; the coefficients are {shape}")

    def __repr__(self) -> str:
        return shapes_repr(self)

    def sampled(self, values: FloatArray) -> FloatArray:
        """Values in the person's window, (n, n), as the coefficients lie, (h, w); 1 where that window shows nothing."""
        return values if self.places is None else sample(values, self.places, border=1.0)

    def logits(self, window: Window) -> FloatArray:
        """The alpha as the mask of another window, (n, n) logits. Raises ValueError when the window is the person's own."""
        if self.alpha is None:
            raise ValueError("this alpha is meant in the person's own window, and has no mask besides the tracker's")
        x, y, scale = self.refined.at(self.window.size)
        own = self.window
        whole = Rect.of_size(window.size, window.size)
        places = smooth_map(lambda p: (own.points(window.directions(p)) - np.array([x, y])) * scale, whole, like=self.alpha)
        return logit(sample(self.alpha, places))


@dataclass(frozen=True, slots=True)
class GroupMasks:
    """The masks of people whom a network saw together, as the network's picture lies.

    network: what it saw. places: (h, w, 2) where its pixels lie in each one's window, in continuous pixels. logits: (h, w) each
    one's mask. heights: where its pixels lie on people.
    """

    network: NetworkAlpha
    places: Mapping[int, FloatArray]
    logits: Mapping[int, FloatArray]
    heights: Heights

    @classmethod
    def of(
        cls, network: NetworkAlpha, masks: Mapping[int, InstanceMask], parameters: FusionParameters = MATTE.fusion
    ) -> GroupMasks:  # fmt: skip
        """masks: person -> a tracker's mask of them."""
        window, crop = network.window, network.crop

        def in_window(mask: InstanceMask) -> FloatArray:
            whole = Rect.of_size(crop.width, crop.height)
            return smooth_map(lambda p: mask.window.points(window.directions(crop.to_window(p))), whole, like=mask.logits)

        places = {p: in_window(mask) for p, mask in masks.items()}
        logits = {p: sample(mask.logits, places[p], border=parameters.outside_logit) for p, mask in masks.items()}
        return cls(network, places, logits, Heights.of(logits))

    def __repr__(self) -> str:
        return shapes_repr(self)

    def matte(self, alpha: FloatArray, refiner: Refiner, parameters: MatteParameters = MATTE) -> FloatArray:
        """Everybody's matte, (h, w) 0..1. alpha: the network's, the same."""
        mask = sigmoid(reduce(namespace(alpha).maximum, self.logits.values()))
        nobody = contradicted(alpha, self.logits, self.heights, parameters.fusion)
        return everybodys_matte(alpha, self.network.guide, mask, nobody, heights=self.heights, refiner=refiner, parameters=parameters)

    def instances(self, matte: FloatArray, parameters: MatteParameters = MATTE) -> dict[int, InstanceAlpha]:
        """Person -> their share of everybody's matte, (h, w) 0..1."""
        alphas = split_instances(matte, self.logits, self.heights, parameters.fusion)
        return {p: self.instance(p, a, with_detail(a, self.network.guide, parameters.detail)) for p, a in alphas.items()}

    def instance(self, person: int, alpha: FloatArray, refined: Refined) -> InstanceAlpha:
        """Somebody's alpha, (h, w), and how it goes on in the plate, where the network's picture lies."""
        return InstanceAlpha(placed(refined, self.network), self.network.window, alpha, self.places[person])


def everybodys_matte(
    alpha: FloatArray, guide: FloatArray, mask: FloatArray, nobody: FloatArray, *, heights: OnBodies, refiner: Refiner,
    parameters: MatteParameters = MATTE,
) -> FloatArray:  # fmt: skip
    """A network's alpha and everybody's mask as one, with edges as exact as the picture is: (h, w) 0..1.

    alpha, mask: (h, w) 0..1. guide: (h, w, 3). nobody: see `contradiction.contradicted`. heights: of the people. Of tensors
    several pictures at once, (n, h, w) and (n, h, w, 3).
    """
    refined = refine(refiner, guide, mask, parameters.band).value(guide)
    if worth_it(nobody > 0):
        alpha = as_float(alpha + (refined - alpha) * nobody)
    together = fused(alpha, refined, reference_scale(alpha), heights, parameters.fusion)
    return refine_edges(together, guide, heights, parameters.edges)


def resplit_instances(
    network: NetworkAlpha, instances: Mapping[int, InstanceAlpha], masks: Mapping[int, InstanceMask], parameters: MatteParameters = MATTE
) -> dict[int, InstanceAlpha]:
    """The same people, and the same matte of all of them together, with other masks to decide who is where.

    network: what saw them together. instances: person -> what `GroupMasks.instances` gave them. masks: of the same people. Returns
    ``instances`` when nobody has a mask there.
    """
    logits = {}
    for p, instance in instances.items():
        if instance.places is None:
            raise ValueError(f"person {p} was not seen together with others: their alpha is meant in their own window")
        logits[p] = sample(masks[p].logits, instance.places, border=parameters.fusion.outside_logit)
    distances = distances_to_masks(logits)
    if not distances:
        return dict(instances)
    total = namespace(network.alpha).clip(sum(i.alpha for i in instances.values() if i.alpha is not None), 0, 1)
    shares = _shares(total, logits, distances, parameters.fusion)
    refined = {p: placed(with_detail(a, network.guide, parameters.detail), network) for p, a in shares.items()}
    return {p: replace(instances[p], refined=refined[p], alpha=a) for p, a in shares.items()}


def split_instances(
    alpha: FloatArray, logits: Mapping[int, FloatArray], heights: Heights, parameters: FusionParameters = MATTE.fusion
) -> dict[int, FloatArray]:  # fmt: skip
    """Person -> alpha, (h, w) 0..1, which add up to at most 1.

    alpha: (h, w) 0..1, of everybody. logits: (h, w) each person's mask; heights: of these.
    """
    if not heights.distances:
        return {p: namespace(alpha).zeros_like(alpha) for p in logits}
    return _shares(alpha * heights.proximity(parameters.near, parameters.far), logits, heights.distances, parameters)


def fused(
    alpha: FloatArray, refined: FloatArray, scale: float, heights: OnBodies, parameters: FusionParameters = MATTE.fusion
) -> FloatArray:  # fmt: skip
    """A network's alpha and the refined masks, of everybody, as one, (h, w) float32 0..1.

    alpha, refined: (h, w) 0..1. scale: see `scale.reference_scale`. heights: of the people in it.
    """
    # where the network sees no edge there is none: not between people either, where masks have one
    edge = (alpha > parameters.edge) & (alpha < 1 - parameters.edge)
    beside = on_planes(dilate, edge, disc(max(1, round(parameters.beside_px * scale))))
    difference = _without_threads(refined, alpha) - alpha
    # a Python number beside an array of float32 takes its type
    difference *= namespace(alpha).where(difference < 0, heights.weights(parameters.less), parameters.more)
    difference *= same_edge(alpha, refined, scale, parameters.same_edge) * on_planes(box_blur, as_float(beside), (3, 3))
    return _decided(as_float(alpha + difference), alpha, refined, scale, parameters)


def _without_threads(refined: FloatArray, alpha: FloatArray) -> FloatArray:
    """The refined mask without what is thinner than three pixels where the network sees nothing.

    A guided filter follows bright lines behind an edge, which look like threads that stand off from it. Hair is in the network's
    alpha.
    """
    xp = namespace(alpha)
    out: FloatArray = xp.minimum(refined, xp.maximum(on_planes(dilate, alpha, disc(1)), on_planes(opened, refined, disc(1))))
    return out


def _decided(together: FloatArray, alpha: FloatArray, refined: FloatArray, scale: float, parameters: FusionParameters) -> FloatArray:
    """Where the network wavers over an area wider than edges and hair are, and the mask is sure that somebody is there, they are."""
    radius = max(1, round(parameters.wavering_px * scale))
    doubtful = (alpha > parameters.wavering_low) & (alpha < parameters.wavering_high)
    wavering = on_planes(erode, doubtful, disc(radius))
    if not worth_it(wavering):
        return together
    decided = on_planes(dilate, wavering, disc(radius + 1)) & (refined > parameters.certain)
    share = on_planes(gaussian_blur, as_float(decided), parameters.wavering_fade_px * scale)
    out: FloatArray = as_float(together + (namespace(alpha).maximum(refined, together) - together) * share)
    return out


def _shares(
    alpha: FloatArray, logits: Mapping[int, FloatArray], distances: Mapping[int, FloatArray], parameters: FusionParameters
) -> dict[int, FloatArray]:  # fmt: skip
    """All of an alpha given to those who have masks."""
    if len(logits) == 1:
        return {next(iter(logits)): alpha}
    fall, most = parameters.fall / reference_scale(alpha), parameters.most_logit
    xp = namespace(alpha)
    weights = {p: xp.exp(xp.clip(logits[p], -most, most) - fall * d) for p, d in distances.items()}
    total = xp.maximum(sum(weights.values()), 1e-30)
    return {p: as_float(alpha * weights[p] / total) if p in weights else xp.zeros_like(alpha) for p in logits}


def placed(refined: Refined, network: NetworkAlpha) -> Refined:
    """What lies as the network's picture, where that lies in its window."""
    crop = network.crop
    return replace(refined, place=(crop.x, crop.y, crop.scale))
