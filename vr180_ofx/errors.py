"""What can be wrong with an input, each with a message for people. The command line turns them into exit status 3."""

from __future__ import annotations

from pathlib import Path


class MediaError(Exception):
    """The input cannot be read. The message says what was wrong, with which value, and what to do."""


class FrameError(MediaError):
    """One frame cannot be decoded; the rest may be fine.

    index: 0-based position of the frame.
    """

    def __init__(self, path: Path | str, index: int, reason: str) -> None:
        self.index = index
        super().__init__(f"{path}: frame {index} cannot be decoded ({reason})")


class ClipChangedError(MediaError):
    """The file was replaced or modified while it was being read."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(
            f"{path} changed while it was being read; what was rendered from it so far is kept. "
            "Wait until the file is complete, then run the same command again with --overwrite"
        )


class ResourceError(Exception):
    """Out of disk, memory or another resource; what was written is whole and kept. Exit status 4."""


class OutputError(Exception):
    """The output cannot be written as asked; the message says why and what to do. Exit status 2."""


class SettingsError(ValueError):
    """A setting that is not understood; the message has one line per problem."""


class PlanError(ValueError):
    """A plan file that is not understood; the message says where and why."""


class ColourError(ValueError):
    """A colour space that nobody knows; the message lists what is allowed."""


class WeightsError(Exception):
    """Weights are missing, damaged or cannot be fetched; the message says what to do."""


class ServerBusyError(RuntimeError):
    """More requests wait than the frame server takes; ask again later."""


class ServiceGoneError(Exception):
    """The frame server that should do the work is not there, or refuses. Exit status 4."""
