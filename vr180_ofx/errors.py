"""All errors that are meant for people, as one tree, with the exit status and the HTTP status that each stands for.

The message of each says what was wrong, with which value, what is allowed, and what to do. HTTP statuses: RFC 9110, and 4918 for 507.
"""

from __future__ import annotations

import errno
from enum import IntEnum
from pathlib import Path
from typing import ClassVar, NamedTuple

#: What the operating system says when memory or a disk is used up.
_USED_UP = (errno.ENOSPC, errno.EDQUOT, errno.ENOMEM)


class ExitStatus(IntEnum):
    """What the command line ends with. BUG: what should not happen. INTERRUPTED: by Ctrl+C or SIGTERM; the same command goes on.
    WARNED: all is done, and ``--strict`` asks that somebody looks at the warnings.
    """

    DONE = 0
    BUG = 1
    USAGE = 2
    INPUT = 3
    RESOURCES = 4
    INTERRUPTED = 5
    WARNED = 6


class Vr180Error(Exception):
    """The root: whoever catches it catches all that this program has to say to people.

    exit_status: what the command line ends with. http_status: what the frame server answers with.
    """

    exit_status: ClassVar[ExitStatus] = ExitStatus.BUG
    http_status: int = 500


class MediaError(Vr180Error):
    """The input cannot be read."""

    exit_status = ExitStatus.INPUT
    http_status = 422


class FrameError(MediaError):
    """One frame cannot be decoded; the rest may be fine.

    index: 0-based position of the frame.
    """

    http_status = 404

    def __init__(self, path: Path | str, index: int, reason: str) -> None:
        self.index = index
        super().__init__(f"{path}: frame {index} cannot be decoded ({reason})")


class InputMatteError(FrameError):
    """A garbage or holdout matte that cannot be applied to one frame: a file is missing, or nothing says where the other eye has it.

    matte: its name. index: 0-based position of the frame. reason: what is wrong, and what to do.
    """

    http_status = 422

    def __init__(self, name: str, index: int, reason: str) -> None:
        self.matte = name
        self.index = index
        self.reason = reason
        MediaError.__init__(self, f"the matte {name} at frame {index}: {reason}")


class FrameIndexError(Vr180Error, IndexError):
    """A frame that the clip does not have.

    index: the 0-based position that was asked for; count: how many frames there are.
    """

    exit_status = ExitStatus.INPUT
    http_status = 404

    def __init__(self, index: int, count: int) -> None:
        self.index = index
        super().__init__(f"frame {index} is outside the clip, which has frames 0..{count - 1}")


class ClipChangedError(MediaError):
    """The file was replaced or modified while it was being read."""

    http_status = 409

    def __init__(self, path: Path | str) -> None:
        super().__init__(
            f"{path} changed while it was being read; what was rendered from it so far is kept. "
            "Wait until the file is complete, then run the same command again with --overwrite"
        )


class ResourceError(Vr180Error):
    """Out of disk, memory or another resource; what was written is whole and kept."""

    exit_status = ExitStatus.RESOURCES
    http_status = 507


class DeviceLostError(ResourceError):
    """A graphics card that this process cannot use any more; what was written is whole and kept."""

    http_status = 503


class ComputationError(ResourceError):
    """What a network computes here cannot be right: numbers that are none, or far from those of the same network in float32 on the CPU."""

    http_status = 503


class OutputError(Vr180Error):
    """The output cannot be written as asked."""

    exit_status = ExitStatus.USAGE
    http_status = 422


class NoFileError(OutputError, OSError):
    """What should be written to is no file, or lies behind a link: also an error of the system, for those who can do without the file."""


class SettingsError(Vr180Error, ValueError):
    """A setting that is not understood, or cannot be had here; one line per problem."""

    exit_status = ExitStatus.USAGE
    http_status = 422


class DocumentError(Vr180Error, ValueError):
    """A document that is not what its ending says, or goes beyond what is read; the message lacks the name of the file."""

    exit_status = ExitStatus.USAGE
    http_status = 422


class PortError(SettingsError):
    """The address that the frame server should have cannot be listened on."""


class PlanError(Vr180Error, ValueError):
    """A plan file that is not understood."""

    exit_status = ExitStatus.USAGE
    http_status = 422


class ColourError(Vr180Error, ValueError):
    """A colour space that nobody knows."""

    exit_status = ExitStatus.USAGE
    http_status = 422


class WeightsError(Vr180Error):
    """Weights are missing, damaged or cannot be fetched."""

    exit_status = ExitStatus.RESOURCES
    http_status = 503


class InstallError(Vr180Error):
    """A bridge cannot be put into a host, or taken away."""

    exit_status = ExitStatus.USAGE
    http_status = 422


class ServerBusyError(Vr180Error, RuntimeError):
    """More requests wait than the frame server takes; ask again later."""

    exit_status = ExitStatus.RESOURCES
    http_status = 503


class ServiceGoneError(Vr180Error):
    """The frame server that should do the work is not there, or refuses."""

    exit_status = ExitStatus.RESOURCES
    http_status = 503


class ServiceError(Vr180Error):
    """A request that the frame server refuses, with the status that it answers.

    headers: of the answer, for instance Retry-After.
    """

    exit_status = ExitStatus.RESOURCES

    def __init__(self, http_status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.http_status = http_status
        self.detail = detail
        self.headers = headers


class Statuses(NamedTuple):
    """What an error ends with. exit: of the command line. http: of an answer of the frame server."""

    exit: ExitStatus
    http: int


def statuses_of(error: BaseException) -> Statuses | None:
    """The statuses of an error of the program, or of the operating system; None for a bug."""
    if isinstance(error, Vr180Error):
        return Statuses(error.exit_status, error.http_status)
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in _USED_UP):
        return Statuses(ResourceError.exit_status, ResourceError.http_status)
    if isinstance(error, OSError):
        return Statuses(MediaError.exit_status, MediaError.http_status)
    return None
