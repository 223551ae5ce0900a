"""What a matting network says of everybody in a picture, made each person's own, with the help of what a tracker says of each.

The network's edges are soft where they should be; the tracker's masks, refined by the picture, err elsewhere. Where both mean the same
edge, their mean is better than either; where they differ in more than an edge, the network is believed, if the mask is near.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.lattice import smooth_map
from vr180_ofx.imaging.logistic import logit, sigmoid
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.contract import Refined, Refiner
from vr180_ofx.matte.edges import along, exact, in_light
from vr180_ofx.matte.heights import Heights, distances
from vr180_ofx.matte.paste import refine
from vr180_ofx.matte.upsample import slope
from vr180_ofx.trackers.contract import NetworkAlpha
from vr180_ofx.vr180.window import Window

#: How much the refined mask counts where both agree and it has more of somebody than the network.
_MORE = 0.2
#: Where it has less, by the height on the body: nothing at hair, of which masks know little, and all at shoes, where networks take
#: shadows for people.
_LESS = (0.1, 0.2, 0.82, 0.9), (0.0, 0.6, 0.6, 1.0)
#: Where there is hair: by the height, and so far from the mask, in shares of the picture's side. Its colour is not that of the head beside
#: it, and networks see less of it than there is.
_HAIR, _HAIR_REACH = ((0.12, 0.18), (1.0, 0.0)), (0.02, 0.05)
_HAIR_EXACT, _HAIR_MORE = 0.5, 0.5
#: Under soles there is shadow that belongs to nobody.
_SOLES, _SOLES_LESS = ((0.88, 0.95), (0.0, 1.0)), 0.4
#: Differences wider than twice this are no matter of edges, and are felt so far around; in pixels of a picture of 384.
_WIDE, _AROUND = 1.5, 12
#: The same where the mask has less than the network, and where it has more.
_WIDE_LESS, _WIDE_MORE = 2.5, 1.0
#: So far from an edge of the network's the mask has a say, in the same pixels.
_BESIDE = 4
#: The network wavers where its alpha lies between these, over areas wider than twice so many pixels; decisions fade out over so many.
_DOUBTFUL, _WAVERING, _INTO = (0.3, 0.97), 5, 4
_SURE = 0.9
#: So far from all masks the network is believed, and from so far on it is not; in shares of the picture's side.
NEAR, FAR = 0.08, 0.2
#: A mask's logits fall by so much for each pixel (of 384) away from it, so that what nobody claims goes to who is nearest.
_FALL = 0.15
_CLIP = 6.0


@dataclass(frozen=True, slots=True)
class InstanceMask:
    """What a tracker says of one person: (n, n) logits in their window."""

    logits: FloatArray
    window: Window


@dataclass(frozen=True, slots=True)
class InstanceAlpha:
    """One person's alpha as a function of the full picture, and the window that it is meant in.

    When that is not the person's own: alpha, (h, w) as the coefficients, 0..1; places, (h, w, 2) where those lie in the person's window.
    """

    refined: Refined
    window: Window
    alpha: FloatArray | None = None
    places: FloatArray | None = None

    def seen(self, values: FloatArray) -> FloatArray:
        """What lies in the person's window, (n, n), as the coefficients lie; 1 where that shows nothing."""
        return values if self.places is None else _looked_up(values, self.places, 1.0)

    def logits(self, window: Window) -> FloatArray:
        """The alpha as the mask of another window, (n, n) logits."""
        assert self.alpha is not None
        x, y, scale = self.refined.at(self.window.size)
        mine = self.window
        places = _places(lambda p: (mine.points(window.directions(p)) - np.array([x, y])) * scale, window.size)
        return logit(_looked_up(self.alpha, places, 0.0))


@dataclass(frozen=True, slots=True)
class People:
    """People whom a network saw together: what a tracker says of each, as the network's picture lies.

    places: (h, w, 2) where its pixels lie in each one's window. logits: (h, w) each one's mask.
    """

    soft: NetworkAlpha
    places: Mapping[int, FloatArray]
    logits: Mapping[int, FloatArray]
    heights: Heights

    @classmethod
    def of(cls, soft: NetworkAlpha, claims: Mapping[int, InstanceMask]) -> People:
        window, look = soft.window, soft.crop

        def in_window(claim: InstanceMask) -> FloatArray:
            return _places(lambda p: claim.window.points(window.directions(look.to_window(p))), look.width, look.height)

        places = {p: in_window(claim) for p, claim in claims.items()}
        logits = {p: _looked_up(claim.logits, places[p], -8.0) for p, claim in claims.items()}
        return cls(soft, places, logits, Heights.of(logits))

    def matte(self, alpha: FloatArray, refiner: Refiner) -> FloatArray:
        """(h, w) 0..1, of everybody. alpha: what the network says, the same."""
        guide = self.soft.guide
        refined = refine(refiner, guide, sigmoid(np.maximum.reduce(list(self.logits.values())))).value(guide)
        return drawn(fused(alpha, refined, reference_scale(alpha), self.heights), guide, self.heights)

    def shapes(self, matte: FloatArray) -> dict[int, InstanceAlpha]:
        """Person -> their share of everybody's matte, (h, w) 0..1."""
        alphas = split_instances(matte, self.logits, self.heights)
        return {p: InstanceAlpha(_placed(a, self.soft), self.soft.window, a, self.places[p]) for p, a in alphas.items()}


def resplit_instances(
    soft: NetworkAlpha, shapes: Mapping[int, InstanceAlpha], claims: Mapping[int, InstanceMask]
) -> dict[int, InstanceAlpha]:
    """The same people in the same picture, and the same of all of them together, with other masks to say who is where."""
    logits = {}
    for p, shape in shapes.items():
        assert shape.places is not None
        logits[p] = _looked_up(claims[p].logits, shape.places, -8.0)
    away = distances(logits)
    if not away:
        return dict(shapes)
    total = np.clip(sum(shape.alpha for shape in shapes.values() if shape.alpha is not None), 0, 1)
    return {p: replace(shapes[p], refined=_placed(a, soft), alpha=a) for p, a in _parted(total, logits, away).items()}


def _placed(alpha: FloatArray, soft: NetworkAlpha) -> Refined:
    return replace(detailed(alpha, soft.guide), place=(soft.crop.x, soft.crop.y, soft.crop.scale))


def _places(function: Callable[[FloatArray], FloatArray], width: int, height: int = 0) -> FloatArray:
    """As `smooth_map`, as cv2.remap wants it; where there is nothing, far away."""
    grid = smooth_map(function, Rect.of_size(width, height or width))
    grid -= np.float32(0.5)
    grid[np.isnan(grid)] = -1e4
    return grid


def _looked_up(values: FloatArray, places: FloatArray, outside: float) -> FloatArray:
    out: FloatArray = cv2.remap(values, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=outside)
    return out


def reference_scale(alpha: FloatArray) -> float:
    """Pixels for one of a picture of 384."""
    return float(np.sqrt(alpha.size)) / 384


def split_instances(alpha: FloatArray, logits: Mapping[int, FloatArray], heights: Heights) -> dict[int, FloatArray]:
    """Person -> alpha, (h, w) 0..1, which add up to at most 1.

    alpha: (h, w) 0..1, of everybody. logits: (h, w) each person's mask.
    """
    if not heights.away:
        return {p: np.zeros_like(alpha) for p in logits}
    return _parted(alpha * heights.near(NEAR, FAR), logits, heights.away)


def _parted(alpha: FloatArray, logits: Mapping[int, FloatArray], away: Mapping[int, FloatArray]) -> dict[int, FloatArray]:
    """All of an alpha given to those who have masks."""
    if len(logits) == 1:
        return {next(iter(logits)): alpha}
    fall = _FALL / reference_scale(alpha)
    claims = {p: np.exp(np.clip(logits[p], -_CLIP, _CLIP) - fall * a) for p, a in away.items()}
    everybody = np.maximum(sum(claims.values()), 1e-30)
    return {p: (alpha * claims[p] / everybody).astype(np.float32) if p in claims else np.zeros_like(alpha) for p in logits}


def fused(alpha: FloatArray, refined: FloatArray, unit: float, heights: Heights) -> FloatArray:
    """The network's alpha and the refined mask, (h, w) 0..1 each, of everybody, as one. unit: pixels for one of a picture of 384."""
    # where the network sees no edge there is none: not between people either, where masks have one
    edge = cv2.dilate(((alpha > 0.05) & (alpha < 0.95)).astype(np.uint8), _disc(max(1, round(_BESIDE * unit))))
    difference = _without_threads(refined, alpha) - alpha
    difference *= np.where(difference < 0, heights.table(*_LESS), np.float32(_MORE))
    difference *= same_edge(alpha, refined, unit, _WIDE_LESS, _WIDE_MORE) * cv2.blur(edge.astype(np.float32), (3, 3))
    return _decided((alpha + difference).astype(np.float32), alpha, refined, unit)


def drawn(alpha: FloatArray, guide: FloatArray, heights: Heights) -> FloatArray:
    """An alpha, (h, w) 0..1, with its edges where the picture has them. guide: (h, w, 3) the picture there."""
    out, trust, brighter = exact(alpha, guide, reference_scale(alpha))
    hair = heights.table(*_HAIR) * heights.near(*_HAIR_REACH)
    out += np.float32(_HAIR_EXACT) * hair * (alpha - out)
    out += np.float32(_HAIR_MORE) * hair * out * (1 - out)
    out = in_light(along(out, guide, trust), brighter)
    out -= np.float32(_SOLES_LESS) * heights.table(*_SOLES) * out * (1 - out)
    return out


def _without_threads(refined: FloatArray, alpha: FloatArray) -> FloatArray:
    """The refined mask without what is thinner than three pixels where the network sees nothing: a guided filter follows bright lines
    behind an edge, which look like threads that stand off from it. Hair is in the network's alpha.
    """
    out: FloatArray = np.minimum(refined, np.maximum(cv2.dilate(alpha, _disc(1)), cv2.morphologyEx(refined, cv2.MORPH_OPEN, _disc(1))))
    return out


def _decided(fused: FloatArray, alpha: FloatArray, refined: FloatArray, unit: float) -> FloatArray:
    """Where the network wavers over an area wider than edges and hair are, and the mask is sure that somebody is there, they are."""
    radius = max(1, round(_WAVERING * unit))
    wavering = cv2.erode(((alpha > _DOUBTFUL[0]) & (alpha < _DOUBTFUL[1])).astype(np.uint8), _disc(radius))
    if not wavering.any():
        return fused
    sure = cv2.dilate(wavering, _disc(radius + 1)) & (refined > _SURE)
    share = cv2.GaussianBlur(sure.astype(np.float32), (0, 0), _INTO * unit)
    out: FloatArray = (fused + (np.maximum(refined, fused) - fused) * share).astype(np.float32)
    return out


def same_edge(a: FloatArray, b: FloatArray, unit: float, less: float = _WIDE, more: float = _WIDE) -> FloatArray:
    """Where two alphas, (h, w) 0..1, differ in no more than where exactly an edge is: 1 there, 0 near differences that are wider, and soft
    in between. unit: pixels for one of a picture of 384. less, more: half of what is wide where ``b`` is the smaller one, and the larger.
    """
    around = max(1, round(_AROUND * unit))
    felt = np.zeros(a.shape, np.uint8)
    for difference, reach in ((a - b, less), (b - a, more)):
        radius = max(1, round(reach * unit))
        opened = cv2.erode((difference > 0.5).astype(np.uint8), _disc(radius))
        if opened.any():
            felt |= cv2.dilate(opened, _disc(radius + around))
    out: FloatArray = 1 - cv2.blur(felt.astype(np.float32), (2 * around + 1, 2 * around + 1))
    return out


def _disc(radius: int) -> FloatArray:
    kernel: FloatArray = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return kernel


def detailed(alpha: FloatArray, guide: FloatArray) -> Refined:
    """An alpha at any resolution: as it is, and with the detail that the full picture has there. See `matte.upsample`."""
    luma = np.ascontiguousarray(guide[..., 0])
    coefficients = np.zeros((*alpha.shape, 4), np.float32)
    coefficients[..., 0] = slope(alpha, luma)
    coefficients[..., 3] = alpha - coefficients[..., 0] * luma
    return Refined(coefficients)
