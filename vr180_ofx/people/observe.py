"""One person in one eye: the segmenter says where the body is and what it covers, and so where to look next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from vr180_ofx.arrays import BoolArray, FloatArray, shapes_repr
from vr180_ofx.imaging.inpaint import EraseParameters, erase
from vr180_ofx.imaging.parts import connected_parts
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.sample import sample
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.people.contract import Segmentation, Segmenter, SemanticSegmenter
from vr180_ofx.people.look import Look, look_of
from vr180_ofx.people.masks import mask_iou
from vr180_ofx.people.parameters import PLAN, POINT_OUT, ObserveParameters, PointOutParameters
from vr180_ofx.vr180.body import Body, Box, body_from_directions, bounds_in, outline
from vr180_ofx.vr180.projection import Projection
from vr180_ofx.vr180.window import Window, between

#: A logit of what is surely nobody.
_NOTHING = -20.0
#: Takes people out of a picture: (picture (n, n, 3), what they cover (n, n), how) -> picture, see `imaging.inpaint`.
Fill = Callable[[FloatArray, BoolArray, EraseParameters], FloatArray]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Observation:
    """A person as the segmenter sees them in one eye.

    body: where the landmarks put it, radians. box: the mask's bounds in the eye's pixels. presence: 0..1, how sure it is that
    somebody is there. mask: (h, w) what it covers, on a canvas of the whole eye about 256 pixels wide. occluded: 0..1, the share of
    the middle of the body that others, who were taken out of the picture, stand before. look: what they look like; None when too little of
    them is to be seen. agreed: 0..1, how far two networks see somebody there (`Observer.agreement`); None: they were not asked.
    """

    body: Body
    box: Box
    presence: float
    mask: BoolArray
    occluded: float = 0.0
    look: Look | None = None
    agreed: float | None = None

    def __post_init__(self) -> None:
        if self.mask.ndim != 2:
            raise ValueError(f"the mask of an observation has the shape {self.mask.shape}; it is (h, w)")

    def __repr__(self) -> str:
        return shapes_repr(self)


class Observer:
    """Segments bodies in eyes of one projection. It remembers nothing: the same picture gives the same observation.

    opinion: is asked whether there is anybody where somebody was seen; without one nobody is.
    """

    def __init__(
        self, segmenter: Segmenter, projection: Projection, parameters: ObserveParameters = PLAN.observe, *,
        opinion: SemanticSegmenter | None = None,
    ) -> None:  # fmt: skip
        self._segmenter = segmenter
        self._opinion = opinion
        self._parameters = parameters
        self.projection = projection
        self.canvas = _smaller(projection, parameters.canvas_side)

    def observe(
        self, eye: EyeImage, body: Body, *, rounds: int = 1, erased: BoolArray | None = None, fill: Fill = erase
    ) -> Observation | None:  # fmt: skip
        """Segments around ``body``, ``rounds`` times with the landmarks of the time before. None: nobody is there.

        erased: on the canvas, people who stand before this one and are taken out of the picture first, by ``fill``.
        """
        if rounds < 1:
            raise ValueError(f"rounds is {rounds}; somebody is looked at once, or more often")
        size, hole = self._segmenter.size, None
        # eyes may be reduced pictures: their grids are those of a projection of their own size
        local = self.projection.resized(eye.width, eye.height)
        for _ in range(rounds):
            window = body.window(size, self._parameters.square_reaches)
            picture = eye.sample(window.grid(local)).rgb
            if erased is not None:
                hole = self.in_window(erased, window)
                picture = fill(picture, hole, self._parameters.erase)
            seen = self._segmenter.segment(picture)
            if seen.presence < self._parameters.absent:
                return None
            hips, top = window.directions(np.stack([seen.hips, seen.top]))
            body = body_from_directions(hips, top)
        return self._observation(window, seen, body, hole, picture)

    def coming_to_rest(
        self, eye: EyeImage, body: Body, *, erased: BoolArray | None = None, parameters: PointOutParameters = POINT_OUT
    ) -> Iterator[tuple[Observation | None, bool]]:  # fmt: skip
        """Looks again where the segmenter's own answer is, from ``body`` on, until it is where it was looked for, nobody is there (None),
        or the rounds are over: what is seen each time, and whether it is at rest.
        """
        p = parameters
        for _ in range(p.rounds):
            now = self.observe(eye, body, erased=erased)
            if now is None:
                yield None, True
                return
            away = body.angle_to(now.body) / max(min(body.reach, now.body.reach), 1e-6)
            still = away < p.still_reaches and 1 / p.still_size < now.body.reach / body.reach < p.still_size
            yield now, still
            if still:
                return
            body = now.body

    def settled(
        self, eye: EyeImage, body: Body, *, erased: BoolArray | None, parameters: PointOutParameters, presence: float
    ) -> Observation | None:  # fmt: skip
        """What is seen when the segmenter's own answer is where it looks, from ``body`` on; None when it comes to no rest, or nobody is
        there with this ``presence`` (0..1).
        """
        for now, still in self.coming_to_rest(eye, body, erased=erased, parameters=parameters):
            if now is None or now.presence < presence:
                return None
            if still:
                return now
        return None

    def seen_again(
        self, eye: EyeImage, found: Observation, *, erased: BoolArray | None, least: float, own: BoolArray | None = None, fill: Fill = erase
    ) -> bool:  # fmt: skip
        """Whether somebody is still there when others are taken out of the picture, by ``fill``: their mask is then like ``own``, by
        default that of ``found``, with an IoU of ``least``. A filling can look like somebody; a person is still there behind a plain
        cover.
        """
        again = self.observe(eye, found.body, erased=erased, fill=fill)
        return again is not None and mask_iou(again.mask, found.mask if own is None else own) >= least

    def agreement(self, eye: EyeImage, found: Observation, others: BoolArray | None = None) -> float | None:
        """How far ``found`` is somebody, 0..1, from two sides: the mean of how far another network sees the same (the IoU of both masks)
        and of `steadiness`. None: there is no other network.

        The other network is shown the picture as it is, with nobody taken out: a filling cannot speak for what is in it.
        others: on the canvas, what other people cover, who are somebody to the other network, too; what is not ``found`` of it is left
        out, and taken out of the picture where they stand before ``found``.
        """
        if self._opinion is None:
            return None
        window = found.body.window(self._opinion.size, self._parameters.square_reaches)
        own = self.in_window(found.mask, window)
        seen = self._opinion.people(eye.sample(window.grid(self.projection.resized(eye.width, eye.height))).rgb) > 0.5
        if others is not None:
            seen &= own | ~self.in_window(others, window)
        erased = others & ~found.mask if others is not None and found.occluded > 0 else None
        return (mask_iou(seen, own) + self.steadiness(eye, found.body, erased)) / 2

    def steadiness(self, eye: EyeImage, body: Body, erased: BoolArray | None = None) -> float:
        """How far the segmenter sees the same body, 0..1, however it is shown: as it is, in the mirror, and in squares that are larger and
        smaller: the mean of its presence times the IoU with the mask as it is. What it takes for somebody in a tree or a heap of things
        depends on how that is shown.
        """
        p = self._parameters
        window = body.window(self._segmenter.size, p.square_reaches)
        picture = self._picture(eye, window, erased)
        plain, mirror = self._segmenter.segment(picture), self._segmenter.segment(np.ascontiguousarray(picture[:, ::-1]))
        inside = plain.logits > 0
        total = plain.presence + mirror.presence * mask_iou(mirror.logits[:, ::-1] > 0, inside)
        for reaches in (p.square_reaches * p.steady_size, p.square_reaches / p.steady_size):
            other = body.window(self._segmenter.size, reaches)
            seen = self._segmenter.segment(self._picture(eye, other, erased))
            # what a smaller square does not show is not there
            total += seen.presence * mask_iou(sample((seen.logits > 0).astype(np.float32), between(window, other)) > 0.5, inside)
        return total / 4

    def _picture(self, eye: EyeImage, window: Window, erased: BoolArray | None) -> FloatArray:
        """What a window shows, (size, size, 3), with others taken out. Eyes may be reduced pictures: their grids are of their own size."""
        picture: FloatArray = eye.sample(window.grid(self.projection.resized(eye.width, eye.height))).rgb
        return picture if erased is None else erase(picture, self.in_window(erased, window), self._parameters.erase)

    @property
    def size(self) -> int:
        """The side of the square that the segmenter is shown, pixels."""
        return self._segmenter.size

    def logits(self, eye: EyeImage, body: Body, rect: Rect, *, erased: BoolArray | None = None) -> FloatArray:
        """What the segmenter says of a body on the eye's own pixels, (rect.height, rect.width), above 0 inside; very low where it was not
        shown anything, or where it sees nobody. erased: see `observe`.
        """
        window = body.window(self._segmenter.size, self._parameters.square_reaches)
        local = self.projection.resized(eye.width, eye.height)
        seen = self._segmenter.segment(self._picture(eye, window, erased))
        if seen.presence < self._parameters.absent:
            return np.full((rect.height, rect.width), _NOTHING, np.float32)
        return sample(seen.logits.astype(np.float32), window.inverse_map(local, rect), border=_NOTHING)

    def near(self, masks: Mapping[int, BoolArray], body: Body, reaches: float) -> frozenset[int]:
        """Those whose masks, on the canvas, reach into the square of so many reaches around a body."""
        rect = body.window(32, reaches).bounds(self.canvas)
        return frozenset(i for i, mask in masks.items() if mask[rect.slices].any())

    def in_window(self, mask: BoolArray, window: Window) -> BoolArray:
        """A canvas mask as the window sees it, (size, size)."""
        inside: BoolArray = sample(mask.astype(np.uint8), window.grid(self.canvas)) > 0
        return inside

    def _observation(
        self, window: Window, seen: Segmentation, body: Body, hole: BoolArray | None, picture: FloatArray
    ) -> Observation | None:  # fmt: skip
        p, size = self._parameters, self._segmenter.size
        inside = seen.logits > 0
        occluded = 0.0
        if hole is not None:
            inside &= ~hole
            rows, columns = p.core
            occluded = float(hole[size // rows : -size // rows, size // columns : -size // columns].mean())
        if inside.mean() < (p.least_area if hole is None else p.least_occluded_area):
            return None
        box = self._box(window, inside)
        rect = window.bounds(self.canvas)
        if box is None or rect.empty:
            return None
        mask = np.zeros((self.canvas.height, self.canvas.width), bool)
        mask[rect.slices] = sample(inside.astype(np.float32), window.inverse_map(self.canvas, rect)) > 0.5
        look = look_of(picture, inside, seen.hips, seen.top)
        return Observation(body, box, seen.presence, mask, occluded, look) if mask.any() else None

    def _box(self, window: Window, inside: BoolArray) -> Box | None:
        """The bounds, in the eye's pixels, of what a window's mask covers; the largest piece of it and its peers."""
        parts = connected_parts(inside)
        if not len(parts):
            return None
        peers = parts.boxes[parts.areas >= self._parameters.least_piece * parts.areas.max()]
        points = np.concatenate([outline((float(x0), float(y0), float(x1), float(y1))) for x0, y0, x1, y1 in peers])
        return bounds_in(window.directions(points * (window.size / inside.shape[0])), self.projection)


def _smaller(projection: Projection, side: int) -> Projection:
    factor = side / max(projection.width, projection.height)
    return projection.resized(max(1, round(projection.width * factor)), max(1, round(projection.height * factor)))
