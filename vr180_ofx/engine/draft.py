"""Drafts while nobody knows yet who is in the clip: one frame, looked at alone."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from vr180_ofx import __version__
from vr180_ofx.engine.frame import Frame
from vr180_ofx.engine.models import make_detector, make_refiner
from vr180_ofx.engine.pipeline import Pipeline, Scale
from vr180_ofx.media.contract import Clip
from vr180_ofx.people.draft_plan import DraftPlanner
from vr180_ofx.settings import Settings
from vr180_ofx.telemetry import Stages
from vr180_ofx.trackers.blazepose import BlazePoseTracker
from vr180_ofx.trackers.blazepose_net import BlazePoseSegmenter
from vr180_ofx.weights.store import require


class DraftRenderer:
    """Makes drafts with the embedded networks, whatever the final frames will be made with."""

    def __init__(self, clip: Clip, settings: Settings) -> None:
        self._clip = clip
        self._reader = clip.reopen()
        self._settings = settings
        self._pool = ThreadPoolExecutor(settings.hardware.threads_here, "sketch")
        self._queue = ThreadPoolExecutor(1, "drafts")
        segmenter = BlazePoseSegmenter(require("blazepose_segmenter"))
        self._pad = DraftPlanner(clip, settings, self._pool, detector=make_detector(settings), segmenter=segmenter)
        self._tracker = BlazePoseTracker(require("blazepose_segmenter"), settings.matting.stabilise, self._pool)
        self._refiner = make_refiner(settings)
        self.stages = Stages()

    def request(self, n: int) -> Future[Frame]:
        """A draft of frame ``n``. Numbers of people have no meaning beyond it. Raises what decoding raises."""
        return self._queue.submit(self._make, n)

    def _make(self, n: int) -> Frame:
        with self.stages.measure("decode"):
            source = self._reader.frame(n)
        with self.stages.measure("look"):
            plan = self._pad.sketch(source)
        scale = Scale.of(self._settings.processing)
        pipeline = Pipeline(plan, self._tracker, self._refiner, scale=scale, executor=self._pool, stages=self.stages)
        metadata = {
            "engine": f"vr180-ofx {__version__}", "tracker": self._tracker.identity(), "refiner": self._refiner.identity(),
            "detector": self._settings.detection.model, "clip": self._clip.fingerprint, "scale": self._settings.processing.scale_factor,
            "index": n, "quality": "draft", "chunk": -1, "degradations": "none", "plan": "of this frame alone",
        }  # fmt: skip
        return pipeline.make(source, self._tracker.begin(), metadata)[1]

    def close(self) -> None:
        self._queue.shutdown(cancel_futures=True)
        self._pool.shutdown()
        self._reader.close()
