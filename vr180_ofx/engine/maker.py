"""What the engine needs of networks that remember, and of pipelines: a contract, without implementations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from vr180_ofx.engine.frame import Frame
from vr180_ofx.media.contract import SourceFrame
from vr180_ofx.trackers.contract import Memory

#: The k-th frame after the one that is stepped; None when there is none that can be seen.
Ahead = Callable[[int], "SourceFrame | None"]


def nothing_ahead(k: int) -> None:
    """For steps of one frame at a time."""


class Remembering(Protocol):
    """A network whose answer depends on the frames before, as far as the engine is concerned: a tracker, or one of whole eyes.

    exact_after, looks_ahead: see `trackers.contract.Tracker`.
    """

    exact_after: int | None
    looks_ahead: int

    def identity(self) -> str:
        """Name and weights: equal strings mean equal results."""
        ...

    def begin(self) -> Memory:
        """The memory before the first frame."""
        ...


class FrameMaker(Protocol):
    """Makes a frame's mattes from its picture and what is remembered. It knows nothing of chunks, caches or files."""

    @property
    def steps_to_finish(self) -> bool:
        """Whether finishing a frame may step the network once more: then the next frame waits for it."""
        ...

    def start(
        self, frame: SourceFrame, memory: Memory, metadata: dict[str, Any], ahead: Ahead = nothing_ahead
    ) -> tuple[Memory, Callable[[], Frame]]:
        """Steps the network. Returns what it remembers, and what finishes the frame, on any thread, if somebody wants it.

        metadata: what the frame was made with, for its file. ahead: asked by networks that look ahead.
        """
        ...
