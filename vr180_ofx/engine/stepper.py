"""Leading the network to a frame: from the nearest checkpoint, or the beginning of the chunk, frame by frame."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from vr180_ofx.engine.checkpoints import Checkpoints
from vr180_ofx.engine.chunks import Chunk
from vr180_ofx.engine.decoding import Decoder
from vr180_ofx.engine.frame import Frame, cross_fade
from vr180_ofx.engine.lanes import NO_LANE, AnyLane, borrowed
from vr180_ofx.engine.maker import Ahead, FrameMaker, Remembering
from vr180_ofx.engine.metadata import frame_metadata
from vr180_ofx.engine.scene import Scene
from vr180_ofx.engine.scheduler import Scheduler, Work
from vr180_ofx.errors import FrameError
from vr180_ofx.media.contract import SourceFrame
from vr180_ofx.trackers.contract import Memory


class Interrupted(Exception):
    """Something more urgent waits, the plan changed, or nobody wants this frame any more."""


class Stepper:
    """Steps a network through chunks; for one thread.

    length: of the clip, in frames. common: see `metadata.common_metadata`. stopped: whether a work is to be given up at once.
    held_up: whether it is to make room at the next step. What was stepped until then is not lost: see `Work.progress`.
    """

    def __init__(
        self, length: int, network: Remembering, decoder: Decoder, checkpoints: Checkpoints, scheduler: Scheduler, *,
        common: dict[str, Any], stopped: Callable[[Work], bool], held_up: Callable[[Work], bool], lane: AnyLane = NO_LANE,
    ) -> None:  # fmt: skip
        self._length = length
        self._network = network
        self._decoder = decoder
        self._checkpoints = checkpoints
        self._scheduler = scheduler
        self._common = common
        self._stopped = stopped
        self._held_up = held_up
        self._lane = lane
        self._lock = threading.Lock()
        self._disagreement: dict[int, float] = {}
        self.steps = 0
        #: What is given up for want of memory, in words; and whether memories are only worth keeping for this run.
        self.degradations = "none"
        self.under_need = False

    @property
    def disagreement(self) -> dict[int, float]:
        """Frame -> mean difference of the alphas of the two chunks that were cross-faded there, inside the people, 0..1."""
        with self._lock:
            return dict(self._disagreement)

    def frame(self, work: Work, scene: Scene, maker: FrameMaker) -> Callable[[], Frame]:
        """Steps up to the frame that is wanted; what comes back finishes it. Raises FrameError, and Interrupted."""
        if work.quality == "draft":
            metadata = self._metadata(work, chunk=-1)
            return maker.start(self._source(work, work.n), self._network.begin(), metadata)[1]
        finish = self._in_chunk(work, scene, maker, scene.chunks.of(work.n))
        fade = scene.chunks.fade(work.n)
        # a network whose memory is exact gives the same frame in both chunks: nothing to fade
        if fade is None or self._network.exact_after is not None:
            return finish
        following, share = fade
        finish_other = self._in_chunk(work, scene, maker, following)

        def fade_across() -> Frame:
            mixed, difference = cross_fade(finish(), finish_other(), share)
            with self._lock:
                self._disagreement[work.n] = difference
            return mixed

        return fade_across

    def _in_chunk(self, work: Work, scene: Scene, maker: FrameMaker, chunk: Chunk) -> Callable[[], Frame]:
        """The frame as this chunk sees it."""
        n = work.n
        position, memory, settled = self._restore(work, scene, chunk)
        begin = position
        needed = self._network.exact_after or 0

        def keep(position: int, memory: Memory) -> None:
            if settled or position - begin >= needed:
                self._checkpoints.keep(scene.chain, chunk, position, memory, under_need=self.under_need)

        while position < n:
            if self._held_up(work):
                if settled:
                    work.progress[chunk.number] = (position, memory)
                raise Interrupted
            memory = self._step_over(work, maker, position, memory)
            position += 1
            keep(position, memory)
        try:
            source = self._source(work, n)
        except FrameError:
            self._checkpoints.keep(scene.chain, chunk, n + 1, self._network.begin(), under_need=self.under_need)
            raise
        memory, finish = maker.start(source, memory, self._metadata(work, chunk=chunk.number), self._ahead(work, n))
        self.steps += 1
        keep(n + 1, memory)
        return finish

    def _step_over(self, work: Work, maker: FrameMaker, n: int, memory: Memory) -> Memory:
        self.steps += 1
        try:
            source = self._source(work, n)
        except FrameError:
            # a frame that is not there breaks the thread of memory, wherever one comes from
            return self._network.begin()
        return maker.start(source, memory, {}, self._ahead(work, n))[0]

    def _restore(self, work: Work, scene: Scene, chunk: Chunk) -> tuple[int, Memory, bool]:
        """(frame to step next, memory before it, whether that is the memory which the whole chunk would have led to).

        The nearest checkpoint before the frame, or the chunk's beginning, or as many frames back as a network that forgets needs. In
        the last case the memory is right for this frame and after, but not for the warm-up itself: that is never kept.
        """
        n, exact = work.n, self._network.exact_after
        cold = chunk.start if exact is None else max(chunk.start, n - exact)
        own = work.progress.pop(chunk.number, None)
        found = self._checkpoints.find(scene.chain, chunk, n, cold if own is None else max(cold, own[0]))
        found = found or own
        if found is not None:
            return found[0], found[1], True
        return cold, self._network.begin(), cold == chunk.start

    def _source(self, work: Work, n: int) -> SourceFrame:
        """Frame ``n``, decoded ahead of its use when it is known what comes next."""
        on_the_way = n < work.n or self._scheduler.waiting_for(n + 1)
        try:
            ahead = range(n + 1, n + 2 + self._network.looks_ahead) if on_the_way else ()
            return borrowed(self._decoder.get(n, ahead, lambda: self._stopped(work)), self._lane)
        except TimeoutError:
            raise Interrupted from None

    def _ahead(self, work: Work, n: int) -> Ahead:
        """The frames after ``n``, up to the clip's end and to those that cannot be decoded: wherever chunks end, so that what is remembered
        does not depend on it.
        """

        def frame(k: int) -> SourceFrame | None:
            if n + k >= self._length:
                return None
            try:
                return borrowed(self._decoder.peek(n + k, lambda: self._stopped(work)), self._lane)
            except FrameError:
                return None
            except TimeoutError:
                raise Interrupted from None

        return frame

    def _metadata(self, work: Work, *, chunk: int) -> dict[str, Any]:
        return frame_metadata(self._common, work.n, quality=work.quality, chunk=chunk, degradations=self.degradations)
