"""Where shots end: PySceneDetect's content detector, and a second look so that a flash is not taken for a cut."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np
import numpy.typing as npt
from scenedetect import FrameTimecode
from scenedetect.detector import FlashFilter
from scenedetect.detectors import ContentDetector

from vr180_ofx.media.picture import EyeImage
from vr180_ofx.vr180.window import Rect

THUMB_SIDE = 192
#: Frames of hindsight: a picture that returns within so many frames was interrupted by a flash, not cut.
LAG = 3
_SHORTEST_SHOT = 5

Thumb = npt.NDArray[np.uint8]


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
        self._detector = ContentDetector(threshold=27.0, min_scene_len=_SHORTEST_SHOT, filter_mode=FlashFilter.Mode.SUPPRESS)
        self._fps = fps
        self._queue: deque[tuple[int, Thumb, bool]] = deque()
        self._before: Thumb | None = None

    def push(self, n: int, thumb: Thumb) -> list[tuple[int, bool]]:
        """Frame ``n`` arrives. Returns (frame, whether it begins a shot) for every frame that is now decided."""
        cuts = self._detector.process_frame(FrameTimecode(n, float(self._fps)), thumb)
        self._queue.append((n, thumb, any(c.frame_num == n for c in cuts)))
        return [self._decide() for _ in range(len(self._queue) - LAG)]

    def flush(self) -> list[tuple[int, bool]]:
        """The last frames, at the end of the clip."""
        return [self._decide() for _ in range(len(self._queue))]

    def _decide(self) -> tuple[int, bool]:
        n, thumb, cut = self._queue.popleft()
        if cut and self._before is not None and self._queue:
            jump = _difference(self._before, thumb)
            later = min(_difference(self._before, other) for _, other, _ in self._queue)
            cut = later > 0.5 * jump
        self._before = thumb
        return n, cut


def _difference(a: Thumb, b: Thumb) -> float:
    return float(np.mean(cv2.absdiff(a, b)))
