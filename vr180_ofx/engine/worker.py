"""The engine thread: takes the most urgent frame, steps the network to it, and gives up what it must when memory runs short."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from vr180_ofx.engine.checkpoints import Checkpoints
from vr180_ofx.engine.decoding import Decoder
from vr180_ofx.engine.frame import Frame
from vr180_ofx.engine.frames import FrameCache, named
from vr180_ofx.engine.lanes import lane
from vr180_ofx.engine.limits import LEVELS, Ladder, Level, explained, give_back, shortage
from vr180_ofx.engine.maker import FrameMaker
from vr180_ofx.engine.recipe import Recipe
from vr180_ofx.engine.scene import Scene
from vr180_ofx.engine.scheduler import Scheduler, Work
from vr180_ofx.engine.stepper import Interrupted, Stepper
from vr180_ofx.media.contract import Clip
from vr180_ofx.people.plan import Plan
from vr180_ofx.weights import memory_short


class Worker:
    """One thread steps the network; decoding runs ahead of it, and the frame before is finished beside it.

    Use `begin` once, then `close`.
    """

    def __init__(
        self, clip: Clip, scene: Scene, recipe: Recipe, *, scheduler: Scheduler, frames: FrameCache, checkpoints: Checkpoints,
        decoder: Decoder, ladder: Ladder, common: dict[str, Any], device: str | None = None,
        anew: Callable[[Plan], Scene] | None = None, keep_share: Callable[[float], None] = lambda share: None,
    ) -> None:  # fmt: skip
        """common: see `metadata.common_metadata`. device: where pictures are, see `weights.device.Machine.pictures`. anew: makes the scene
        of a plan once painted mattes are others; None: they stay. keep_share: is told how much of what is made of its frames may be kept,
        0..1, when memory runs short.
        """
        self._clip = clip
        self._keep_share = keep_share
        self._recipe = recipe
        self._scheduler = scheduler
        self._frames = frames
        self._checkpoints = checkpoints
        self._decoder = decoder
        self._networks = lane(device)
        self._stepper = Stepper(
            len(clip), recipe.network, decoder, checkpoints, scheduler, common=common, stopped=self._stopped, held_up=self._held_up,
            lane=self._networks,
        )  # fmt: skip
        self.ladder = ladder
        #: What is given up now; the ladder may be shared, and is looked at between frames.
        self._level = LEVELS[0]
        #: Counts the scenes: frames of an older one are not those of a newer one. One value: requests look at it from other threads.
        self._now = (0, scene)
        self._anew = anew
        self._renewing = threading.Lock()
        #: What makes frames, and of which scene.
        self._maker = recipe.maker(scene.plan, self._level, scene.paint)
        self._made_of: Scene | None = scene
        self._finishes = lane(device)
        self._finisher = ThreadPoolExecutor(1, "finish")
        self._finishing: Future[None] | None = None
        self._closed = False
        #: Held while a frame is stepped; and set but while the plan is being changed, which stops what is being made.
        self._busy = threading.Lock()
        self._may_go_on = threading.Event()
        self._may_go_on.set()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def begin(self) -> None:
        self._thread.start()

    @property
    def level(self) -> Level:
        """What is given up now."""
        return self._level

    @property
    def steps(self) -> int:
        """How often the network was stepped."""
        return self._stepper.steps

    @property
    def disagreement(self) -> dict[int, float]:
        """See `Stepper.disagreement`."""
        return self._stepper.disagreement

    @property
    def scene(self) -> Scene:
        return self._now[1]

    @property
    def version(self) -> int:
        """How often the scene became another one."""
        return self._now[0]

    def current(self) -> Scene:
        """The scene, with painted mattes as they are now. What is being made with former ones is made again before anybody gets it."""
        before = self._now
        scene = before[1]
        if scene.paint is not None and self._anew is not None and scene.paint.changed():
            with self._renewing:
                if self._now is before:
                    self._now = (before[0] + 1, self._anew(scene.plan))
        return self._now[1]

    def use(self, scene: Scene) -> None:
        """Goes on with another plan, once the frame that is being made has stopped."""
        # what is being made stops at its next step
        self._may_go_on.clear()
        try:
            with self._busy:
                self._wait_for_finishing()
                self._checkpoints.forget_newest()
                with self._renewing:
                    self._now = (self._now[0] + 1, scene)
        finally:
            self._may_go_on.set()

    def close(self) -> None:
        """Ends the thread, and what decodes for it. The scheduler is closed before. What the network remembers is kept on disk."""
        self._closed = True
        self._thread.join()
        self._finisher.shutdown()
        if not self._level.batch:
            self._checkpoints.save_newest()
        self._decoder.close()

    # from here on, on the thread ---------------------------------------------------------------------------------

    def _run(self) -> None:
        while (work := self._scheduler.next()) is not None:
            self._may_go_on.wait()
            with self._busy:
                try:
                    with self._networks.work():
                        finish = self._apart(self._serve(work))
                except Interrupted:
                    self._put_back(work)
                except BaseException as error:  # noqa: BLE001 - the futures carry it to whoever asked
                    if self._outdated(work):
                        self._put_back(work)
                    else:
                        self._scheduler.fail(work, explained(error))
                else:
                    self._wait_for_finishing()
                    # short of memory one thing is done after the other
                    if work.quality == "draft" or self._level.batch or self._maker.steps_to_finish:
                        self._conclude(work, finish)
                    else:
                        self._finishing = self._finisher.submit(self._conclude, work, finish)

    def _apart(self, finish: Callable[[], Frame]) -> Callable[[], Frame]:
        """The same in the lane of finishing, after what is in the one of networks now."""
        mark = self._networks.mark()

        def run() -> Frame:
            try:
                with self._finishes.work(mark):
                    return finish()
            finally:
                # what the networks made, and this looks at, may go then
                self._finishes.finish()

        return run

    def _conclude(self, work: Work, finish: Callable[[], Frame]) -> None:
        """Gives a frame to whoever asked; one that was made with painted mattes that are others now is made again."""
        try:
            frame = finish()
            if self._outdated(work):
                self._put_back(work)
                return
        except BaseException as error:  # noqa: BLE001 - the futures carry it to whoever asked
            work.short = shortage(error)
            if work.short:
                self._put_back(work)
            else:
                self._scheduler.fail(work, explained(error))
        else:
            self._scheduler.finish(work, frame)

    def _outdated(self, work: Work) -> bool:
        """Whether what was made, or went wrong, is of another scene than the one of now."""
        self.current()
        return work.version != self.version

    def _wait_for_finishing(self) -> None:
        if self._finishing is not None:
            wait([self._finishing])

    def _put_back(self, work: Work) -> None:
        if work.wanted and not self._closed:
            self._scheduler.requeue(work)
        else:
            self._scheduler.drop(work)

    def _stopped(self, work: Work) -> bool:
        return self._closed or not work.wanted

    def _held_up(self, work: Work) -> bool:
        return self._stopped(work) or not self._may_go_on.is_set() or work.version != self.version or self._scheduler.urgent(work)

    def _serve(self, work: Work) -> Callable[[], Frame]:
        """Steps the network up to the frame; what comes back finishes it."""
        self.current()
        version, scene = self._now
        if work.version != version:
            work.progress.clear()
            work.version = version
        key = scene.key(work.n, work.quality)
        cached = self._frames.get(key)
        self._clip.check(work.n)
        if cached is not None:
            return lambda: named(cached, scene.names)
        if work.short:
            self._step_down(work.short)
            work.short = ""
        self.ladder.check()
        self._settle_down()
        while True:
            try:
                finish = self._stepper.frame(work, scene, self._maker_of(scene))
                break
            except Exception as error:
                short = shortage(error)
                if not short:
                    raise
                self._step_down(short)
        keep = not self._level.batch
        return lambda: self._kept(work, key, finish(), keep=keep)

    def _kept(self, work: Work, key: str, frame: Frame, *, keep: bool) -> Frame:
        self._clip.check(work.n)
        if keep:
            self._frames.put(key, frame)
            if work.quality == "final":
                self._frames.save_beside(key, frame)
        return frame

    def _maker_of(self, scene: Scene) -> FrameMaker:
        if self._made_of is not scene:
            self._maker, self._made_of = self._recipe.maker(scene.plan, self._level, scene.paint), scene
        return self._maker

    def _step_down(self, why: str) -> None:
        self.ladder.down(why)
        self._settle_down()

    def _settle_down(self) -> None:
        """Gives up what the ladder says."""
        level = self.ladder.level
        if level is self._level:
            return
        self._level = level
        self._stepper.degradations, self._stepper.under_need = level.name, level.batch > 0
        self._frames.keep_share(level.cache)
        self._checkpoints.keep_share(level.cache)
        self._keep_share(level.cache)
        memory_short.tell()
        give_back()
        self._made_of = None
