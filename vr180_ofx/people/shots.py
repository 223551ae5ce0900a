"""Where shots end: PySceneDetect's content detector, and a second look so that a flash is not taken for a cut."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np
import numpy.typing as npt
from scenedetect import FrameTimecode
from scenedetect.detector import FlashFilter
from scenedetect.detectors import ContentDetector

from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.contract import EyeImage

THUMB_SIDE = 192
#: Frames of hindsight: a picture that returns within so many frames was interrupted by a flash, not cut.
LAG = 3
_SHORTEST_SHOT = 5
#: Where one eye is cut, the other one changes at least by this share of it: else something happened to the one eye.
_BOTH = 0.3

Thumb = npt.NDArray[np.uint8]
#: One for each eye.
Thumbs = tuple[Thumb, ...]


def thumbnail(eye: EyeImage) -> Thumb:
    """A small BGR picture of an eye, 192 pixels on its longer side whatever the eye's size."""
    factor = max(1, min(eye.width, eye.height) // THUMB_SIDE)
    rgb = eye.region(Rect(0, 0, eye.width, eye.height), factor)
    scale = THUMB_SIDE / max(eye.width, eye.height)
    size = (max(8, round(eye.width * scale)), max(8, round(eye.height * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray((small[..., ::-1] * 255).astype(np.uint8))


class CutFinder:
    """Takes thumbnails in order and says, ``LAG`` frames later, which frames begin a shot."""

    def __init__(self, fps: float) -> None:
        self._detectors: list[ContentDetector] = []
        self._fps = fps
        self._queue: deque[tuple[int, Thumbs, bool]] = deque()
        self._before: Thumbs | None = None

    def push(self, n: int, thumbs: Thumbs) -> list[tuple[int, bool]]:
        """Frame ``n`` arrives, as all eyes see it. Returns (frame, whether it begins a shot) for every frame that is now decided."""
        if not self._detectors:
            self._detectors = [
                ContentDetector(threshold=27.0, min_scene_len=_SHORTEST_SHOT, filter_mode=FlashFilter.Mode.SUPPRESS) for _ in thumbs
            ]
        time = FrameTimecode(n, float(self._fps))
        said = [d.process_frame(time, thumb) for d, thumb in zip(self._detectors, thumbs, strict=True)]
        self._queue.append((n, thumbs, any(c.frame_num == n for cuts in said for c in cuts)))
        return [self._decide() for _ in range(len(self._queue) - LAG)]

    def flush(self) -> list[tuple[int, bool]]:
        """The last frames, at the end of the clip."""
        return [self._decide() for _ in range(len(self._queue))]

    def _decide(self) -> tuple[int, bool]:
        n, thumbs, cut = self._queue.popleft()
        if cut and self._before is not None:
            jumps = _differences(self._before, thumbs)
            later = [sum(_differences(self._before, others)) for _, others, _ in self._queue]
            cut = min(jumps) >= _BOTH * max(jumps) and min(later, default=sum(jumps)) > 0.5 * sum(jumps)
        self._before = thumbs
        return n, cut


def _differences(a: Thumbs, b: Thumbs) -> list[float]:
    return [float(np.mean(cv2.absdiff(p, q))) for p, q in zip(a, b, strict=True)]
