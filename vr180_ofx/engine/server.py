"""The frame server: any frame, in any order, always the same answer."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Literal

import numpy as np

from vr180_ofx import __version__
from vr180_ofx.engine.cache import BytesCache
from vr180_ofx.engine.chunks import Chunk, ChunkPlan
from vr180_ofx.engine.frame import Frame, Layer, ViewMatte, half
from vr180_ofx.engine.pipeline import Pipeline
from vr180_ofx.matte.refiner import make_refiner
from vr180_ofx.media.clip import Clip
from vr180_ofx.media.errors import FrameError
from vr180_ofx.media.picture import SourceFrame
from vr180_ofx.people.plan import Plan
from vr180_ofx.settings import Settings
from vr180_ofx.telemetry import Stages
from vr180_ofx.trackers.base import Memory, Tracker
from vr180_ofx.trackers.registry import make_tracker
from vr180_ofx.vr180.window import Rect

log = logging.getLogger(__name__)
Quality = Literal["final", "draft"]
#: A checkpoint is kept every so many frames of a chunk, beside the newest.
CHECKPOINT_EVERY = 24
#: Of the memory allowed, for finished frames and for checkpoints each.
_CACHE_SHARE = 0.125
_CLOSE = object()


class FrameServer:
    """Serves the mattes of any frame of a clip.

    Stages run on one engine thread; decoding runs ahead of it and windows are spread over a pool. Use as a context manager,
    or call `close`.
    """

    def __init__(
        self, clip: Clip, plan: Plan, settings: Settings | None = None, *, tracker: Tracker | None = None,
        stages: Stages | None = None, cache_bytes: int | None = None,
    ) -> None:  # fmt: skip
        """cache_bytes: for finished frames and for checkpoints each; by default a share of processing.max_memory_gb."""
        self.settings = settings or clip.settings
        self.clip = clip
        self.plan = plan
        self.stages = stages or Stages()
        threads = self.settings.hardware.threads or os.cpu_count() or 1
        if not self.settings.processing.parallel_eyes:
            threads = 1
        self._pool = ThreadPoolExecutor(threads, "window")
        self._tracker = tracker or make_tracker(self.settings, self._pool)
        shrink = round(1 / self.settings.processing.scale_factor)
        self._pipeline = Pipeline(plan, self._tracker, make_refiner(self.settings), shrink, self._pool, self.stages)
        self.chunks = ChunkPlan(plan.shots, self.settings.processing.chunk_size, self.settings.processing.overlap_frames)
        budget = int(self.settings.processing.max_memory_gb * 2**30 * _CACHE_SHARE) if cache_bytes is None else cache_bytes
        self._frames = BytesCache[tuple[int, str], Frame](min(budget, 2**30))
        self._checkpoints = BytesCache[tuple[int, int], Memory](min(budget, 2**29))
        self._reader = clip.reopen()
        self._decoder = ThreadPoolExecutor(1, "decode")
        self._ahead: OrderedDict[int, Future[SourceFrame]] = OrderedDict()
        self._queue: queue.Queue[Any] = queue.Queue()
        self._pending: dict[tuple[int, str], Future[Frame]] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._wanted: set[int] = set()
        self.steps = 0
        self.disagreement: dict[int, float] = {}
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    def __enter__(self) -> FrameServer:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self.clip)

    def request(self, n: int, quality: Quality = "final") -> Future[Frame]:
        """Asks for frame ``n`` (0-based). Equal requests share one future's work; ``.cancel()`` works until it begins.

        The future raises FrameError when the frame cannot be decoded.
        """
        if not 0 <= n < len(self.clip):
            raise IndexError(f"frame {n} is outside the clip, which has frames 0..{len(self.clip) - 1}")
        if quality not in ("final", "draft"):
            raise ValueError(f"quality is {quality!r}; allowed are final and draft")
        future: Future[Frame] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("the frame server is closed")
            cached = self._frames.get((n, quality))
            if cached is not None:
                future.set_result(cached)
                return future
            self._wanted.add(n)
        self._queue.put((n, quality, future))
        return future

    def clear_cache(self) -> None:
        """Forgets finished frames and checkpoints; what they were made from is untouched."""
        with self._lock:
            self._frames.clear()
            self._checkpoints.clear()

    def close(self) -> None:
        """Ends the threads; requests that have not begun are cancelled."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._queue.put(_CLOSE)
        self._thread.join()
        self._decoder.shutdown(cancel_futures=True)
        self._pool.shutdown()
        self._reader.close()

    # the engine thread -------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            item = self._queue.get()
            if item is _CLOSE:
                break
            n, quality, future = item
            if self._closed or not future.set_running_or_notify_cancel():
                future.cancel()
                continue
            try:
                future.set_result(self._serve(n, quality))
            except BaseException as error:  # noqa: BLE001 - the future carries it to whoever asked
                future.set_exception(error)
            with self._lock:
                self._wanted.discard(n)
        while True:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return
            if item is not _CLOSE:
                item[2].cancel()

    def _serve(self, n: int, quality: Quality) -> Frame:
        with self._lock:
            cached = self._frames.get((n, quality))
        if cached is not None:
            return cached
        if quality == "draft":
            _, frame = self._pipeline.make(self._source(n), self._tracker.begin(), self._metadata(n, "draft", None))
            return frame
        frame = self._final(n)
        with self._lock:
            self._frames.put((n, "final"), frame, frame.nbytes)
        return frame

    def _final(self, n: int) -> Frame:
        chunk = self.chunks.of(n)
        frame = self._in_chunk(n, chunk)
        fade = self.chunks.fade(n)
        # a tracker whose memory is exact gives the same frame in both chunks: nothing to fade
        if fade is None or self._tracker.exact_after is not None:
            return frame
        following, share = fade
        other = self._in_chunk(n, following)
        mixed, difference = cross_fade(frame, other, share)
        self.disagreement[n] = difference
        return mixed

    def _in_chunk(self, n: int, chunk: Chunk) -> Frame:
        """Frame ``n`` as this chunk sees it, from the nearest checkpoint."""
        position, memory, settled = self._restore(n, chunk)
        begin = position
        while position < n:
            memory = self._step_over(position, memory)
            position += 1
            if settled or position - begin >= (self._tracker.exact_after or 0):
                self._keep(chunk, position - 1, memory)
        try:
            source = self._source(n)
        except FrameError:
            self._keep(chunk, n, self._tracker.begin())
            raise
        memory, frame = self._pipeline.make(source, memory, self._metadata(n, "final", chunk))
        self.steps += 1
        if settled or n + 1 - begin >= (self._tracker.exact_after or 0):
            self._keep(chunk, n, memory)
        return frame

    def _step_over(self, n: int, memory: Memory) -> Memory:
        self.steps += 1
        try:
            source = self._source(n)
        except FrameError:
            # a frame that is not there breaks the thread of memory, wherever one comes from
            return self._tracker.begin()
        return self._pipeline.advance(source, memory)[0]

    def _restore(self, n: int, chunk: Chunk) -> tuple[int, Memory, bool]:
        """(frame to step next, memory before it, whether that is the memory which the whole chunk would have led to).

        The nearest checkpoint before ``n``, or the chunk's beginning, or as many frames back as a tracker that forgets needs. In
        the last case the memory is right for frame ``n`` and after, but not for the warm-up itself: that is never kept.
        """
        exact = self._tracker.exact_after
        cold = chunk.start if exact is None else max(chunk.start, n - exact)
        with self._lock:
            for position in range(n, cold, -1):
                memory = self._checkpoints.get((chunk.number, position))
                if memory is not None:
                    return position, memory, True
        return cold, self._tracker.begin(), cold == chunk.start

    def _keep(self, chunk: Chunk, done: int, memory: Memory) -> None:
        """Remembers the memory after frame ``done``: the newest ones, and one every so many frames."""
        with self._lock:
            self._checkpoints.put((chunk.number, done + 1), memory, memory.nbytes + 1024)
            stale = done - 2
            if (stale - chunk.first) % CHECKPOINT_EVERY:
                self._checkpoints.drop((chunk.number, stale + 1))

    def _source(self, n: int) -> SourceFrame:
        """Frame ``n``, decoded ahead of its use when requests come in order."""
        future = self._ahead.pop(n, None) or self._decoder.submit(self._decode, n)
        for old in [k for k in self._ahead if k != n + 1]:
            self._ahead.pop(old).cancel()
        if n + 1 < len(self.clip) and n + 1 not in self._ahead and (n + 1) in self._wanted:
            self._ahead[n + 1] = self._decoder.submit(self._decode, n + 1)
        return future.result()

    def _decode(self, n: int) -> SourceFrame:
        with self.stages.measure("decode"):
            return self._reader.frame(n)

    def _metadata(self, n: int, quality: str, chunk: Chunk | None) -> dict[str, Any]:
        return {
            "engine": f"vr180-ofx {__version__}",
            "index": n,
            "quality": quality,
            "chunk": -1 if chunk is None else chunk.number,
            "tracker": self._tracker.identity(),
            "refiner": self._pipeline.refiner.identity(),
            "detector": self.settings.detection.model,
            "clip": self.clip.fingerprint,
            "settings": self.settings.digest("detection", "matting", "processing", "stereo", "input"),
            "scale": self.settings.processing.scale_factor,
            "degradations": "none",
        }


def cross_fade(a: Frame, b: Frame, share: float) -> tuple[Frame, float]:
    """``b`` weighs ``share``. Returns the mixture and the mean absolute difference of the alphas inside the people."""
    views = {}
    difference, count = 0.0, 0
    for name, va in a.views.items():
        vb = b.views[name]
        layers = []
        numbers = sorted({layer.person for layer in (*va.layers, *vb.layers)})
        for number in numbers:
            la = next((x for x in va.layers if x.person == number), None)
            lb = next((x for x in vb.layers if x.person == number), None)
            rect = Rect(0, 0, 0, 0)
            for layer in (la, lb):
                rect = rect.union(layer.rect) if layer is not None else rect
            alphas, confidences = zip(*(_spread(layer, rect) for layer in (la, lb)), strict=True)
            difference += float(np.abs(alphas[0] - alphas[1]).sum())
            count += rect.width * rect.height
            alpha = (1 - share) * alphas[0] + share * alphas[1]
            confidence = np.minimum(confidences[0], confidences[1])
            some = la or lb
            assert some is not None
            layers.append(Layer(number, some.name, rect, half(alpha), half(confidence)))
        views[name] = ViewMatte(va.width, va.height, tuple(layers))
    return Frame(a.index, views, a.metadata), difference / max(1, count)


def _spread(layer: Layer | None, rect: Rect) -> tuple[Any, Any]:
    alpha = np.zeros((rect.height, rect.width), np.float32)
    confidence = np.ones((rect.height, rect.width), np.float32)
    if layer is not None:
        y, x = layer.rect.y0 - rect.y0, layer.rect.x0 - rect.x0
        place = np.s_[y : y + layer.rect.height, x : x + layer.rect.width]
        alpha[place], confidence[place] = layer.alpha, layer.confidence
    return alpha, confidence
