"""What writers of a file for each frame share: a file is whole by itself, so there is nothing to end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from vr180_ofx.engine.frame import Frame
from vr180_ofx.media.contract import SourceFrame
from vr180_ofx.output.contract import Job
from vr180_ofx.storage import remove_leftovers


class ImageSequenceWriter(ABC):
    """Numbered files, one for each frame or one for each of its eyes. See `output.contract.Writer`."""

    needs_source = True
    resumable = True

    def __init__(self, job: Job) -> None:
        self._job = job
        # half of the cores make frames. Each file that is being written holds its frame and one band of rows; above eight the interpreter's
        # lock, which a file needs for some 10 of its 50 ms, is what they wait for
        self.parallel = max(2, min(8, job.settings.hardware.threads_here // 2))
        self.warnings: list[str] = []

    @abstractmethod
    def paths(self, index: int) -> list[Path]: ...

    @abstractmethod
    def write(self, frame: Frame, source: SourceFrame | None) -> None: ...

    @abstractmethod
    def _is_whole(self, path: Path) -> bool:
        """Whether ``path`` is a whole file of this render. Never raises."""

    def present(self, index: int) -> bool:
        return all(self._is_whole(path) for path in self.paths(index))

    def finish(self) -> list[str]:
        return []

    def abort(self) -> None:
        remove_leftovers(self._job.folder)
