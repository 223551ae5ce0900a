"""What an output is. Which there are: `vr180_ofx.settings.formats`; who makes them: `output.formats`."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from vr180_ofx.engine.frame import Frame
from vr180_ofx.frame_ranges import Numbering
from vr180_ofx.media.contract import Clip, SourceFrame
from vr180_ofx.media.numbering import numbering
from vr180_ofx.people.curves import Curves
from vr180_ofx.people.plan import Plan
from vr180_ofx.settings import Settings
from vr180_ofx.settings.formats import FORMATS, OutputFormat


@dataclass(frozen=True, slots=True)
class Job:
    """What a writer needs to know of the render.

    folder, name: where files go and what they are called after. identity: hash of all that decides what frames look like.
    frames: the positions to be rendered, ascending. edges: see `rendering.render.render`. clip: as it is written; all_eyes: the one that
    mattes are made of, where it has more.
    """

    clip: Clip
    plan: Plan
    settings: Settings
    folder: Path
    name: str
    identity: str
    frames: tuple[int, ...]
    edges: Curves = field(default_factory=dict)
    all_eyes: Clip | None = None

    @property
    def whole(self) -> Clip:
        """The clip with all its eyes, of which the files may hold one."""
        return self.all_eyes or self.clip

    @property
    def numbers(self) -> Numbering:
        """How frames are called in this render."""
        return numbering(self.clip, self.settings)

    @property
    def stem(self) -> Path:
        return self.folder / self.name

    def number(self, index: int) -> int:
        """The number that a frame's file carries."""
        return self.numbers.number(index)

    @property
    def fps(self) -> Fraction:
        return self.clip.fps

    @property
    def format(self) -> OutputFormat:
        """The row of ``output.format``."""
        return FORMATS[self.settings.output.format]


class Writer(Protocol):
    """Turns frames into files. A frame that cannot be decoded is not written: images leave a gap, which is reported, and in videos the
    frame before is shown longer.

    needs_source: whether `write` wants the plate too. resumable: whether frames that are there need not be made again.
    parallel: how many frames may be written at once; video takes one at a time, in order. warnings: of what was written, and somebody
    should look at; all of them after `finish`.
    """

    needs_source: bool
    resumable: bool
    parallel: int
    warnings: list[str]

    def paths(self, index: int) -> list[Path]:
        """The files that frame ``index`` becomes; the whole video's for videos."""
        ...

    def present(self, index: int) -> bool:
        """Whether frame ``index`` is there, whole, and made with the same settings."""
        ...

    def write(self, frame: Frame, source: SourceFrame | None) -> None:
        """Writes a frame, whole or not at all."""
        ...

    def finish(self) -> list[str]:
        """Ends the work and checks it. Returns what there is to say."""
        ...

    def abort(self) -> None:
        """Leaves nothing half-written."""
        ...
