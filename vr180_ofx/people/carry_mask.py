"""What somebody covers in one eye, carried from frame to frame while no network sees them: along the motion of the picture, by what looks
alike."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vr180_ofx.arrays import BoolArray, FloatArray
from vr180_ofx.imaging.flow import FINE, luma_of, optical_flow, pixel_indices
from vr180_ofx.imaging.label_fusion import fused_labels, perceptual
from vr180_ofx.imaging.logistic import sigmoid
from vr180_ofx.imaging.outlines import outlines_of
from vr180_ofx.imaging.parts import bounds
from vr180_ofx.imaging.planes import luma_of_rgb
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.people.masks import mask_iou
from vr180_ofx.people.parameters import CARRY, CarryParameters
from vr180_ofx.vr180.projection import Projection


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """What somebody covers in one frame, on the pixels of a reduced eye.

    rect: of that eye. labels: (rect.height, rect.width, 2) float32, 0..1, one for each of two carriers that compare patches of different
    sizes. moved: (x, y) pixels that it moved since the frame it was carried from. sure: 0..1, how far both agree.
    """

    rect: Rect
    labels: FloatArray
    moved: tuple[float, float] = (0.0, 0.0)
    sure: float = 1.0

    @property
    def soft(self) -> FloatArray:
        """(rect.height, rect.width) 0..1, the mean of both."""
        mean: FloatArray = self.labels.mean(axis=-1)
        return mean

    @property
    def mask(self) -> BoolArray:
        inside: BoolArray = self.soft > 0.5
        return inside

    @property
    def area(self) -> int:
        return int(np.count_nonzero(self.mask))

    def within(self, rect: Rect) -> FloatArray:
        """``labels`` in another rectangle; nobody where they are not known."""
        out = np.zeros((rect.height, rect.width, self.labels.shape[-1]), np.float32)
        common = rect.intersection(self.rect)
        if not common.empty:
            out[common.shifted(-rect.x0, -rect.y0).slices] = self.labels[common.shifted(-self.rect.x0, -self.rect.y0).slices]
        return out

    def overlap(self, other: Carried) -> float:
        """The IoU of two masks, 0..1."""
        rect = self.rect.union(other.rect)
        a, b = (c.within(rect).mean(axis=-1) > 0.5 for c in (self, other))
        return mask_iou(a, b)


def factor_of(reach_px: float, p: CarryParameters = CARRY) -> int:
    """By how much an eye is reduced, a whole factor, so that a body of this reach has about ``p.reach_px`` pixels."""
    return max(1, round(reach_px / p.reach_px))


def carried_from(labels: FloatArray, rect: Rect) -> Carried:
    """What is believed of a frame, from a mask in ``rect``: (rect.height, rect.width) 0..1."""
    there = bounds(labels > 0.5)
    if there.empty:
        return Carried(Rect(0, 0, 0, 0), np.zeros((0, 0, 2), np.float32))
    own = labels[there.slices].astype(np.float32)
    return Carried(there.shifted(rect.x0, rect.y0), np.repeat(own[..., None], 2, axis=-1))


def looked_at(before: Carried, eye: EyeImage, reach_px: float, p: CarryParameters = CARRY) -> Rect:
    """The part of an eye that a frame is carried in: no further than anybody moves from one frame to the next."""
    return before.rect.grown(math.ceil(p.step_reaches * reach_px)).clipped(eye.width, eye.height)


def carry(
    before: Carried, then: EyeImage, now: EyeImage, rect: Rect, *, in_front: FloatArray | None, p: CarryParameters = CARRY
) -> Carried:  # fmt: skip
    """What somebody covers in ``now`` who covers ``before`` in ``then``.

    rect: see `looked_at`. in_front: (rect.height, rect.width) the network's logits of others who may stand before them; None: nobody.
    """
    one, other = then.region(rect), now.region(rect)
    flow = optical_flow(*(luma_of(luma_of_rgb(v)[..., None]) for v in (other, one)), finest=FINE, thorough=True)
    places = flow + pixel_indices(rect.width, rect.height)
    labels = fused_labels(
        perceptual(other), perceptual(one), before.within(rect), places, patches=p.patches, radius=p.radius_px, differs=p.differs
    )
    if in_front is not None:
        # odds that it is somebody in front, where the network is sure of it
        odds = 1 + np.float32(p.front_odds - 1) * sigmoid(in_front - np.float32(p.surely_in_front))[..., None]
        labels = labels / np.maximum(labels + (1 - labels) * odds, np.float32(1e-6))
    # what is undecided stays so for one frame, and not for all that follow: labels would fade away along all edges
    labels = np.clip((labels - 0.5) * np.float32(p.contrast) + 0.5, 0, 1)
    there = bounds(labels.max(axis=-1) > 0)
    if there.empty:
        return Carried(Rect(0, 0, 0, 0), np.zeros((0, 0, 2), np.float32), sure=0.0)
    inside = labels.mean(axis=-1) > 0.5
    moved = np.median(-flow[inside], axis=0) if inside.any() else np.zeros(2)
    sure = mask_iou(*(labels[..., k] > 0.5 for k in range(2)))
    return Carried(there.shifted(rect.x0, rect.y0), labels[there.slices], (float(moved[0]), float(moved[1])), sure)


def polygons_of(carried: Carried, local: Projection, whole: Projection, reach_px: float, p: CarryParameters = CARRY) -> list[FloatArray]:
    """The borders of what is covered, (n, 2) pixels of the whole eye. local: of the reduced eye."""
    found = outlines_of(np.ascontiguousarray(carried.mask), off=p.outline_px, least=p.least_piece * reach_px**2)
    scale = np.array([whole.width / local.width, whole.height / local.height])
    corner = np.array([carried.rect.x0, carried.rect.y0])
    return [(points + corner) * scale for points in found]


def mixed(a: Carried, b: Carried, share: float) -> Carried:
    """What two that were carried from different sides say: of ``a`` so much, 0..1."""
    rect = a.rect.union(b.rect)
    labels = np.float32(share) * a.within(rect) + np.float32(1 - share) * b.within(rect)
    return Carried(rect, labels, a.moved if share >= 0.5 else b.moved, share * a.sure + (1 - share) * b.sure)


def ends(carried: Carried, start_area: float, reach_px: float, p: CarryParameters = CARRY, *, said: bool = False) -> str | None:
    """Why what was carried is not believed, in words; None when it is. said: whether a person said what they cover where it began."""
    if carried.area < least_area(start_area, reach_px, p, said=said):
        return "nearly nothing of them is to be seen"
    if carried.sure < p.least_sure:
        return "what is theirs can no longer be told"
    if carried.area > p.most_growth * start_area:
        return "it grew beyond what a body does"
    return None


def least_area(start_area: float, reach_px: float, p: CarryParameters = CARRY, *, said: bool) -> float:
    """What is less is nearly nothing of somebody, pixels: a part of a body; or half of what a person said is seen, if that is less."""
    least = p.least_area * reach_px**2
    return min(least, start_area / 2) if said else least
