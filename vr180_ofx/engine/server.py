"""The frame server: any frame, in any order, always the same answer."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from vr180_ofx import __version__
from vr180_ofx.engine.checkpoints import Checkpoints
from vr180_ofx.engine.chunks import Chunk, ChunkPlan
from vr180_ofx.engine.decoding import Decoder
from vr180_ofx.engine.everybody import EverybodyPipeline
from vr180_ofx.engine.frame import Frame, cross_fade
from vr180_ofx.engine.frames import FrameCache, named
from vr180_ofx.engine.keys import Chain
from vr180_ofx.engine.limits import LEVELS, Ladder, give_back
from vr180_ofx.engine.models import make_matting_network, make_refiner, make_tracker
from vr180_ofx.engine.pipeline import Ahead, Pipeline, Scale
from vr180_ofx.engine.scheduler import Priority, Quality, Scheduler, Work
from vr180_ofx.engine.store import DiskStore
from vr180_ofx.errors import FrameError
from vr180_ofx.matte.matting_tracker import MattingTracker
from vr180_ofx.matte.rvm.whole_frame import WholeFrames
from vr180_ofx.media.contract import Clip, SourceFrame
from vr180_ofx.people.plan import Plan
from vr180_ofx.settings import Settings
from vr180_ofx.stereo.consistency import Consistency
from vr180_ofx.telemetry import Stages, free_bytes, resident_bytes
from vr180_ofx.trackers.contract import Memory, Tracker
from vr180_ofx.weights.device import where

log = logging.getLogger(__name__)
#: Of the memory that may be had, for finished frames and for checkpoints each.
_CACHE_SHARE = 0.125
#: Requests this far from the one before are still taken for scrubbing in one direction.
_SCRUB = 8


class _Interrupted(Exception):
    """Something more urgent waits, the plan changed, or nobody wants this frame any more."""


@dataclass(frozen=True, slots=True)
class _Scene:
    """The plan, and what follows from it."""

    plan: Plan
    chunks: ChunkPlan
    chain: Chain
    names: dict[int, str]


class FrameServer:
    """Serves the mattes of any frame of a clip.

    One engine thread steps the tracker; decoding runs ahead of it, and the frame before is finished beside it. Windows are spread over a
    pool, and what lies on disk is read by another. Use as a context manager, or call `close`.
    """

    def __init__(
        self, clip: Clip, plan: Plan, settings: Settings | None = None, *, tracker: Tracker | None = None,
        stages: Stages | None = None, cache_bytes: int | None = None, store: DiskStore | None = None, keep_frames: bool = True,
        prefetch: int = 0, ladder: Ladder | None = None,
    ) -> None:  # fmt: skip
        """cache_bytes: for finished frames and for checkpoints each; by default a share of processing.max_memory_gb, or of what is free.

        store: where checkpoints and, with ``keep_frames``, finished frames outlive this process. prefetch: how many frames are
        made ahead in the direction of scrubbing.
        """
        self.settings = settings or clip.settings
        self.clip = clip
        self.stages = stages or Stages()
        self.store = store
        threads = self.settings.hardware.threads_here
        self._pool = ThreadPoolExecutor(threads if self.settings.processing.parallel_eyes else 1, "window")
        self._disk = ThreadPoolExecutor(2, "disk")
        self._finisher = ThreadPoolExecutor(1, "finish")
        self._finishing: Future[None] | None = None
        self._tracker = tracker or make_tracker(self.settings, self._pool, len(clip.views))
        self._refiner = make_refiner(self.settings)
        matter = make_matting_network(self.settings, where)
        if matter is not None:
            self._tracker = MattingTracker(self._tracker, matter, self.stages)
        self.ladder = ladder or Ladder(self.settings.processing.max_memory_gb * 2**30)
        # of what may be had: a small machine, or a busy one, keeps less
        room = min(self.settings.processing.max_memory_gb * 2**30, resident_bytes() + free_bytes())
        self._budget = int(room * _CACHE_SHARE) if cache_bytes is None else cache_bytes
        self._frames = FrameCache(min(self._budget, 2**30), store if keep_frames else None, self.stages)
        self._checkpoints = Checkpoints(min(self._budget, 2**29), store, self._tracker.exact_after, self.stages)
        self._decoder = Decoder(clip, self.stages, self.settings.processing.decode_timeout_s, self._tracker.looks_ahead)
        self._scheduler = Scheduler()
        self._lock = threading.Lock()
        self._closed = False
        self._prefetch = prefetch
        self._prefetched: dict[int, Future[Frame]] = {}
        self._last = (0, 1)
        self._running = threading.Lock()
        self._switching = False
        #: What is given up now; the ladder may be shared, and is looked at between frames.
        self._level = LEVELS[0]
        self.version = 0
        self.steps = 0
        self.disagreement: dict[int, float] = {}
        self._use(plan)
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    def _use(self, plan: Plan) -> None:
        chunks = ChunkPlan(plan.shots, self.settings.processing.chunk_size, self.settings.processing.overlap_frames)
        chain = Chain(plan, f"{self.clip.fingerprint}|{self._tracker.identity()}", self._tracker.looks_ahead)
        # in one assignment: requests look at it from other threads
        self._scene = _Scene(plan, chunks, chain, {p.id: p.name for p in plan.people})
        self._pipeline = self._make_pipeline()

    @property
    def plan(self) -> Plan:
        return self._scene.plan

    @property
    def chunks(self) -> ChunkPlan:
        return self._scene.chunks

    def _make_pipeline(self) -> Pipeline | EverybodyPipeline:
        level = self._level
        if isinstance(self._tracker, WholeFrames):
            return EverybodyPipeline(self._tracker, Scale.of(self.settings.processing), self.stages)
        scale = Scale.of(self.settings.processing, level.shrink)
        executor = None if level.batch == 1 else self._pool
        return Pipeline(
            self.plan, self._tracker, self._refiner, scale=scale, executor=executor, stages=self.stages, batch=level.batch,
            consistency=self._consistency,
        )  # fmt: skip

    @property
    def _consistency(self) -> Consistency | None:
        """What the eyes owe each other."""
        s = self.settings.stereo
        if s.consistency_mode == "independent" or not self.settings.matting.use_disparity_mapping or len(self.clip.views) < 2:
            return None
        return Consistency(s.consistency_mode, s.validation_threshold, s.correction_method, s.master, self.plan.alignment)

    def __enter__(self) -> FrameServer:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self.clip)

    def request(self, n: int, quality: Quality = "final", priority: Priority = Priority.INTERACTIVE) -> Future[Frame]:
        """Asks for frame ``n`` (0-based). Equal requests share one work; ``.cancel()`` works until the frame is there.

        The future raises FrameError when the frame cannot be decoded, ClipChangedError when the file was replaced, ResourceError when
        memory ran out. Raises ServerBusyError when too many requests wait.
        """
        if not 0 <= n < len(self.clip):
            raise IndexError(f"frame {n} is outside the clip, which has frames 0..{len(self.clip) - 1}")
        if quality not in ("final", "draft"):
            raise ValueError(f"quality is {quality!r}; allowed are final and draft")
        if self._closed:
            raise RuntimeError("the frame server is closed")
        future = self._find(n, quality, priority)
        if quality == "final" and priority is Priority.INTERACTIVE and self._prefetch:
            self._look_ahead(n)
        return future

    def _find(self, n: int, quality: Quality, priority: Priority) -> Future[Frame]:
        key = self.frame_key(n, quality)
        cached = self._frames.get(key)
        if cached is not None:
            done: Future[Frame] = Future()
            _fulfil(done, lambda: self._checked(cached))
            return done
        if quality == "final" and self._frames.on_disk(key):
            return self._from_disk(n, key, priority)
        return self._scheduler.submit(n, quality, priority)

    def _checked(self, frame: Frame) -> Frame:
        self.clip.check(frame.index)
        return named(frame, self._scene.names)

    def _from_disk(self, n: int, key: str, priority: Priority) -> Future[Frame]:
        """Read beside the engine thread, which may be busy for a second; made after all when what lies there is damaged."""
        future: Future[Frame] = Future()

        def read() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                frame = self._frames.load(key, self._scene.names, self._standing())
                if frame is None:
                    # without waiting for it here: others want to be read
                    self._scheduler.submit(n, "final", priority).add_done_callback(lambda made: _fulfil(future, made.result))
                    return
                future.set_result(self._checked(frame))
            except BaseException as error:  # noqa: BLE001 - the future carries it to whoever asked
                future.set_exception(error)

        try:
            self._disk.submit(read)
        except RuntimeError:
            raise RuntimeError("the frame server is closed") from None
        return future

    def _look_ahead(self, n: int) -> None:
        """Asks for the frames that will be asked for: further in the direction of scrubbing."""
        with self._lock:
            last, direction = self._last
            if 0 < abs(n - last) <= _SCRUB:
                direction = 1 if n > last else -1
            self._last = (n, direction)
            coming = [k for k in range(n + direction, n + direction * (self._prefetch + 1), direction) if 0 <= k < len(self.clip)]
            for old in [k for k in self._prefetched if k not in coming]:
                self._prefetched.pop(old).cancel()
            new = [k for k in coming if k not in self._prefetched]
        for k in new:
            with suppress(RuntimeError):
                future = self._find(k, "final", Priority.PREFETCH)
                with self._lock:
                    self._prefetched[k] = future

    def frame_key(self, n: int, quality: Quality = "final") -> str:
        """A hash of everything that decides what frame ``n`` looks like."""
        tracker, scene = self._tracker, self._scene
        chunk, chain = scene.chunks.of(n), scene.chain
        more = [quality, self._refiner.identity(), str(self.settings.processing.scale_factor), self.settings.processing.upsampling]
        if self._consistency is not None:
            more.append(self._consistency.identity())
        if quality == "draft":
            return chain.frame(n, n, *more)
        if tracker.exact_after is not None:
            return chain.frame(max(chunk.start, n - tracker.exact_after), n, *more)
        fade = scene.chunks.fade(n)
        if fade is not None:
            more += [chain.memory(fade[0], n + 1), f"{fade[1]:.9f}"]
        return chain.frame(chunk.start, n, *more)

    def replace_plan(self, plan: Plan) -> None:
        """Goes on with a corrected plan. What does not depend on the correction stays in the caches."""
        # what is being made stops at its next step
        self._switching = True
        try:
            with self._running:
                self._wait_for_finishing()
                with self._lock:
                    self.version += 1
                    for future in self._prefetched.values():
                        future.cancel()
                    self._prefetched.clear()
                self._checkpoints.forget_newest()
                self._use(plan)
        finally:
            self._switching = False

    def clear_cache(self) -> None:
        """Forgets finished frames and checkpoints in memory; what they were made from, and what lies on disk, is untouched."""
        self._frames.clear()
        self._checkpoints.clear()

    def clear_frames(self) -> int:
        """Forgets finished frames in memory and on disk; they are made again when somebody asks. Returns how many were on disk."""
        self._frames.clear()
        return self._frames.drop(self.frame_key(n) for n in range(len(self.clip)))

    def stats(self) -> dict[str, Any]:
        """Numbers for people: stages, caches, memory."""
        with self._lock:
            out: dict[str, Any] = {
                "steps": self.steps,
                "waiting": self._scheduler.waiting(),
                **self._frames.stats(),
                **self._checkpoints.stats(),
                "degradations": self._level.name,
                "disagreement": max(self.disagreement.values(), default=0.0),
                "stages": self.stages.summary(),
            }
        if self.store is not None:
            s = self.store
            out["store"] = {"hits": s.hits, "misses": s.misses, "damaged": s.damaged, "evicted": s.evicted, "problem": s.problem}
        return out

    def close(self) -> None:
        """Ends the threads; requests that are not finished are cancelled. What the tracker knows is kept on disk."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._scheduler.close()
        self._thread.join()
        self._finisher.shutdown()
        self._disk.shutdown(cancel_futures=True)
        if not self._level.batch:
            self._checkpoints.save_newest()
        self._decoder.close()
        if isinstance(self._tracker, MattingTracker | WholeFrames):
            self._tracker.close()
        self._pool.shutdown()

    # the engine thread -------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while (work := self._scheduler.next()) is not None:
            while self._switching and not self._closed:
                time.sleep(0.001)
            with self._running:
                try:
                    finish = self._serve(work)
                except _Interrupted:
                    self._put_back(work)
                except BaseException as error:  # noqa: BLE001 - the futures carry it to whoever asked
                    self._scheduler.fail(work, error)
                else:
                    self._wait_for_finishing()
                    # short of memory one thing is done after the other
                    if work.quality == "draft" or self._level.batch or self._pipeline.steps_to_finish:
                        self._conclude(work, finish)
                    else:
                        self._finishing = self._finisher.submit(self._conclude, work, finish)

    def _conclude(self, work: Work, finish: Callable[[], Frame]) -> None:
        """Gives a frame to whoever asked."""
        try:
            frame = finish()
        except BaseException as error:  # noqa: BLE001 - the futures carry it to whoever asked
            work.short = _shortage(error)
            if work.short:
                self._put_back(work)
            else:
                self._scheduler.fail(work, error)
        else:
            self._scheduler.finish(work, frame)

    def _wait_for_finishing(self) -> None:
        if self._finishing is not None:
            wait([self._finishing])

    def _put_back(self, work: Work) -> None:
        if work.wanted and not self._closed:
            self._scheduler.requeue(work)
        else:
            self._scheduler.drop(work)

    def _serve(self, work: Work) -> Callable[[], Frame]:
        """Steps the tracker up to the frame; what comes back finishes it."""
        if work.version != self.version:
            work.progress.clear()
            work.version = self.version
        key = self.frame_key(work.n, work.quality)
        cached = self._frames.get(key)
        if cached is not None:
            return lambda: self._checked(cached)
        self.clip.check(work.n)
        if work.short:
            self._step_down(work.short)
            work.short = ""
        self._mind_memory()
        while True:
            try:
                finish = self._make(work)
                break
            except Exception as error:
                short = _shortage(error)
                if not short:
                    raise
                self._step_down(short)
        keep = not self._level.batch
        return lambda: self._kept(work, key, finish(), keep)

    def _kept(self, work: Work, key: str, frame: Frame, keep: bool) -> Frame:
        self.clip.check(work.n)
        if keep:
            self._frames.put(key, frame)
            if work.quality == "final":
                with suppress(RuntimeError):  # closed meanwhile
                    self._disk.submit(self._frames.save, key, frame)
        return frame

    def _make(self, work: Work) -> Callable[[], Frame]:
        if work.quality == "draft":
            source, metadata = self._source(work, work.n), self._metadata(work.n, "draft", None)
            return self._pipeline.start(source, self._tracker.begin(), metadata)[1]
        n, chunk = work.n, self.chunks.of(work.n)
        finish = self._in_chunk(work, chunk)
        fade = self.chunks.fade(n)
        # a tracker whose memory is exact gives the same frame in both chunks: nothing to fade
        if fade is None or self._tracker.exact_after is not None:
            return finish
        following, share = fade
        finish_other = self._in_chunk(work, following)

        def fade_across() -> Frame:
            mixed, difference = cross_fade(finish(), finish_other(), share)
            with self._lock:
                self.disagreement[n] = difference
            return mixed

        return fade_across

    def _in_chunk(self, work: Work, chunk: Chunk) -> Callable[[], Frame]:
        """The frame as this chunk sees it, from the nearest checkpoint."""
        n = work.n
        position, memory, settled = self._restore(work, chunk)
        begin = position
        needed = self._tracker.exact_after or 0
        while position < n:
            if self._interrupted(work):
                if settled:
                    work.progress[chunk.number] = (position, memory)
                raise _Interrupted
            memory = self._step_over(work, position, memory)
            position += 1
            if settled or position - begin >= needed:
                self._keep(chunk, position, memory)
        try:
            source = self._source(work, n)
        except FrameError:
            self._keep(chunk, n + 1, self._tracker.begin())
            raise
        memory, finish = self._pipeline.start(source, memory, self._metadata(n, "final", chunk), self._ahead(work, n))
        self.steps += 1
        if settled or n + 1 - begin >= needed:
            self._keep(chunk, n + 1, memory)
        return finish

    def _interrupted(self, work: Work) -> bool:
        return self._closed or self._switching or not work.wanted or self._scheduler.urgent(work)

    def _step_over(self, work: Work, n: int, memory: Memory) -> Memory:
        self.steps += 1
        try:
            source = self._source(work, n)
        except FrameError:
            # a frame that is not there breaks the thread of memory, wherever one comes from
            return self._tracker.begin()
        return self._pipeline.advance(source, memory, self._ahead(work, n))[0]

    def _restore(self, work: Work, chunk: Chunk) -> tuple[int, Memory, bool]:
        """(frame to step next, memory before it, whether that is the memory which the whole chunk would have led to).

        The nearest checkpoint before the frame, or the chunk's beginning, or as many frames back as a tracker that forgets needs. In
        the last case the memory is right for this frame and after, but not for the warm-up itself: that is never kept.
        """
        n, exact = work.n, self._tracker.exact_after
        cold = chunk.start if exact is None else max(chunk.start, n - exact)
        own = work.progress.pop(chunk.number, None)
        found = self._checkpoints.find(self._scene.chain, chunk, n, cold if own is None else max(cold, own[0]))
        found = found or own
        if found is not None:
            return found[0], found[1], True
        return cold, self._tracker.begin(), cold == chunk.start

    def _keep(self, chunk: Chunk, position: int, memory: Memory) -> None:
        self._checkpoints.keep(self._scene.chain, chunk, position, memory, self._level.batch > 0)

    def _source(self, work: Work, n: int) -> SourceFrame:
        """Frame ``n``, decoded ahead of its use when it is known what comes next."""
        on_the_way = n < work.n or self._scheduler.waiting_for(n + 1)
        try:
            ahead = range(n + 1, n + 2 + self._tracker.looks_ahead) if on_the_way else ()
            return self._decoder.get(n, ahead, lambda: self._closed or not work.wanted)
        except TimeoutError:
            raise _Interrupted from None

    def _ahead(self, work: Work, n: int) -> Ahead:
        """The frames after ``n``, up to the clip's end and to those that cannot be decoded: wherever chunks end, so that what is remembered
        does not depend on it.
        """

        def frame(k: int) -> SourceFrame | None:
            if n + k >= len(self.clip):
                return None
            try:
                return self._decoder.peek(n + k, lambda: self._closed or not work.wanted)
            except FrameError:
                return None
            except TimeoutError:
                raise _Interrupted from None

        return frame

    # memory ------------------------------------------------------------------------------------------------------

    def _mind_memory(self) -> None:
        self.ladder.check()
        self._settle_down()

    def _step_down(self, why: str) -> None:
        self.ladder.down(why)
        self._settle_down()

    def _settle_down(self) -> None:
        """Gives up what the ladder says."""
        level = self.ladder.level
        if level is self._level:
            return
        self._level = level
        self._frames.limit_to(int(min(self._budget, 2**30) * level.cache))
        self._checkpoints.limit_to(int(min(self._budget, 2**29) * level.cache))
        give_back()
        self._pipeline = self._make_pipeline()

    def _standing(self) -> dict[str, Any]:
        """What is the same for all frames."""
        return {
            "engine": f"vr180-ofx {__version__}",
            "tracker": self._tracker.identity(),
            "refiner": self._refiner.identity(),
            "detector": self.settings.detection.model,
            "clip": self.clip.fingerprint,
            "settings": self.settings.digest("detection", "matting", "processing", "stereo", "input"),
            "scale": self.settings.processing.scale_factor,
            "upsampling": self.settings.processing.upsampling if self.settings.processing.scale_factor < 1 else "none",
        }

    def _metadata(self, n: int, quality: str, chunk: Chunk | None) -> dict[str, Any]:
        number = -1 if chunk is None else chunk.number
        return {**self._standing(), "index": n, "quality": quality, "chunk": number, "degradations": self._level.name}


def _shortage(error: BaseException) -> str:
    """What an error says of memory that ran short; empty when it is another one."""
    if isinstance(error, MemoryError):
        return str(error) or "an allocation failed"
    # PyTorch's own: not a MemoryError
    return str(error).splitlines()[0] if type(error).__name__ == "OutOfMemoryError" else ""


def _fulfil(future: Future[Frame], make: Callable[[], Frame]) -> None:
    """Puts what ``make`` returns or raises into a future."""
    try:
        future.set_result(make())
    except BaseException as error:  # noqa: BLE001 - the future carries it to whoever asked
        future.set_exception(error)
