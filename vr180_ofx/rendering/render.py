"""Rendering a clip: every frame through the frame server into files, resumable at the first missing frame."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

from vr180_ofx.engine.controlled import AskedEdges, files_digest
from vr180_ofx.engine.frame import Frame
from vr180_ofx.engine.models import Models
from vr180_ofx.engine.scheduler import Priority, Quality
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.engine.store import open_store
from vr180_ofx.errors import FrameError, InputMatteError, OutputError
from vr180_ofx.media.contract import Clip, SourceFrame
from vr180_ofx.media.numbering import numbering
from vr180_ofx.output.colour import BLUR_FUSION
from vr180_ofx.output.contract import Job, Writer
from vr180_ofx.output.formats import make_writer
from vr180_ofx.output.measures import MEASURES
from vr180_ofx.parameters import identity_of
from vr180_ofx.people.curves import Curves, to_data
from vr180_ofx.people.plan import Plan
from vr180_ofx.rendering.delivered import Delivered
from vr180_ofx.rendering.folder import claimed, explained, none_empty, output_folder
from vr180_ofx.rendering.report import Findings, RenderReport
from vr180_ofx.settings import Settings, without_effect
from vr180_ofx.settings.edges import EdgesSettings
from vr180_ofx.telemetry import Stages
from vr180_ofx.version import CONTROLS_REVISION, MATTE_REVISION, WRITER_REVISION
from vr180_ofx.wording import counted

log = logging.getLogger(__name__)
#: How many frames may be on their way through the engine and the writers.
_IN_FLIGHT = 3
Progress = Callable[[int, int], None]


def render(
    clip: Clip,
    plan: Plan,
    settings: Settings | None = None,
    output: str | Path | None = None,
    *,
    models: Models | None = None,
    progress: Progress | None = None,
    stages: Stages | None = None,
    server: FrameServer | None = None,
    links: bool = True,
    edges: Curves | None = None,
) -> RenderReport:
    """Renders ``clip`` into the folder ``output``; what the command line calls.

    Frames that are there from an earlier run with the same clip, plan and settings are kept. Frames that cannot be decoded are
    listed in the report. models: by default those that the settings name. server: one that serves this clip already, with the same
    settings up to the output; it goes on serving. links: whether the way to ``output`` may lead through links; who has looked where it
    leads says no. edges: edge controls for everybody in this render, as a host's knobs have them over time; see `FrameServer.request`.
    Raises OutputError, ResourceError, MediaError; whatever was written stays and is whole.
    """
    settings = settings or clip.settings
    stages = stages or Stages(enabled=settings.performance.profile_enabled)
    frames = tuple(numbering(clip, settings).parse(settings.input.frames))
    plan.refuse_unknown(frames, numbering(clip, settings))
    with none_empty(output, settings), output_folder(output, settings, links=links) as folder:
        if models is None:
            models = server.models if server is not None else Models.of(settings)
        delivered = Delivered.of(settings.output)
        name = delivered.name(clip, settings.output)
        # each of them is looked at: a sequence has many
        files = files_digest(clip, plan, settings)
        known_by = identity(clip, plan, settings, models, edges, files=files)
        job = Job(delivered.clip(clip), plan, settings, folder.path, name, known_by, frames, edges or {}, clip)
        writer = make_writer(job)
        shown = Path(output or settings.output.path or folder.path)
        report = RenderReport(str(shown), _pattern(shown, writer, frames), len(frames), people=[p.name for p in plan.active])
        report.notes += [*clip.notes, *map(job.numbers.told, plan.notes), *_doubts(job), *without_effect(settings)]
        with claimed(job, writer, folder, mattes=_but_for_edges(job, models, files)) as notes:
            report.notes += notes
            _filled(job, writer, report, models, stages=stages, progress=progress, server=server)
    return report


def _filled(
    job: Job, writer: Writer, report: RenderReport, models: Models, *, stages: Stages, progress: Progress | None, server: FrameServer | None
) -> None:  # fmt: skip
    """Makes the frames that are not there, and says in the report what came of it."""
    clip, frames, settings = job.clip, job.frames, job.settings
    todo = [n for n in frames if settings.output.overwrite or not writer.present(n)]
    report.kept = len(frames) - len(todo)
    if not writer.resumable and todo:
        todo, report.kept = list(frames), 0
    start = time.perf_counter()
    if todo:
        with explained(job.folder), _served(job, models, stages, server) as serving:
            run_frames(job, writer, todo, report, serving, stages=stages, progress=progress)
    report.warnings += [*clip.notes, *_doubts(job)]
    report.seconds = round(time.perf_counter() - start, 3)
    report.fps = round(report.written / report.seconds, 3) if report.written and report.seconds else 0.0
    report.stages = stages.summary()
    damaged = [n for n in report.missing if n not in report.refused]
    if damaged:
        report.notes.append(
            f"{counted(len(damaged), 'frame')} could not be decoded: {job.numbers.text(damaged)}. The input is damaged there; frames of "
            "a video that follow them, up to its next keyframe, may show that, too"
        )
    if clip.lost and frames[-1] == len(clip) - 1:
        report.lost = clip.lost
        report.notes.append(f"{clip.path.name} is cut off: {clip.lost} frames after frame {job.numbers.last} are missing from it")
    if settings.debugging.frame_count_validation:
        _validate(job, writer, report)


def _doubts(job: Job) -> list[str]:
    """What is not sure of the people, and how to settle it in the plan that lies beside the frames."""
    return job.plan.doubts(job.numbers.start, str(job.folder / f"{job.name}.plan.json"), frames={*job.frames})


def identity(
    clip: Clip, plan: Plan, settings: Settings, models: Models | None = None, edges: Curves | None = None, *, files: str | None = None
) -> str:
    """A hash of all that decides what a frame's file looks like: clip, plan, settings, and how mattes are made. models: by default those
    that the settings name. edges: see `render`. files: what `files_digest` says, where it is known. Raises WeightsError when their weights
    are not there.
    """
    parts = [
        str(MATTE_REVISION),
        str(CONTROLS_REVISION),
        str(WRITER_REVISION),
        clip.fingerprint,
        plan.digest(),
        files_digest(clip, plan, settings) if files is None else files,
        (models or Models.of(settings)).identity,
        settings.pixel_digest(),
        identity_of(BLUR_FUSION),
        ",".join(m.name for m in MEASURES),
    ]
    if edges:
        parts.append(json.dumps(to_data(edges), sort_keys=True))
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:24]


def _but_for_edges(job: Job, models: Models, files: str) -> str:
    """The identity that it had without edge controls: of what networks make, and all else."""
    plan = job.plan
    if plan.edges or any(p.edges for p in plan.people):
        # the digest of another plan takes seconds where there are many rows
        plan = replace(plan, edges={}, people=[replace(p, edges={}) for p in plan.people])
    return identity(job.clip, plan, job.settings.model_copy(update={"edges": EdgesSettings()}), models, files=files)


@contextlib.contextmanager
def _served(job: Job, models: Models, stages: Stages, shared: FrameServer | None) -> Iterator[FrameServer]:
    """The server that was lent, or one for this job alone."""
    if shared is not None:
        yield shared
        return
    # frames without their controls are kept: other edges cost no network. So is what a tracker remembers, for a render that is interrupted
    with FrameServer(
        job.whole, job.plan, job.settings, models=models, stages=stages, cache_bytes=64 << 20, store=open_store(job.settings),
    ) as server:  # fmt: skip
        yield server


def run_frames(
    job: Job, writer: Writer, todo: Sequence[int], report: RenderReport, server: FrameServer, *, stages: Stages, progress: Progress | None,
    quality: Quality = "final",
) -> None:  # fmt: skip
    """Asks ``server`` for the frames ``todo`` and has ``writer`` write them; says in ``report`` what came of it."""
    version = server.version
    writers = ThreadPoolExecutor(writer.parallel, "write")
    plates = job.clip.reopen() if writer.needs_source else None
    delivered, width = Delivered.of(job.settings.output), job.clip.eye_size[0]
    done = report.kept
    eyes = Findings()
    waiting: dict[int, Future[Frame]] = {}
    writing: dict[Future[None], int] = {}
    ok = False
    try:
        position = 0
        while position < len(todo) or waiting or writing:
            while position < len(todo) and len(waiting) < _IN_FLIGHT:
                waiting[todo[position]] = server.request(todo[position], quality, Priority.BATCH, edges=_asked(job, todo[position]))
                position += 1
            finished, _ = wait(writing, timeout=0) if writing else (set(), set())
            if waiting and len(writing) - len(finished) < writer.parallel + 1:
                n = next(iter(waiting))
                try:
                    frame = waiting[n].result()
                    if server.version != version:
                        raise OutputError(
                            "the plan was corrected, or a painted matte changed, while frames were being rendered; start the render again"
                        )
                except FrameError as error:
                    log.info("%s", error)
                    report.missing.append(n)
                    if isinstance(error, InputMatteError):
                        eyes.refuse(error)
                    _settle(writing, report)
                else:
                    eyes.add(frame)
                    writing[writers.submit(_write, writer, delivered.frame(frame, width), plates, stages)] = n
                del waiting[n]
            elif writing:
                finished, _ = wait(writing, return_when=FIRST_COMPLETED)
            for future in [f for f in writing if f.done()]:
                future.result()
                del writing[future]
                report.written += 1
                done += 1
            if progress:
                progress(done + len(report.missing), report.frames)
        report.notes += writer.finish()
        report.warnings += writer.warnings
        eyes.tell(report, job.numbers)
        if server.ladder.number:
            report.degradations.append(server.ladder.level.name)
            report.notes.append(
                f"memory ran short (processing.max_memory_gb): {server.ladder.level.name}; each frame says what it was made with"
            )
        ok = True
    finally:
        writers.shutdown(wait=True, cancel_futures=True)
        for unfinished in waiting.values():
            unfinished.cancel()
        if plates is not None:
            plates.close()
        if not ok:
            writer.abort()


def _asked(job: Job, n: int) -> AskedEdges | None:
    return {name: curve.at(n) for name, curve in job.edges.items()} or None


def _settle(writing: dict[Future[None], int], report: RenderReport) -> None:
    """Waits for all frames before a gap, so that a video's frames stay in order."""
    for future in list(writing):
        future.result()
        del writing[future]
        report.written += 1


def _write(writer: Writer, frame: Frame, plates: Clip | None, stages: Stages) -> None:
    source: SourceFrame | None = plates.frame(frame.index) if plates is not None else None
    with stages.measure("write"):
        writer.write(frame, source)


def _validate(job: Job, writer: Writer, report: RenderReport) -> None:
    missing = set(report.missing)
    absent = [n for n in job.frames if n not in missing and not all(p.exists() for p in writer.paths(n))]
    if absent:
        raise OutputError(
            f"after rendering, the files of frames {job.numbers.text(absent)} are not there; did another program remove them?"
        )


def _pattern(folder: Path, writer: Writer, frames: tuple[int, ...]) -> str:
    return str(folder / writer.paths(frames[0])[0].name) if frames else ""
