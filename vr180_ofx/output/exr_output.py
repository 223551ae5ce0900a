"""EXR sequences as an output of a render."""

from __future__ import annotations

from pathlib import Path

from vr180_ofx.engine.frame import Frame
from vr180_ofx.frame_ranges import ranges_text
from vr180_ofx.media.contract import SourceFrame
from vr180_ofx.output.contract import Job
from vr180_ofx.output.exr import ExrWriter, exr_clip
from vr180_ofx.output.image_sequence import ImageSequenceWriter
from vr180_ofx.output.inspect import check_exr


class ExrOutput(ImageSequenceWriter):
    """Multi-view EXR; one file for each eye where the layout says so."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        output = job.settings.output
        self._writer = ExrWriter(exr_clip(job.clip, job.plan), output)
        self.needs_source = output.rgb != "none"

    def paths(self, index: int) -> list[Path]:
        return self._writer.paths(self._job.stem, self._job.number(index))

    def write(self, frame: Frame, source: SourceFrame | None) -> None:
        frame.metadata["identity"] = self._job.identity
        self._writer.write(self._job.stem, self._job.number(frame.index), frame, source)

    def finish(self) -> list[str]:
        dropped = self._writer.dropped
        if dropped:
            frames = ranges_text(sorted(map(self._job.number, dropped)))
            levels = self._job.settings.output.cryptomatte_levels
            self.warnings.append(
                f"Cryptomatte: in frames {frames} more than {levels} people meet in one pixel, and up to "
                f"{max(lost for _, lost in dropped.values()):.2g} of a pixel is missing of the one with the smallest share; "
                f"output.cryptomatte_levels={min(levels + 2, 16)} has room for more"
            )
        return super().finish()

    def _is_whole(self, path: Path) -> bool:
        return check_exr(path, self._job.identity)
