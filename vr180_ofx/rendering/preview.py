"""A film to look at before anything is rendered: everybody over grey, at half the size, from drafts."""

from __future__ import annotations

import hashlib
import re
import time
from pathlib import Path

from vr180_ofx.arrays import FloatArray
from vr180_ofx.engine.frame import Frame
from vr180_ofx.engine.models import Models
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.errors import OutputError
from vr180_ofx.imaging.draw import Canvas
from vr180_ofx.media.contract import Clip, SourceFrame
from vr180_ofx.media.numbering import numbering
from vr180_ofx.output.contract import Job
from vr180_ofx.output.video import VideoOutput, file_comment
from vr180_ofx.people.plan import Plan
from vr180_ofx.rendering.delivered import Delivered
from vr180_ofx.rendering.folder import explained, output_folder
from vr180_ofx.rendering.render import Progress, refuse_unknown, run_frames
from vr180_ofx.rendering.report import RenderReport
from vr180_ofx.settings import Settings
from vr180_ofx.telemetry import Stages

#: What is different from a render. Mid grey shows dark and bright edges alike; H.264's CRF 23 is x264's own default.
_SETTINGS = (
    "processing.scale_factor=0.5", "processing.upsampling=none", "output.scale=0.5", "output.format=greenscreen",
    "output.background_color=[128, 128, 128]", "output.video_codec=h264", "output.video_quality=23", "output.video_bits=8",
    "output.eyes=same", "output.projection=same", "output.maintain_sbs=true", "output.despill=none",
)  # fmt: skip
_SUFFIXES = (".mp4", ".mov")


def preview(
    clip: Clip, plan: Plan, settings: Settings | None = None, output: str | Path = "preview.mp4", *, progress: Progress | None = None,
    stages: Stages | None = None,
) -> RenderReport:  # fmt: skip
    """Writes a film of the frames that ``input.frames`` names, with their numbers in it. A film of this kind that is there is replaced.

    Drafts are made from each frame alone, by the embedded networks, with the plan's people: who is there, and roughly how far; not how
    edges will look, nor how steady they will be. Nothing is kept of them. Raises OutputError, ResourceError, MediaError.
    """
    settings = (settings or clip.settings).with_overrides([*_SETTINGS, "output.fov_degrees=null"])
    target = Path(output)
    if target.suffix.lower() not in _SUFFIXES:
        raise OutputError(f"the preview is called {target.name}; it is an H.264 film, which ends in {' or '.join(_SUFFIXES)}")
    frames = tuple(numbering(clip, settings).parse(settings.input.frames))
    refuse_unknown(plan, frames, clip, settings)
    stages = stages or Stages(enabled=False)
    with output_folder(str(target.parent), settings) as folder:
        path = folder.path / target.name
        if path.exists():
            if any(path.samefile(f) for f in clip.source.files() if f.exists()):
                raise OutputError(f"{target} is the clip itself; choose another name for the preview")
            if not settings.output.overwrite and not re.fullmatch(f"{_MARK}[0-9a-f]+", file_comment(path) or ""):
                raise OutputError(f"{target} is there, and no preview; choose another name, or add --overwrite")
        models = Models.of(settings).for_drafts()
        job = Job(Delivered.of(settings.output).clip(clip), plan, settings, folder.path, clip.name, "preview", frames, clip)
        report = RenderReport(str(folder.path), str(target), len(frames), people=[p.name for p in plan.active])
        start = time.perf_counter()
        writer = PreviewOutput(job, path)
        with explained(folder.path), FrameServer(clip, plan, settings, models=models, stages=stages, keep_frames=False) as server:
            run_frames(job, writer, frames, report, server, stages=stages, progress=progress, quality="draft")
    report.seconds = round(time.perf_counter() - start, 3)
    report.fps = round(report.written / report.seconds, 3) if report.seconds else 0.0
    if report.missing:
        report.notes.append(f"{len(report.missing)} frames could not be decoded: {job.numbers.text(report.missing)}")
    report.notes.append("a draft: each frame was looked at alone, at half the size; a render's edges are finer and steadier")
    return report


#: What a preview's comment begins with, so that it is known for one.
_MARK = "preview "


class PreviewOutput(VideoOutput):
    """A film over a plain colour, at one path, with frames' numbers in it."""

    def __init__(self, job: Job, path: Path) -> None:
        super().__init__(job)
        self._path = path
        self._identity = _MARK + hashlib.sha256(self._identity.encode()).hexdigest()[:24]

    def paths(self, index: int) -> list[Path]:
        return [self._path]

    def _eyes(self, frame: Frame, source: SourceFrame | None) -> dict[str, FloatArray]:
        numbers = self._job.numbers
        code = numbers.timecode_of(frame.index)
        words = f"{numbers.number(frame.index)}{'' if code is None else f'  {code}'}  draft"
        eyes = super()._eyes(frame, source)
        return {view: _captioned(picture, words) for view, picture in eyes.items()}


def _captioned(picture: FloatArray, words: str) -> FloatArray:
    canvas = Canvas(picture)
    # a thirtieth of the height reads well, whatever the size
    canvas.text(words, 8, picture.shape[0] - 10, size=max(0.4, picture.shape[0] / 900))
    return canvas.picture
