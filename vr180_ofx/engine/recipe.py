"""How a clip's frames are made: with which networks, and by which pipeline. Of people one by one, or of everybody on whole eyes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import Protocol

from vr180_ofx.engine.everybody import EVERYBODY, EverybodyPipeline
from vr180_ofx.engine.limits import Level, decoder_bytes, hold_pytorch
from vr180_ofx.engine.maker import FrameMaker, Remembering
from vr180_ofx.engine.models import Models
from vr180_ofx.engine.painted import PaintedPrompts
from vr180_ofx.engine.pipeline import Pipeline
from vr180_ofx.engine.scale import Scale
from vr180_ofx.matte.contract import FrameNetwork, MattingNetwork, Refiner
from vr180_ofx.matte.matting_tracker import MattingTracker
from vr180_ofx.matte.parameters import MATTE
from vr180_ofx.parameters import identity_of
from vr180_ofx.people.plan import Plan
from vr180_ofx.settings import Settings
from vr180_ofx.stereo.consistency import Consistency
from vr180_ofx.telemetry import Stages
from vr180_ofx.trackers.contract import Tracker


class Recipe(Protocol):
    """network: what is stepped. refiner: its identity."""

    @property
    def network(self) -> Remembering: ...

    @property
    def refiner(self) -> str: ...

    def finish(self, plan: Plan) -> str:
        """What decides a frame beside the network's memory of it; equal texts mean equal frames."""
        ...

    def paint(self, plan: Plan) -> PaintedPrompts | None:
        """The plan's painted mattes, as far as the network is shown them; None where it is shown none."""
        ...

    def facts(self, plan: Plan, paint: PaintedPrompts | None = None) -> Callable[[int], bytes]:
        """What the plan says of a frame, as far as the network is shown it."""
        ...

    def maker(self, plan: Plan, level: Level, paint: PaintedPrompts | None = None) -> FrameMaker:
        """level: what is given up for want of memory. paint: see `paint`."""
        ...

    def close(self) -> None:
        """Ends the threads of the networks that were loaded for it."""
        ...


class PeopleRecipe:
    """People one by one, in windows that follow them.

    tracker: belongs to whoever made it. matting_network: closed with the recipe. eyes: how many a frame has. pool: where windows may be
    worked on at once.
    """

    def __init__(
        self, tracker: Tracker, refiner: Refiner, settings: Settings, *, eyes: int, matting_network: MattingNetwork | None = None,
        pool: Executor | None = None, stages: Stages | None = None,
    ) -> None:  # fmt: skip
        self._stages = stages or Stages()
        self._matting_network = matting_network
        self._tracker = tracker if matting_network is None else MattingTracker(tracker, matting_network, self._stages)
        self._refiner = refiner
        self._settings = settings
        self._eyes = eyes
        self._pool = pool

    @property
    def network(self) -> Tracker:
        return self._tracker

    @property
    def refiner(self) -> str:
        return self._refiner.identity()

    def finish(self, plan: Plan) -> str:
        consistency = self._consistency(plan)
        return f"{self.refiner}|{_made(self._settings)}|{'' if consistency is None else consistency.identity()}"

    def paint(self, plan: Plan) -> PaintedPrompts | None:
        return PaintedPrompts(plan.painted) if self._tracker.wants_prompts and plan.painted else None

    def facts(self, plan: Plan, paint: PaintedPrompts | None = None) -> Callable[[int], bytes]:
        if not self._tracker.wants_prompts:
            return plan.facts
        return partial(plan.prompt_facts, painted=None if paint is None else paint.digest)

    def maker(self, plan: Plan, level: Level, paint: PaintedPrompts | None = None) -> Pipeline:
        return Pipeline(
            plan, self._tracker, self._refiner, scale=Scale.of(self._settings.processing, level.shrink),
            executor=None if level.batch == 1 else self._pool, stages=self._stages, batch=level.batch,
            consistency=self._consistency(plan), paint=paint,
        )  # fmt: skip

    def _consistency(self, plan: Plan) -> Consistency | None:
        """What the eyes owe each other."""
        s = self._settings.stereo
        if s.consistency_mode == "independent" or not self._settings.matting.use_disparity_mapping or self._eyes < 2:
            return None
        return Consistency(s.consistency_mode, s.validation_threshold, s.correction_method, s.reference, plan.alignment)

    def close(self) -> None:
        if self._matting_network is not None:
            self._matting_network.close()


class EverybodyRecipe:
    """Everybody at once, by a network that sees whole eyes. It is closed with the recipe."""

    refiner = "none"

    def __init__(self, network: FrameNetwork, settings: Settings, *, stages: Stages | None = None) -> None:
        self._network = network
        self._settings = settings
        self._stages = stages or Stages()

    @property
    def network(self) -> FrameNetwork:
        return self._network

    def finish(self, plan: Plan) -> str:
        return f"{_made(self._settings)}|{identity_of(EVERYBODY)}"

    def paint(self, plan: Plan) -> None:
        return None

    def facts(self, plan: Plan, paint: PaintedPrompts | None = None) -> Callable[[int], bytes]:
        return plan.facts

    def maker(self, plan: Plan, level: Level, paint: PaintedPrompts | None = None) -> EverybodyPipeline:
        return EverybodyPipeline(self._network, Scale.of(self._settings.processing), self._stages)

    def close(self) -> None:
        self._network.close()


def load_recipe(
    models: Models, *, eyes: int, pool: Executor | None, stages: Stages, tracker: Tracker | None = None, pixels: int = 0
) -> Recipe:  # fmt: skip
    """Loads what the models name. tracker: instead of theirs; it stays its maker's to close. pixels: of a frame, for whose decoding room is
    left on a card.

    Raises WeightsError and SettingsError when a network cannot be had here.
    """
    if models.pictures is not None:
        hardware = models.settings.hardware
        hold_pytorch(hardware, models.pictures, decoder_bytes(pixels, hardware, models.pictures))
    if tracker is None and not models.follows_people:
        return EverybodyRecipe(models.load_frame_network(eyes), models.settings, stages=stages)
    tracker, refiner, matting_network = tracker or models.load_tracker(pool), models.load_refiner(), models.load_matting_network()
    return PeopleRecipe(tracker, refiner, models.settings, eyes=eyes, matting_network=matting_network, pool=pool, stages=stages)


def _made(settings: Settings) -> str:
    """At which resolution mattes are made, and with which numbers they are brought to that of the picture."""
    return f"{settings.processing.scale_factor:g}|{settings.processing.upsampling}|{MATTE.identity()}"
