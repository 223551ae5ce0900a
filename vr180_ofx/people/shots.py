"""Where shots end: PySceneDetect's content detector, and a second look so that a flash is not taken for a cut."""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt
from scenedetect import FrameTimecode
from scenedetect.detector import FlashFilter
from scenedetect.detectors import ContentDetector

from vr180_ofx.imaging.planes import absolute_difference
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.resize import resize
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.people.parameters import PLAN, ShotParameters

#: (h, w, 3) BGR, 0..255.
Thumb = npt.NDArray[np.uint8]
#: One for each eye.
Thumbs = tuple[Thumb, ...]


def thumbnail(eye: EyeImage, parameters: ShotParameters = PLAN.shots) -> Thumb:
    """A small BGR picture of an eye, 192 pixels on its longer side whatever the eye's size."""
    side = parameters.thumb_side
    factor = max(1, min(eye.width, eye.height) // side)
    rgb = eye.region(Rect(0, 0, eye.width, eye.height), factor)
    scale = side / max(eye.width, eye.height)
    small = resize(rgb, (max(8, round(eye.width * scale)), max(8, round(eye.height * scale))), "area")
    return np.ascontiguousarray((small[..., ::-1] * 255).astype(np.uint8))


class CutFinder:
    """Takes thumbnails in order and says, `ShotParameters.lag` frames later, which frames begin a shot."""

    def __init__(self, fps: float, parameters: ShotParameters = PLAN.shots) -> None:
        self._detectors: list[ContentDetector] = []
        self._fps = fps
        self._parameters = parameters
        self._queue: deque[tuple[int, Thumbs, bool]] = deque()
        self._before: Thumbs | None = None

    def push(self, n: int, thumbs: Thumbs) -> list[tuple[int, bool]]:
        """Frame ``n`` arrives, as all eyes see it. Returns (frame, whether it begins a shot) for every frame that is now decided."""
        p = self._parameters
        if not self._detectors:
            self._detectors = [
                ContentDetector(threshold=p.threshold, min_scene_len=p.shortest, filter_mode=FlashFilter.Mode.SUPPRESS) for _ in thumbs
            ]
        time = FrameTimecode(n, float(self._fps))
        said = [d.process_frame(time, thumb) for d, thumb in zip(self._detectors, thumbs, strict=True)]
        self._queue.append((n, thumbs, any(c.frame_num == n for cuts in said for c in cuts)))
        return [self._decide() for _ in range(len(self._queue) - p.lag)]

    def flush(self) -> list[tuple[int, bool]]:
        """The last frames, at the end of the clip."""
        return [self._decide() for _ in range(len(self._queue))]

    def _decide(self) -> tuple[int, bool]:
        p = self._parameters
        n, thumbs, cut = self._queue.popleft()
        if cut and self._before is not None:
            jumps = _differences(self._before, thumbs)
            later = [sum(_differences(self._before, others)) for _, others, _ in self._queue]
            cut = min(jumps) >= p.both * max(jumps) and min(later, default=sum(jumps)) > p.returned * sum(jumps)
        self._before = thumbs
        return n, cut


def _differences(a: Thumbs, b: Thumbs) -> list[float]:
    return [float(np.mean(absolute_difference(p, q))) for p, q in zip(a, b, strict=True)]
