"""How many threads this room's functions use for one call."""

from __future__ import annotations

import cv2


def limit_threads(count: int) -> None:
    """For the whole process. Programs whose threads each work on a picture want 1: OpenCV's own on top of those cost a third of the
    analysis' time (measured on two cores).
    """
    cv2.setNumThreads(count)
