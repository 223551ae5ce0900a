"""One eye of a clip as a clip of its own: what outputs of one eye alone are made for."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from vr180_ofx.errors import SettingsError
from vr180_ofx.media.contract import Clip, Source, SourceFrame
from vr180_ofx.media.forwarding import ForwardingSource
from vr180_ofx.timecode import Timecode
from vr180_ofx.vr180.layout import Layout


def one_eye(clip: Clip, view: str) -> Clip:
    """``clip`` with this eye alone, a mono clip whose one view is called ``view``. Closing it closes what it reads from.

    Raises SettingsError when the clip has no two eyes.
    """
    if len(clip.views) < 2:
        raise SettingsError(f"output.eye is {view}, and {clip.path.name} has one picture alone; leave output.eye both")
    width, height = clip.eye_size
    geometry = replace(clip.geometry, layout=Layout("mono", width, height, only=view))
    return Clip(OneEyeSource(clip.source, view), geometry, clip.settings, clip.fingerprint)


class OneEyeSource(ForwardingSource):
    """A `media.contract.Source` of one eye's pictures."""

    def __init__(self, source: Source, view: str) -> None:
        self._source = source
        self.view = view
        self.path: Path = source.path
        self.name: str = source.name
        self.fps: Fraction = source.fps

    @property
    def real(self) -> Source:
        return self._source

    @property
    def first_number(self) -> int:
        return self._source.first_number

    @property
    def timecode(self) -> Timecode | None:
        return self._source.timecode

    def __len__(self) -> int:
        return len(self._source)

    def read(self, n: int) -> SourceFrame:
        frame = self._source.read(n)
        return replace(frame, eyes={self.view: frame.eyes[self.view]})

    def reopen(self, threads: int, *, fast: bool = False, gpu: bool = False, device: str | None = None) -> Source:
        return OneEyeSource(self._source.reopen(threads, fast=fast, gpu=gpu, device=device), self.view)
