"""Frames of everybody at once."""

from __future__ import annotations

import numpy as np
import pytest

from vr180_ofx.engine.everybody import NAME, EverybodyPipeline
from vr180_ofx.engine.scale import FULL, Scale
from vr180_ofx.matte.contract import EyeAlpha
from vr180_ofx.media.contract import SourceFrame
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.telemetry import Stages
from vr180_ofx.trackers.contract import Memory

SMALL, FACTOR = 32, 4
SIZE = SMALL * FACTOR


def disc(size: int) -> np.ndarray:
    """A soft disc a quarter of the picture in radius, right of the middle."""
    y, x = (np.mgrid[:size, :size] + 0.5) / size
    alpha: np.ndarray = np.clip((0.25 - np.hypot(x - 0.6, y - 0.5)) * 16 + 0.5, 0, 1).astype(np.float32)
    return alpha


class Disc:
    """See `matte.contract.FrameNetwork`: it says what the disc looks like at a quarter of the size, in the left eye alone."""

    exact_after: int | None = None
    looks_ahead = 1
    asked: list[bool]

    def __init__(self, faint: float = 0.0) -> None:
        self._faint = faint
        self.asked = []

    def identity(self):
        return "disc"

    def begin(self):
        return Memory({"steps": np.zeros(1)})

    def step_frame(self, memory, eyes, ahead=lambda k: None):
        self.asked.append(ahead(1) is not None)
        nothing = np.full((SMALL, SMALL), self._faint, np.float32)
        alphas = {"left": np.maximum(disc(SMALL), self._faint), "right": nothing}
        luma = 0.2 + 0.6 * disc(SMALL)
        said = {view: EyeAlpha(alphas[view], luma, (eye.width / SMALL, eye.height / SMALL)) for view, eye in eyes.items()}
        return Memory({"steps": memory.arrays["steps"] + 1}), said

    def close(self): ...


def frame(n: int = 0) -> SourceFrame:
    picture = np.repeat(0.2 + 0.6 * disc(SIZE)[..., None], 3, axis=2)
    return SourceFrame(n, 0.0, {view: RgbEye(picture, (0, 0), SIZE, SIZE) for view in ("left", "right")})


def made(scale: Scale = FULL, network: Disc | None = None, **more):
    network = network or Disc()
    memory, finish = EverybodyPipeline(network, scale, Stages()).start(frame(), network.begin(), {"index": 0}, **more)
    assert memory.arrays["steps"][0] == 1
    return finish()


def test_one_layer_of_everybody_at_the_size_of_the_eye():
    views = made().views
    assert [x.name for x in views["left"].layers] == [NAME] and views["right"].layers == ()
    assert (views["left"].width, views["left"].height) == (SIZE, SIZE)
    assert np.abs(views["left"].alpha - disc(SIZE)).mean() < 0.01
    # stored where somebody is, and a little around
    rect = views["left"].layers[0].rect
    assert rect.width < 0.75 * SIZE and rect.x0 > 0.2 * SIZE


def test_sure_where_it_is_all_or_nothing():
    layer = made().views["left"].layers[0]
    assert np.abs(layer.confidence - np.abs(2 * layer.alpha.astype(np.float32) - 1)).max() < 2e-3


def test_what_is_faint_is_nobody():
    views = made(network=Disc(faint=3 / 255)).views
    assert views["right"].layers == () and views["left"].alpha[:8].max() == 0


@pytest.mark.parametrize("factor", [2, 4])
def test_at_less_than_the_size_of_the_eye(factor):
    view = made(Scale(factor, factor)).views["left"]
    assert (view.width, view.height) == (SIZE // factor, SIZE // factor)
    assert np.abs(view.alpha - disc(SIZE // factor)).mean() < 0.02


def test_it_looks_ahead_when_there_is_something_to_be_seen():
    network = Disc()
    for ahead in (lambda k: frame(k), lambda k: None):
        made(network=network, ahead=ahead)
    assert network.asked == [True, False]


def test_finishing_is_no_step():
    assert EverybodyPipeline(Disc(), FULL, Stages()).steps_to_finish is False
