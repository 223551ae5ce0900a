"""The frame server: any frame, in any order, always the same answer."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from vr180_ofx.engine.checkpoints import Checkpoints
from vr180_ofx.engine.chunks import ChunkPlan
from vr180_ofx.engine.controlled import AskedEdges, Controls
from vr180_ofx.engine.decoding import Decoder
from vr180_ofx.engine.frame import Frame
from vr180_ofx.engine.frames import FrameCache, named
from vr180_ofx.engine.lanes import following
from vr180_ofx.engine.limits import Ladder, cache_budget
from vr180_ofx.engine.metadata import common_metadata
from vr180_ofx.engine.models import Models
from vr180_ofx.engine.prefetch import Prefetch
from vr180_ofx.engine.recipe import load_recipe
from vr180_ofx.engine.scene import Scene
from vr180_ofx.engine.scheduler import Priority, Quality, Scheduler
from vr180_ofx.engine.served import ServedFrames
from vr180_ofx.engine.store import DiskStore
from vr180_ofx.engine.worker import Worker
from vr180_ofx.errors import FrameIndexError
from vr180_ofx.frame_ranges import Numbering
from vr180_ofx.media.contract import Clip
from vr180_ofx.people.plan import Plan
from vr180_ofx.settings import Settings
from vr180_ofx.telemetry import Stages
from vr180_ofx.trackers.contract import Tracker


class FrameServer:
    """Serves the mattes of any frame of a clip.

    One thread steps the networks (see `engine.worker`); what lies in a cache is served beside it. Use as a context manager, or call
    `close`.
    """

    def __init__(
        self, clip: Clip, plan: Plan, settings: Settings | None = None, *, models: Models | None = None, tracker: Tracker | None = None,
        stages: Stages | None = None, cache_bytes: int | None = None, store: DiskStore | None = None, keep_frames: bool = True,
        prefetch: int = 0, ladder: Ladder | None = None,
    ) -> None:  # fmt: skip
        """models: by default those that the settings name. tracker: instead of theirs; whoever made it closes it.

        cache_bytes: for finished frames and for checkpoints each; by default a share of processing.max_memory_gb, or of what is free.
        store: where checkpoints and, with ``keep_frames``, finished frames outlive this process. prefetch: how many frames are
        made ahead in the direction of scrubbing. Raises WeightsError and SettingsError when a network cannot be had here.
        """
        self.settings = settings or clip.settings
        self.clip = clip
        self.models = models or Models.of(self.settings)
        # what is wrong with them is said before anything begins
        Controls(self._followed(plan), self.settings, clip.geometry.layout)
        self.stages = stages or Stages()
        self.store = store
        processing, threads = self.settings.processing, self.settings.hardware.threads_here
        self._pool = ThreadPoolExecutor(threads if processing.parallel_eyes else 1, "window")
        device = self.models.pictures
        self._recipe = load_recipe(
            self.models, eyes=len(clip.views), pool=following(self._pool, device), stages=self.stages, tracker=tracker,
            pixels=len(clip.views) * clip.eye_size[0] * clip.eye_size[1],
        )  # fmt: skip
        network = self._recipe.network
        self._common = common_metadata(
            clip, self.settings, detector=self.models.detector.name, tracker=network.identity(), refiner=self._recipe.refiner
        )
        ladder = ladder or Ladder(processing.max_memory_gb * 2**30)
        budget = cache_budget(processing.max_memory_gb * 2**30) if cache_bytes is None else cache_bytes
        self._frames = FrameCache(min(budget, 2**30), store if keep_frames else None, self.stages)
        self._checkpoints = Checkpoints(min(budget, 2**29), store, network.exact_after, self.stages)
        self._served = ServedFrames(clip, min(budget, 2**29), self.stages, processing.decode_timeout_s)
        self._scheduler = Scheduler()
        self._prefetch = Prefetch(prefetch, len(clip), partial(self._find, quality="final", priority=Priority.PREFETCH))
        self._worker = Worker(
            clip, self._scene_of(plan), self._recipe, scheduler=self._scheduler, frames=self._frames, checkpoints=self._checkpoints,
            decoder=Decoder(clip, self.stages, processing.decode_timeout_s, network.looks_ahead, device=device),
            ladder=ladder, common=self._common, device=device, anew=self._scene_of, keep_share=self._served.keep_share,
        )  # fmt: skip
        self._lock = threading.Lock()
        self._closed = False
        self._worker.begin()

    def _scene_of(self, plan: Plan) -> Scene:
        processing, recipe, plan = self.settings.processing, self._recipe, self._followed(plan)
        paint = recipe.paint(plan)
        return Scene.of(
            plan, "|".join(t for t in (self.clip.fingerprint, self.models.arithmetic) if t), recipe.network,
            chunk_size=processing.chunk_size, overlap=processing.overlap_frames, finish=recipe.finish(plan),
            facts=recipe.facts(plan, paint), paint=paint,
        )  # fmt: skip

    def _followed(self, plan: Plan) -> Plan:
        """What counts of a plan here."""
        return plan if self.models.follows_people else plan.of_everybody()

    @property
    def plan(self) -> Plan:
        return self._worker.scene.plan

    @property
    def chunks(self) -> ChunkPlan:
        return self._worker.scene.chunks

    @property
    def version(self) -> int:
        """How often the plan was replaced, or a painted matte that the network is shown."""
        return self._worker.version

    @property
    def ladder(self) -> Ladder:
        """What is given up for want of memory."""
        return self._worker.ladder

    @property
    def steps(self) -> int:
        """How often the network was stepped."""
        return self._worker.steps

    @property
    def disagreement(self) -> dict[int, float]:
        """Frame -> mean difference of the two chunks that were cross-faded there, inside the people, 0..1."""
        return self._worker.disagreement

    def __enter__(self) -> FrameServer:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self.clip)

    def request(
        self, n: int, quality: Quality = "final", priority: Priority = Priority.INTERACTIVE, *, edges: AskedEdges | None = None
    ) -> Future[Frame]:  # fmt: skip
        """Asks for frame ``n`` (0-based). Equal requests share one work; ``.cancel()`` works until the frame is there.

        edges: edge controls for this frame, see `controlled.Controls`; no network runs for them.
        The future raises FrameError when the frame cannot be decoded, ClipChangedError when the file was replaced, ResourceError when
        memory ran out. Raises ServerBusyError when too many requests wait.
        """
        if not 0 <= n < len(self.clip):
            raise FrameIndexError(n, len(self.clip))
        self.plan.refuse_unknown((n,), Numbering(len(self.clip)))
        if quality not in ("final", "draft"):
            raise ValueError(f"quality is {quality!r}; allowed are final and draft")
        if self._closed:
            raise RuntimeError("the frame server is closed")
        future = self._with_controls(n, quality, priority, edges)
        if quality == "final" and priority is Priority.INTERACTIVE:
            self._prefetch.look_ahead(n)
        return future

    def _with_controls(self, n: int, quality: Quality, priority: Priority, edges: AskedEdges | None) -> Future[Frame]:
        scene = self._worker.current()
        controls = self._controls(scene.plan, quality, edges)
        identity = controls.identity(n)
        if not identity:
            return self._find(n, quality, priority)
        # files of mattes may have become others meanwhile
        return self._served.request(
            n, controls, controlled_key(scene, n, quality, controls, identity), lambda k: self._find(k, quality, priority),
            still=lambda: self._worker.current() is scene and controls.identity(n) == identity,
        )  # fmt: skip

    def _controls(self, plan: Plan, quality: Quality, edges: AskedEdges | None) -> Controls:
        return Controls(
            plan, self.settings, self.clip.geometry.layout, edges, alone=quality == "draft", carried=self._served.carried
        )  # fmt: skip

    def _find(self, n: int, quality: Quality, priority: Priority) -> Future[Frame]:
        # of the frame without its controls
        key = self._worker.current().key(n, quality)
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
        return named(frame, self._worker.scene.names)

    def _from_disk(self, n: int, key: str, priority: Priority) -> Future[Frame]:
        """Read beside the engine thread, which may be busy for a second; made after all when what lies there is damaged."""
        future: Future[Frame] = Future()

        def read() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                frame = self._frames.load(key, self._worker.scene.names, self._common)
                if frame is None:
                    # without waiting for it here: others want to be read
                    self._scheduler.submit(n, "final", priority).add_done_callback(lambda made: _fulfil(future, made.result))
                    return
                future.set_result(self._checked(frame))
            except BaseException as error:  # noqa: BLE001 - the future carries it to whoever asked
                future.set_exception(error)

        try:
            self._frames.beside(read)
        except RuntimeError:
            raise RuntimeError("the frame server is closed") from None
        return future

    def is_made(self, n: int) -> bool:
        """Whether final frame ``n`` lies in a cache, so that no network runs for it."""
        key = self._worker.current().key(n, "final")
        return self._frames.get(key) is not None or self._frames.on_disk(key)

    def frame_key(self, n: int, quality: Quality = "final", edges: AskedEdges | None = None) -> str:
        """A hash of everything that decides what frame ``n`` looks like."""
        scene = self._worker.current()
        controls = self._controls(scene.plan, quality, edges)
        return controlled_key(scene, n, quality, controls, controls.identity(n))

    def replace_plan(self, plan: Plan) -> None:
        """Goes on with a corrected plan. What does not depend on the correction stays in the caches."""
        self._worker.use(self._scene_of(plan))
        self._prefetch.forget()

    def forget_ahead(self) -> None:
        """Frames that were asked for ahead are not made: whoever they were for is gone."""
        self._prefetch.forget()

    def clear_cache(self) -> None:
        """Forgets finished frames and checkpoints in memory; what they were made from, and what lies on disk, is untouched."""
        self._frames.clear()
        self._served.clear()
        self._checkpoints.clear()

    def clear_frames(self) -> int:
        """Forgets finished frames in memory and on disk; they are made again when somebody asks. Returns how many were on disk."""
        self._frames.clear()
        self._served.clear()
        scene = self._worker.scene
        return self._frames.drop(scene.key(n, "final") for n in range(len(self.clip)))

    def stats(self) -> dict[str, Any]:
        """Numbers for people: stages, caches, memory."""
        out: dict[str, Any] = {
            "steps": self.steps,
            "waiting": self._scheduler.waiting(),
            **self._frames.stats(),
            **self._checkpoints.stats(),
            "degradations": self._worker.level.name,
            "disagreement": max(self.disagreement.values(), default=0.0),
            "stages": self.stages.summary(),
        }
        if self.store is not None:
            s = self.store
            out["store"] = {"hits": s.hits, "misses": s.misses, "damaged": s.damaged, "evicted": s.evicted, "problem": s.problem}
        return out

    def close(self) -> None:
        """Ends the threads; requests that are not finished are cancelled. What the network remembers is kept on disk."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._scheduler.close()
        self._worker.close()
        self._frames.close()
        self._served.close()
        self._recipe.close()
        self._pool.shutdown()


def controlled_key(scene: Scene, n: int, quality: Quality, controls: Controls, identity: str) -> str:
    """A hash of everything that decides what frame ``n`` looks like once its controls are done; without any, that of the frame itself.

    identity: of the controls at this frame.
    """
    if not identity:
        return scene.key(n, quality)
    keys = [scene.key(k, quality) for k in (n, *controls.neighbours(n))]
    return hashlib.sha256("|".join([identity, *keys]).encode()).hexdigest()[:40]


def _fulfil(future: Future[Frame], make: Callable[[], Frame]) -> None:
    """Puts what ``make`` returns or raises into a future."""
    try:
        future.set_result(make())
    except BaseException as error:  # noqa: BLE001 - the future carries it to whoever asked
        future.set_exception(error)
