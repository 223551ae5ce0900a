"""A film to look at before anything is rendered: everybody over grey, at half the size, from drafts where people are followed."""

from __future__ import annotations

import time
from pathlib import Path

from vr180_ofx.engine.models import Models
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.errors import OutputError
from vr180_ofx.media.contract import Clip
from vr180_ofx.media.numbering import numbering
from vr180_ofx.output.contract import Job
from vr180_ofx.output.preview import PreviewOutput, is_preview
from vr180_ofx.people.plan import Plan
from vr180_ofx.rendering.delivered import Delivered
from vr180_ofx.rendering.folder import explained, output_folder, refuse_file
from vr180_ofx.rendering.render import Progress, run_frames
from vr180_ofx.rendering.report import RenderReport
from vr180_ofx.settings import Settings
from vr180_ofx.telemetry import Stages
from vr180_ofx.wording import counted

#: What is different from a render. Mid grey shows dark and bright edges alike; H.264's CRF 23 is x264's own default.
_SETTINGS = (
    "processing.scale_factor=0.5", "processing.upsampling=none", "output.scale=0.5", "output.format=greenscreen",
    "output.background_color=[128, 128, 128]", "output.video_codec=h264", "output.video_quality=23", "output.video_bits=8",
    "output.eyes=same", "output.projection=same", "output.maintain_sbs=true", "output.despill=none",
)  # fmt: skip
_SUFFIXES = (".mp4", ".mov")


def refuse_target(target: Path, clip: Clip, settings: Settings) -> None:
    """Raises OutputError where no preview can be written, or something else would be replaced: before anybody is looked for."""
    if target.suffix.lower() not in _SUFFIXES:
        raise OutputError(f"the preview is called {target.name}; it is an H.264 film, which ends in {' or '.join(_SUFFIXES)}")
    refuse_file(target.parent)
    Delivered.of(settings.output).clip(clip)
    if not target.exists():
        return
    if any(target.samefile(f) for f in clip.source.files() if f.exists()):
        raise OutputError(f"{target} is the clip itself; choose another name for the preview")
    if not settings.output.overwrite and not (target.is_file() and is_preview(target)):
        raise OutputError(f"{target} is there, and no preview; choose another name, or add --overwrite")


def preview(
    clip: Clip, plan: Plan, settings: Settings | None = None, output: str | Path = "preview.mp4", *, progress: Progress | None = None,
    stages: Stages | None = None,
) -> RenderReport:  # fmt: skip
    """Writes a film of the frames that ``input.frames`` names, with their numbers in it. A film of this kind that is there is replaced.

    Where people are followed, it shows drafts, which are made from each frame alone, by the embedded networks, with the plan's people: who
    is there, and roughly how far; not how edges will look, nor how steady they will be. A network that sees whole eyes makes what it makes
    for a render, too. Nothing is kept of them. Raises OutputError, ResourceError, MediaError.
    """
    settings = (settings or clip.settings).with_overrides([*_SETTINGS, "output.fov_degrees=null"])
    target = Path(output)
    refuse_target(target, clip, settings)
    frames = tuple(numbering(clip, settings).parse(settings.input.frames))
    plan.refuse_unknown(frames, numbering(clip, settings))
    stages = stages or Stages(enabled=False)
    with output_folder(str(target.parent), settings) as folder:
        path = folder.path / target.name
        models = Models.of(settings)
        # who sees whole eyes knows nobody: without that network there would be nobody
        drafts = models.follows_people
        models = models.for_drafts() if drafts else models
        job = Job(Delivered.of(settings.output).clip(clip), plan, settings, folder.path, clip.name, "preview", frames, all_eyes=clip)
        report = RenderReport(str(folder.path), str(target), len(frames), people=[p.name for p in plan.active])
        start = time.perf_counter()
        writer = PreviewOutput(job, path, "draft" if drafts else "preview")
        with explained(folder.path), FrameServer(clip, plan, settings, models=models, stages=stages, keep_frames=False) as server:
            run_frames(job, writer, frames, report, server, stages=stages, progress=progress, quality="draft" if drafts else "final")
    report.seconds = round(time.perf_counter() - start, 3)
    report.fps = round(report.written / report.seconds, 3) if report.seconds else 0.0
    if report.missing:
        report.notes.append(f"{counted(len(report.missing), 'frame')} could not be decoded: {job.numbers.text(report.missing)}")
    report.notes.append(
        "a draft: each frame was looked at alone, at half the size; a render's edges are finer and steadier" if drafts else
        "at half the size; at full size edges are finer"
    )  # fmt: skip
    return report
