"""What is done to a frame's mattes after matting: the contract. A control knows nothing of chunks, caches, files or threads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from vr180_ofx.matte.patch import Patch
from vr180_ofx.media.contract import SourceFrame


@dataclass(frozen=True, slots=True)
class EyeMattes:
    """Everybody in one eye. width, height: of the eye's picture, pixels. people: number -> matte, each within the picture."""

    width: int
    height: int
    people: Mapping[int, Patch]


#: View -> everybody in that eye.
Mattes = Mapping[str, EyeMattes]


class Around(Protocol):
    """What a control may look at beside the mattes that it changes."""

    def picture(self, n: int) -> SourceFrame:
        """The plate at frame ``n``, counted from 0. Raises FrameError when it cannot be decoded."""
        ...

    def mattes(self, n: int) -> Mattes:
        """The mattes of frame ``n`` before any control; ``n`` is the frame itself or one of `Control.neighbours`.

        Raises FrameError when that neighbour cannot be decoded.
        """
        ...

    def say(self, kind: str, name: str, fact: str) -> None:
        """Puts into the frame's metadata what was done there: under ``kind``, of ``name``."""
        ...


class Control(Protocol):
    """One thing that is done to mattes after matting."""

    def identity(self, n: int) -> str:
        """All that decides what it does to frame ``n``: equal texts mean equal results. Empty: it leaves the frame as it is."""
        ...

    def neighbours(self, n: int) -> tuple[int, ...]:
        """The other frames whose mattes it asks for."""
        ...

    def apply(self, n: int, mattes: Mattes, around: Around) -> Mattes:
        """The mattes afterwards. What it is given, it does not change."""
        ...
