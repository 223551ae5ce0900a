"""The numbers that a clip's frames go by, from the clip and the settings."""

from __future__ import annotations

from vr180_ofx.frame_ranges import Numbering
from vr180_ofx.media.contract import Clip
from vr180_ofx.settings import Settings


def numbering(clip: Clip, settings: Settings | None = None) -> Numbering:
    """How the frames of ``clip`` are called: in file names, on the command line and in messages. See `vr180_ofx.frame_ranges`.

    The first frame has the number `output.start_frame`; by default an image sequence's own first number, and 1 for videos.
    settings: by default those that the clip was opened with.
    """
    start = (settings or clip.settings).output.start_frame
    return Numbering(len(clip), clip.first_number if start is None else start, clip.name, clip.timecode)
