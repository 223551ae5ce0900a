"""Drafts while nobody knows yet who is in the clip: one frame, looked at alone."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from vr180_ofx.engine.controlled import AskedEdges, Controls
from vr180_ofx.engine.frame import Frame
from vr180_ofx.engine.metadata import common_metadata, frame_metadata
from vr180_ofx.engine.models import Models
from vr180_ofx.engine.pipeline import Pipeline
from vr180_ofx.engine.scale import Scale
from vr180_ofx.media.contract import Clip
from vr180_ofx.people.draft_plan import DraftPlanner
from vr180_ofx.settings import Settings
from vr180_ofx.telemetry import Stages


class DraftRenderer:
    """Makes drafts with the embedded networks, whatever the final frames will be made with."""

    def __init__(self, clip: Clip, settings: Settings, models: Models | None = None) -> None:
        """models: by default those that the settings name. Raises WeightsError and SettingsError when one cannot be had here."""
        models = (models or Models.of(settings)).for_drafts()
        self.stages = Stages()
        # whose a holdout is nobody knows before there is a plan
        self._settings = settings.model_copy(update={"mattes": settings.mattes.model_copy(update={"holdout": None})})
        self._layout = clip.geometry.layout
        self._reader = clip.reopen()
        self._scale = Scale.of(settings.processing)
        self._pool = ThreadPoolExecutor(settings.hardware.threads_here, "draft window")
        self._queue = ThreadPoolExecutor(1, "drafts")
        self._planner = DraftPlanner(clip, settings, self._pool, detector=models.load_detector(), segmenter=models.load_segmenter())
        self._tracker = models.load_tracker(self._pool)
        self._refiner = models.load_refiner()
        self._common = common_metadata(
            clip, settings, detector=models.detector.name, tracker=self._tracker.identity(), refiner=self._refiner.identity()
        )

    def request(self, n: int, edges: AskedEdges | None = None) -> Future[Frame]:
        """A draft of frame ``n``. Numbers of people have no meaning beyond it. edges: see `FrameServer.request`. Raises what decoding
        raises.
        """
        return self._queue.submit(self._make, n, edges)

    def _make(self, n: int, edges: AskedEdges | None) -> Frame:
        with self.stages.measure("decode"):
            source = self._reader.frame(n)
        with self.stages.measure("look"):
            plan = self._planner.draft(source)
        pipeline = Pipeline(plan, self._tracker, self._refiner, scale=self._scale, executor=self._pool, stages=self.stages)
        metadata = frame_metadata(self._common, n, quality="draft", plan="of this frame alone")
        frame = pipeline.start(source, self._tracker.begin(), metadata)[1]()
        controls = Controls(plan, self._settings, self._layout, edges, alone=True)
        return controls.apply({n: frame}, n, self._reader.frame) if controls.identity(n) else frame

    def close(self) -> None:
        self._queue.shutdown(cancel_futures=True)
        self._pool.shutdown()
        self._reader.close()
