"""A draft film with frames' numbers in it, at a path of its own: no format of renders, but what `rendering.preview` writes."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from vr180_ofx.arrays import FloatArray
from vr180_ofx.engine.frame import Frame
from vr180_ofx.imaging.draw import Canvas
from vr180_ofx.media.contract import SourceFrame
from vr180_ofx.output.contract import Job
from vr180_ofx.output.video import VideoOutput, file_comment

#: What a preview's comment begins with, so that it is known for one.
_MARK = "preview "


def is_preview(path: Path) -> bool:
    """Whether a film is a preview, which may be replaced by another one."""
    return re.fullmatch(f"{_MARK}[0-9a-f]+", file_comment(path) or "") is not None


class PreviewOutput(VideoOutput):
    """A film over a plain colour, at one path, with frames' numbers in it."""

    def __init__(self, job: Job, path: Path, called: str = "draft") -> None:
        """called: what its frames are called in the picture."""
        super().__init__(job)
        self._path, self._called = path, called
        self._identity = _MARK + hashlib.sha256(self._identity.encode()).hexdigest()[:24]

    def paths(self, index: int) -> list[Path]:
        return [self._path]

    def _eyes(self, frame: Frame, source: SourceFrame | None) -> dict[str, FloatArray]:
        numbers = self._job.numbers
        code = numbers.timecode_of(frame.index)
        words = f"{numbers.number(frame.index)}{'' if code is None else f'  {code}'}  {self._called}"
        eyes = super()._eyes(frame, source)
        return {view: _captioned(picture, words) for view, picture in eyes.items()}


def _captioned(picture: FloatArray, words: str) -> FloatArray:
    canvas = Canvas(picture)
    # a thirtieth of the height reads well, whatever the size
    canvas.text(words, 8, picture.shape[0] - 10, size=max(0.4, picture.shape[0] / 900))
    return canvas.picture
