"""Following one person in one eye: the segmenter says where the body is, what it covers, and where it goes next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from vr180_ofx.arrays import BoolArray, FloatArray
from vr180_ofx.imaging.inpaint import erase
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.trackers.blazepose_net import HIPS, INPUT_SIZE, TOP, BlazePoseSegmenter, PoseMask
from vr180_ofx.vr180.body import Body, Box, body_from_directions, bounds_in, outline
from vr180_ofx.vr180.projection import Projection
from vr180_ofx.vr180.window import Window

#: The square that the segmenter likes best, in reaches from the hips to its side (measured: the masks of tighter squares
#: than the 1.25 it was trained with are sharper).
SQUARE_REACHES = 1.25
CANVAS_SIDE = 256
_LEAST_AREA = 0.02
_LEAST_HIDDEN_AREA = 0.012


@dataclass(frozen=True, slots=True)
class Sighting:
    """A person as the segmenter sees them in one eye.

    body: where the landmarks put it. box: the mask's bounds in the eye's pixels.
    presence: 0..1. mask: what it covers, on a canvas of the whole eye about 256 pixels wide.
    hidden: the share of the middle of the body that others, who were erased, stand before.
    """

    body: Body
    box: Box
    presence: float
    mask: BoolArray
    hidden: float = 0.0

    @property
    def area(self) -> int:
        return int(np.count_nonzero(self.mask))


class Follower:
    """Segments bodies in eyes of one size and projection."""

    def __init__(self, segmenter: BlazePoseSegmenter, projection: Projection) -> None:
        self._segmenter = segmenter
        self.projection = projection
        self.canvas = _smaller(projection, CANVAS_SIDE)

    def look(
        self,
        eye: EyeImage,
        body: Body,
        rounds: int = 1,
        erased: BoolArray | None = None,
        fill: Callable[[FloatArray, BoolArray], FloatArray] = erase,
    ) -> Sighting | None:
        """Segments around ``body``, ``rounds`` times with the landmarks of the time before. None: nobody there.

        erased: on the canvas, people who stand before this one and are taken out of the picture first, by ``fill``.
        """
        window, pose, hole = body.window(INPUT_SIZE, SQUARE_REACHES), None, None
        # eyes may be reduced pictures: their grids are those of a projection of their own size
        local = self.projection.resized(eye.width, eye.height)
        for _ in range(rounds):
            window = body.window(INPUT_SIZE, SQUARE_REACHES)
            picture = eye.sample(window.grid(local)).rgb
            if erased is not None:
                hole = self.in_window(erased, window)
                picture = fill(picture, hole)
            pose = self._segmenter.segment(picture)
            if pose.presence < 0.3:
                return None
            hips, top = window.directions(pose.landmarks[[HIPS, TOP]])
            body = body_from_directions(hips, top)
        assert pose is not None
        return self._sighting(window, pose, body, hole)

    def in_window(self, mask: BoolArray, window: Window) -> BoolArray:
        """A canvas mask as the window sees it."""
        grid = window.grid(self.canvas)
        seen = cv2.remap(
            mask.astype(np.uint8), np.nan_to_num(grid[..., 0], nan=-9) - 0.5, np.nan_to_num(grid[..., 1], nan=-9) - 0.5, cv2.INTER_LINEAR
        )
        inside: BoolArray = seen > 0
        return inside

    def _sighting(self, window: Window, pose: PoseMask, body: Body, hole: BoolArray | None) -> Sighting | None:
        inside = pose.logits > 0
        hidden = 0.0
        if hole is not None:
            inside &= ~hole
            middle = np.s_[INPUT_SIZE // 5 : -INPUT_SIZE // 5, INPUT_SIZE // 3 : -INPUT_SIZE // 3]
            hidden = float(hole[middle].mean())
        if inside.mean() < (_LEAST_AREA if hole is None else _LEAST_HIDDEN_AREA):
            return None
        box = self.box(window, inside)
        if box is None:
            return None
        rect = window.bounds(self.canvas)
        mask = np.zeros((self.canvas.height, self.canvas.width), bool)
        if rect.empty:
            return None
        grid = window.inverse_map(self.canvas, rect) - np.float32(0.5)
        seen = cv2.remap(inside.astype(np.float32), np.nan_to_num(grid, nan=-9), None, cv2.INTER_LINEAR)
        mask[rect.slices] = seen > 0.5
        if not mask.any():
            return None
        return Sighting(body, box, pose.presence, mask, hidden)

    def box(self, window: Window, inside: BoolArray) -> Box | None:
        """The bounds, in the eye's pixels, of what a window's mask covers; the largest piece of it and its peers."""
        count, _labels, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8))
        if count < 2:
            return None
        areas = stats[1:, cv2.CC_STAT_AREA]
        keep = 1 + np.flatnonzero(areas >= 0.1 * areas.max())
        pieces = [(float(x), float(y), float(x + w), float(y + h)) for x, y, w, h in stats[keep, : cv2.CC_STAT_AREA]]
        points = np.concatenate([outline(piece) for piece in pieces])
        return bounds_in(window.directions(points * (window.size / inside.shape[0])), self.projection)


def _smaller(projection: Projection, side: int) -> Projection:
    factor = side / max(projection.width, projection.height)
    return projection.resized(max(1, round(projection.width * factor)), max(1, round(projection.height * factor)))
