"""Frames of everybody at once, by a network that sees whole eyes; the same to the engine as a `pipeline.Pipeline`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vr180_ofx.controls import mattes
from vr180_ofx.engine.frame import Frame, Layer, ViewMatte
from vr180_ofx.engine.maker import Ahead, nothing_ahead
from vr180_ofx.engine.scale import Scale, reduced_eyes
from vr180_ofx.imaging.half import half
from vr180_ofx.imaging.parts import bounds
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.contract import EyeAlpha, FrameNetwork
from vr180_ofx.matte.upsample import upsampled_part
from vr180_ofx.media.contract import EyeImage, SourceFrame
from vr180_ofx.people.plan import Plan
from vr180_ofx.telemetry import Stages
from vr180_ofx.trackers.contract import Memory

NAME = "everybody"


def layer_names(plan: Plan) -> dict[int, str]:
    """A person's number -> what their layer is called; that of everybody where the plan has nobody."""
    return {p.id: p.name for p in plan.people} or {mattes.EVERYBODY: NAME}


@dataclass(frozen=True, slots=True)
class EverybodyParameters:
    """What is taken for somebody.

    least_alpha: below it there is nobody, 0..1: what the network says of empty places is not quite 0. margin_px: around what is seen,
    in the network's pixels, so that upsampling finds where an alpha ends. Both were set by eye, on development clips.
    """

    least_alpha: float = 4 / 255
    margin_px: int = 2


#: What is in use.
EVERYBODY = EverybodyParameters()


class EverybodyPipeline:
    """See `maker.FrameMaker`. Frames have one layer, of everybody."""

    steps_to_finish = False

    def __init__(self, network: FrameNetwork, scale: Scale, stages: Stages) -> None:
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
            memory, found = self._network.step_frame(memory, frame.eyes, eyes)
        return memory, lambda: self._finish(frame, found, metadata)

    def _finish(self, frame: SourceFrame, found: Mapping[str, EyeAlpha], metadata: dict[str, Any]) -> Frame:
        with self._stages.measure("upsample"):
            eyes = reduced_eyes(frame, self._scale.delivered)
            views = {view: _matte(small, eyes[view]) for view, small in found.items()}
        return Frame(frame.index, views, metadata)


def _matte(small: EyeAlpha, eye: EyeImage, parameters: EverybodyParameters = EVERYBODY) -> ViewMatte:
    height, width = small.alpha.shape
    seen = bounds(small.alpha >= parameters.least_alpha)
    if seen.empty:
        return ViewMatte(eye.width, eye.height, ())
    part = seen.grown(parameters.margin_px).clipped(width, height)
    sx, sy = eye.width / width, eye.height / height
    rect = Rect(round(part.x0 * sx), round(part.y0 * sy), round(part.x1 * sx), round(part.y1 * sy)).clipped(eye.width, eye.height)
    # nothing to add where the network saw the picture as it is
    large = eye.guide(rect).luma if max(sx, sy) > 1 else None
    alpha = upsampled_part(small.alpha, small.luma, large, rect=rect, scale=(sx, sy))
    alpha[alpha < parameters.least_alpha] = 0
    confidence = np.abs(2 * alpha - 1)
    return ViewMatte(eye.width, eye.height, (Layer(mattes.EVERYBODY, NAME, rect, half(alpha), half(confidence)),))
