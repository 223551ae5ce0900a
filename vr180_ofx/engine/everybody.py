"""Frames of everybody at once, by a network that sees whole eyes; the same to the engine as a `pipeline.Pipeline`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from vr180_ofx.engine.frame import Frame, Layer, ViewMatte
from vr180_ofx.engine.maker import Ahead, nothing_ahead
from vr180_ofx.engine.scale import Scale, reduced_eyes
from vr180_ofx.imaging.half import half
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.upsample import placed
from vr180_ofx.media.contract import EyeImage, SourceFrame
from vr180_ofx.telemetry import Stages
from vr180_ofx.trackers.contract import Memory

if TYPE_CHECKING:
    from vr180_ofx.matte.rvm.whole_frame import Small, WholeFrames

NAME = "everybody"
#: Alphas below this are nobody's: the network is never quite sure of empty places.
_LEAST = 4 / 255


class EverybodyPipeline:
    """See `maker.FrameMaker`. Frames have one layer, of everybody."""

    steps_to_finish = False

    def __init__(self, network: WholeFrames, scale: Scale, stages: Stages) -> None:
        self._network = network
        self._scale = scale
        self._stages = stages

    def start(
        self, frame: SourceFrame, memory: Memory, metadata: dict[str, Any], ahead: Ahead = nothing_ahead
    ) -> tuple[Memory, Callable[[], Frame]]:  # fmt: skip
        def eyes(k: int) -> Mapping[str, EyeImage] | None:
            following = ahead(k)
            return following.eyes if following is not None else None

        with self._stages.measure("matte"):
            memory, found = self._network.look(memory, frame.eyes, eyes)
        return memory, lambda: self._finish(frame, found, metadata)

    def _finish(self, frame: SourceFrame, found: Mapping[str, Small], metadata: dict[str, Any]) -> Frame:
        with self._stages.measure("upsample"):
            eyes = reduced_eyes(frame, self._scale.delivered)
            views = {view: _matte(small, eyes[view]) for view, small in found.items()}
        return Frame(frame.index, views, metadata)


def _matte(small: Small, eye: EyeImage) -> ViewMatte:
    height, width = small.alpha.shape
    x, y, w, h = cv2.boundingRect((small.alpha >= _LEAST).astype(np.uint8))
    if w == 0:
        return ViewMatte(eye.width, eye.height, ())
    part = Rect(x, y, x + w, y + h).grown(2).clipped(width, height)
    sx, sy = eye.width / width, eye.height / height
    rect = Rect(round(part.x0 * sx), round(part.y0 * sy), round(part.x1 * sx), round(part.y1 * sy)).clipped(eye.width, eye.height)
    # nothing to add where the network saw the picture as it is
    large = eye.guide(rect).luma if max(sx, sy) > 1 else None
    alpha = placed(small.alpha, small.luma, large, rect, (sx, sy))
    alpha[alpha < _LEAST] = 0
    confidence = np.abs(2 * alpha - 1)
    return ViewMatte(eye.width, eye.height, (Layer(1, NAME, rect, half(alpha), half(confidence)),))
