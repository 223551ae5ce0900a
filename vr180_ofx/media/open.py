"""Opening a clip: which reader."""

from __future__ import annotations

from pathlib import Path

from vr180_ofx.media.contract import Clip
from vr180_ofx.media.pattern import find_sequence
from vr180_ofx.media.sequence import SequenceSource
from vr180_ofx.media.video_source import VideoSource
from vr180_ofx.settings import Settings


def open_clip(path: str | Path, settings: Settings | None = None) -> Clip:
    """Opens a video file, an image sequence (``plate.%04d.exr``, ``plate.####.exr``, a folder) or one image.

    Raises MediaError with a message for people when it cannot be read.
    """
    settings = settings or Settings()
    path = Path(path)
    sequence = find_sequence(path)
    if sequence is not None:
        return SequenceSource.open(sequence, settings)
    return VideoSource.open(path, settings)
