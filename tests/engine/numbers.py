"""A clip of numbers, a network that remembers them, and what makes frames of them: small implementations of the engine's contracts.

What the network remembers is a running sum in which every frame before counts, in its order: whoever loses one, or steps one twice,
gets other bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from vr180_ofx.engine.checkpoints import Checkpoints
from vr180_ofx.engine.chunks import ChunkPlan
from vr180_ofx.engine.decoding import Decoder
from vr180_ofx.engine.frame import Frame, Layer, ViewMatte
from vr180_ofx.engine.frames import FrameCache
from vr180_ofx.engine.keys import Chain
from vr180_ofx.engine.limits import Ladder, Level
from vr180_ofx.engine.maker import Ahead, nothing_ahead
from vr180_ofx.engine.painted import PaintedPrompts
from vr180_ofx.engine.scene import Scene
from vr180_ofx.engine.scheduler import Priority, Scheduler
from vr180_ofx.engine.store import DiskStore
from vr180_ofx.engine.worker import Worker
from vr180_ofx.errors import FrameError
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.contract import Clip, Geometry, SourceFrame
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.people.plan import Plan
from vr180_ofx.settings import Settings
from vr180_ofx.telemetry import Stages
from vr180_ofx.trackers.contract import Memory
from vr180_ofx.vr180.layout import Layout

FRAMES = 12
SIZE = 8


class NumberSource:
    """See `media.contract.Source`: both eyes show the frame's number. broken: frames that cannot be decoded."""

    path = Path("numbers.mp4")
    name = "numbers"
    fps = Fraction(24)
    first_number = 1
    timecode = None

    def __init__(self, frames: int = FRAMES, broken: frozenset[int] = frozenset()) -> None:
        self._frames = frames
        self._broken = broken

    def __len__(self) -> int:
        return self._frames

    def read(self, n: int) -> SourceFrame:
        if n in self._broken:
            raise FrameError(self.path, n, "it is damaged")
        pixels = np.full((SIZE, 2 * SIZE, 3), n / 100, np.float32)
        return SourceFrame(n, self.time_s(n), {v: RgbEye(pixels, (k * SIZE, 0), SIZE, SIZE) for k, v in enumerate(("left", "right"))})

    def check(self, n: int) -> None: ...

    def changed(self) -> bool:
        return False

    def time_s(self, n: int) -> float:
        return n / 24

    def lost(self) -> int:
        return 0

    def notes(self) -> tuple[str, ...]:
        return ()

    def fingerprint(self) -> str:
        return f"numbers:{self._frames}:{sorted(self._broken)}"

    def files(self) -> list[Path]:
        return []

    def describe(self) -> dict[str, Any]:
        return {}

    def reopen(self, threads: int, *, fast: bool = False, gpu: bool = False, device: str | None = None) -> NumberSource:
        return NumberSource(self._frames, self._broken)

    def close(self) -> None: ...


def number_clip(frames: int = FRAMES, broken: frozenset[int] = frozenset()) -> Clip:
    geometry = Geometry(Layout("sbs", 2 * SIZE, SIZE), "flat", 60.0, ())
    return Clip(NumberSource(frames, broken), geometry, Settings())


class SumNetwork:
    """See `engine.maker.Remembering`. exact_after: after so many steps it forgets, when it does."""

    looks_ahead = 0

    def __init__(self, exact_after: int | None = None) -> None:
        self.exact_after = exact_after

    def identity(self) -> str:
        return f"sum:{self.exact_after}"

    def begin(self) -> Memory:
        return Memory({"numbers": np.zeros(0)})

    def step(self, memory: Memory, n: int) -> Memory:
        numbers = np.append(memory.arrays["numbers"], float(n))
        return Memory({"numbers": numbers if self.exact_after is None else numbers[-self.exact_after - 1 :]})


class NumberMaker:
    """See `engine.maker.FrameMaker`: a frame's alphas are made of all numbers that are remembered.

    stepping, finishing: called before that is done, with the frame's number.
    """

    steps_to_finish = False

    def __init__(self, network: SumNetwork, stepping: Callable[[int], None], finishing: Callable[[int], None], *, half: bool) -> None:
        self._network = network
        self._stepping = stepping
        self._finishing = finishing
        self._half = half

    def start(
        self, frame: SourceFrame, memory: Memory, metadata: dict[str, Any], ahead: Ahead = nothing_ahead
    ) -> tuple[Memory, Callable[[], Frame]]:  # fmt: skip
        self._stepping(frame.index)
        memory = self._network.step(memory, frame.index)
        return memory, lambda: self._finish(frame, memory, metadata)

    def _finish(self, frame: SourceFrame, memory: Memory, metadata: dict[str, Any]) -> Frame:
        self._finishing(frame.index)
        numbers = np.asarray(memory.arrays["numbers"], np.float64)
        weights = 0.5 ** np.arange(len(numbers))[::-1]
        alpha = np.full((SIZE, SIZE), (numbers * weights).sum() / (2 * FRAMES) * (0.5 if self._half else 1), np.float16)
        layers = (Layer(1, "somebody", Rect(0, 0, SIZE, SIZE), alpha, np.ones((SIZE, SIZE), np.float16)),)
        return Frame(frame.index, {view: ViewMatte(SIZE, SIZE, layers) for view in frame.eyes}, metadata)


class NumberRecipe:
    """See `engine.recipe.Recipe`. stepping, finishing: see `NumberMaker`; they may be set at any time."""

    refiner = "none"

    def __init__(self, exact_after: int | None = None) -> None:
        self.network = SumNetwork(exact_after)
        self.stepping: Callable[[int], None] = lambda n: None
        self.finishing: Callable[[int], None] = lambda n: None

    def finish(self, plan: Plan) -> str:
        return self.refiner

    def paint(self, plan: Plan) -> None:
        return None

    def facts(self, plan: Plan, paint: PaintedPrompts | None = None) -> Callable[[int], bytes]:
        return plan.facts

    def maker(self, plan: Plan, level: Level, paint: PaintedPrompts | None = None) -> NumberMaker:
        return NumberMaker(self.network, lambda n: self.stepping(n), lambda n: self.finishing(n), half=level.shrink > 1)

    def close(self) -> None: ...


class Bench:
    """A worker with all that it needs. ``ask`` requests a frame."""

    def __init__(self, clip: Clip, recipe: NumberRecipe, store: DiskStore | None, ladder: Ladder, chunk: int, overlap: int) -> None:
        self.recipe = recipe
        self.scheduler = Scheduler()
        stages = Stages()
        self.frames = FrameCache(1 << 20, store, stages)
        self.checkpoints = Checkpoints(1 << 20, store, recipe.network.exact_after, stages)
        self.chunks = ChunkPlan([(0, len(clip) - 1)], chunk, overlap)
        self.plan = Plan.of_nobody(clip)
        self.worker = Worker(
            clip, self.scene(), recipe, scheduler=self.scheduler, frames=self.frames, checkpoints=self.checkpoints,
            decoder=Decoder(clip, stages, 30.0), ladder=ladder, common={"clip": clip.fingerprint},
        )  # fmt: skip

    def scene(self, facts: Callable[[int], bytes] = lambda n: b"") -> Scene:
        """facts: what the plan says of a frame."""
        network = self.recipe.network
        return Scene(self.plan, self.chunks, Chain(facts, network.identity()), {1: "somebody"}, "", network.exact_after)

    def ask(self, n: int, priority: Priority = Priority.INTERACTIVE) -> Any:
        return self.scheduler.submit(n, "final", priority)


@contextmanager
def working(
    recipe: NumberRecipe | None = None, *, clip: Clip | None = None, store: DiskStore | None = None, ladder: Ladder | None = None,
    chunk: int = 6, overlap: int = 2,
) -> Iterator[Bench]:  # fmt: skip
    """A worker at work."""
    bench = Bench(clip or number_clip(), recipe or NumberRecipe(), store, ladder or Ladder(1e15), chunk, overlap)
    bench.worker.begin()
    try:
        yield bench
    finally:
        bench.scheduler.close()
        bench.worker.close()
        bench.frames.close()


def numbers_of(frame: Frame) -> float:
    """What the frame is made of, as one number."""
    return float(frame.views["left"].layers[0].alpha[0, 0])
