"""How many threads this room's functions use for one call."""

from __future__ import annotations


def limit_threads(count: int) -> None:
    """For the whole process: programs that own theirs, and whose threads each work on a picture, want 1.

    OpenCV's own threads on top of ours cost a third of the analysis' time (measured on two cores).
    """
    # here, so that who calls this can tune memory before OpenCV is imported (`telemetry.tune_allocator`)
    import cv2

    cv2.setNumThreads(count)
