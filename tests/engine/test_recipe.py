"""How a clip's frames are made, and what they are known by."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.numbers import number_clip
from vr180_ofx.engine.limits import LEVELS
from vr180_ofx.engine.models import Models
from vr180_ofx.engine.recipe import EverybodyRecipe, PeopleRecipe, load_recipe
from vr180_ofx.engine.scale import Scale
from vr180_ofx.matte.contract import EyeAlpha
from vr180_ofx.matte.plain import NoRefiner
from vr180_ofx.people.plan import Plan
from vr180_ofx.settings import Settings
from vr180_ofx.telemetry import Stages
from vr180_ofx.trackers.contract import Mask, Memory

PLAIN = Settings(hardware={"device": "cpu"}, matting={"tracker": "blazepose", "refiner": "none"})


class Discs:
    """See `trackers.contract.Tracker`: everybody is a disc in the middle of their window."""

    window_size = 64
    exact_after: int | None = 0
    wants_prompts = False
    looks_ahead = 0

    def identity(self):
        return "discs"

    def begin(self):
        return Memory()

    def step(self, memory, windows, batch=0):
        y, x = np.mgrid[: self.window_size, : self.window_size] - self.window_size / 2
        logits = (20 - np.hypot(x, y)).astype(np.float32)
        return memory, {key: Mask(logits.copy(), 1.0) for key in windows}


class Silent:
    """See `matte.contract.MattingNetwork`: it has nothing to say of anybody."""

    exact_after: int | None = None
    looks_ahead = 2
    closed = False

    def identity(self):
        return "silent"

    def begin(self):
        return Memory()

    def step(self, memory, windows, masks, batch=0):
        return memory, {}

    def close(self):
        self.closed = True


class Black:
    """See `matte.contract.FrameNetwork`: there is nobody in any eye."""

    exact_after: int | None = 0
    looks_ahead = 0
    closed = False

    def identity(self):
        return "black"

    def begin(self):
        return Memory()

    def step_frame(self, memory, eyes, ahead=lambda k: None):
        nothing = np.zeros((4, 4), np.float32)
        return memory, {view: EyeAlpha(nothing, nothing, (eye.width / 4, eye.height / 4)) for view, eye in eyes.items()}

    def close(self):
        self.closed = True


@pytest.fixture(scope="module")
def nobody():
    return Plan.of_nobody(number_clip())


def people(*overrides: str, eyes: int = 2, **more) -> PeopleRecipe:
    return PeopleRecipe(Discs(), NoRefiner(), PLAIN.with_overrides(overrides), eyes=eyes, **more)


FINISHING = [
    "processing.scale_factor=0.5",
    "processing.upsampling=cubic",
    "stereo.consistency_mode=joint",
    "stereo.validation_threshold=0.3",
]
OTHERS = ["processing.chunk_size=3", "output.format=alpha", "hardware.threads=3", "detection.every=3"]


@pytest.mark.parametrize("override", [*FINISHING, *OTHERS])
def test_what_a_frame_is_known_by_beside_memory(nobody, override):
    assert (people(override).finish(nobody) != people().finish(nobody)) == (override in FINISHING)


def test_one_eye_owes_nothing_to_another(nobody):
    assert people(eyes=1).finish(nobody) == people("stereo.consistency_mode=joint", eyes=1).finish(nobody)
    assert people("stereo.consistency_mode=independent").finish(nobody) == people("matting.use_disparity_mapping=false").finish(nobody)


def test_a_matting_network_is_stepped_with_the_tracker_and_closed_with_the_recipe():
    network = Silent()
    recipe = people(matting_network=network)
    assert recipe.network.identity() == "discs+silent" and (recipe.network.exact_after, recipe.network.looks_ahead) == (None, 2)
    recipe.close()
    assert network.closed
    assert people().network.identity() == "discs"


def test_memory_that_runs_short_makes_frames_at_less(nobody):
    recipe = people()
    assert [recipe.maker(nobody, level).scale for level in LEVELS] == [Scale(1, 1)] * 3 + [Scale(2, 1), Scale(4, 1)]
    assert [recipe.maker(nobody, level).batch for level in LEVELS] == [0, 0, 1, 1, 1]


def test_everybody_at_once(nobody):
    network = Black()
    recipe = EverybodyRecipe(network, PLAIN)
    memory, finish = recipe.maker(nobody, LEVELS[0]).start(number_clip().frame(3), network.begin(), {"index": 3})
    frame = finish()
    assert frame.index == 3 and frame.metadata == {"index": 3} and [v.layers for v in frame.views.values()] == [(), ()]
    assert recipe.finish(nobody) != EverybodyRecipe(network, PLAIN.with_overrides(FINISHING[:1])).finish(nobody)
    assert recipe.finish(nobody) == EverybodyRecipe(network, PLAIN.with_overrides(FINISHING[2:])).finish(nobody)
    recipe.close()
    assert network.closed


def test_what_the_models_name_is_loaded():
    recipe = load_recipe(Models.of(PLAIN), eyes=2, pool=None, stages=Stages())
    assert recipe.network.identity().startswith("blazepose:") and recipe.refiner == "none"
    own = Discs()
    assert load_recipe(Models.of(PLAIN), eyes=2, pool=None, stages=Stages(), tracker=own).network is own
