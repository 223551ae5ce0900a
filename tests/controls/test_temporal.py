"""Mattes averaged along the motion of a picture that is known, and edges that it blurs."""

from __future__ import annotations

import numpy as np
import pytest

from vr180_ofx.controls.blur import blurred_by_motion
from vr180_ofx.controls.contract import EyeMattes, Mattes
from vr180_ofx.controls.edges import EdgeControls
from vr180_ofx.controls.motion import motion_of_eye
from vr180_ofx.controls.temporal import TemporalSmoothing
from vr180_ofx.errors import FrameError
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.patch import Patch
from vr180_ofx.media.contract import SourceFrame
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.settings.edges import EdgesSettings
from vr180_ofx.vr180.projection import Equirectangular

SIDE = 200
EYE = Equirectangular(SIDE, SIDE)
_NOISE = np.random.default_rng(7)
#: A texture with detail at several sizes, for flow to hold on to.
TEXTURE = np.sum([np.kron(_NOISE.random((400 // k, 400 // k)), np.ones((k, k))) * k for k in (2, 8, 20)], axis=0) / 30


class Moving:
    """A textured square, 80 pixels on a side, that goes ``speed`` pixels to the right from frame to frame; 10 frames.

    mattes: the truth, softened by two pixels, with noise of its own in each frame. broken: frames that cannot be decoded.
    """

    def __init__(self, speed: int, noise: float = 0.0, broken: tuple[int, ...] = ()) -> None:
        self.speed = speed
        self.noise = noise
        self.broken = broken
        self.asked: list[int] = []

    def truth(self, n: int) -> np.ndarray:
        x = np.arange(SIDE) + 0.5 - (40 + self.speed * n)
        y = np.arange(SIDE) + 0.5 - 60
        across, down = (np.clip(np.minimum(v, 80 - v) / 4 + 0.5, 0, 1) for v in (x, y))
        made: np.ndarray = (down[:, None] * across[None]).astype(np.float32)
        return made

    def picture(self, n: int) -> SourceFrame:
        self.asked.append(n)
        if n in self.broken:
            raise FrameError("clip.mp4", n, "broken")
        alpha = self.truth(n)
        front = np.roll(TEXTURE, self.speed * n, axis=1)[:SIDE, :SIDE] * 0.5 + 0.5
        behind = TEXTURE[200:, 200:][:SIDE, :SIDE] * 0.5
        grey = (alpha * front + (1 - alpha) * behind) * 255
        rgb = np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)
        return SourceFrame(n, n / 25, {"left": RgbEye(rgb, (0, 0), SIDE, SIDE)})

    def mattes(self, n: int) -> Mattes:
        if n in self.broken:
            raise FrameError("clip.mp4", n, "broken")
        alpha = self.truth(n)
        edge = (alpha > 0.02) & (alpha < 0.98)
        noise = np.random.default_rng(n).normal(0, self.noise, alpha.shape) if self.noise else 0
        alpha = np.clip(alpha + edge * noise, 0, 1).astype(np.float32)
        return {"left": EyeMattes(SIDE, SIDE, {1: Patch(Rect(0, 0, SIDE, SIDE), alpha, np.full_like(alpha, 0.8))})}

    def say(self, kind: str, name: str, fact: str) -> None:
        raise AssertionError("there is nothing to say")


def smoothing(strength: float, **more) -> TemporalSmoothing:
    return TemporalSmoothing(lambda n, p: EdgesSettings(temporal=strength), (), ((0, 9),), alone=False, **more)


def smooth(clip: Moving, strength: float, n: int = 2) -> np.ndarray:
    alpha: np.ndarray = smoothing(strength).apply(n, clip.mattes(n), clip)["left"].people[1].alpha
    return alpha


def error(clip: Moving, alpha: np.ndarray, n: int = 2) -> float:
    truth = clip.truth(n)
    edge = (truth > 0.02) & (truth < 0.98)
    return float(np.sqrt(np.square(alpha - truth)[edge].mean()))


@pytest.mark.parametrize("speed", [0, 5])
def test_noise_of_single_frames_falls_also_where_the_picture_moves(speed):
    clip = Moving(speed, noise=0.12)
    before = error(clip, clip.mattes(2)["left"].people[1].alpha)
    half, full = error(clip, smooth(clip, 0.5)), error(clip, smooth(clip, 1))
    # three opinions of equal weight have the noise of one over the root of three: 0.58
    assert full < 0.78 * before and full < half < before


def test_edges_do_not_lag_behind_what_moves():
    clip = Moving(5)
    assert error(clip, smooth(clip, 1)) < 0.03
    covered = smooth(clip, 1).sum(dtype=float)
    assert covered == pytest.approx(clip.truth(2).sum(dtype=float), rel=0.005)


def test_where_a_frame_is_certain_nothing_changes_and_trust_never_rises():
    clip = Moving(5, noise=0.1)
    made = smoothing(1).apply(2, clip.mattes(2), clip)["left"].people[1]
    given_matte = clip.mattes(2)["left"].people[1]
    inside = slice(90, 110), slice(75, 105)
    assert np.array_equal(made.alpha[inside], given_matte.alpha[inside])
    assert (made.confidence <= given_matte.confidence).all()


def test_a_neighbour_that_cannot_be_decoded_is_left_out():
    clip = Moving(0, noise=0.12, broken=(3,))
    assert smoothing(1).neighbours(2) == (1, 3)
    assert error(clip, smooth(clip, 1)) < error(clip, clip.mattes(2)["left"].people[1].alpha)
    with pytest.raises(FrameError):
        smooth(Moving(0, broken=(2,)), 1)


def test_nothing_is_done_without_strength_without_others_or_by_drafts():
    assert smoothing(0).identity(2) == "" and smoothing(1).identity(2) != ""
    alone = TemporalSmoothing(lambda n, p: EdgesSettings(temporal=1), (), ((0, 9),), alone=True)
    single = TemporalSmoothing(lambda n, p: EdgesSettings(temporal=1), (), ((2, 2),), alone=False)
    assert alone.identity(2) == single.identity(2) == "" and alone.neighbours(2) == single.neighbours(2) == ()


def kept(speed: int) -> np.ndarray:
    """How far an edge is taken for the shutter's, on the edges of a square that moves."""
    clip = Moving(speed)
    eye = clip.mattes(4)["left"]
    motion = motion_of_eye(4, "left", eye, clip, (3, 5), with_mattes=False)
    assert motion is not None
    share = blurred_by_motion(eye.people[1], Rect(0, 0, SIDE, SIDE), motion, 1.0)
    truth = clip.truth(4)
    chosen: np.ndarray = share[(truth > 0.2) & (truth < 0.8)]
    return chosen


def test_edges_are_the_shutters_as_far_as_the_motion_is_wider_than_a_still_edge():
    assert kept(0).max() < 0.02
    # 8 pixels a frame are blurred over 4, and a still edge over 2: 16 / 20
    assert np.median(kept(8)) == pytest.approx(0.8, abs=0.12)


def test_levels_act_less_where_the_shutter_blurs():
    def hardened(speed: int, keep: bool) -> float:
        clip = Moving(speed)
        values = EdgesSettings(black_clip=0.3, white_clip=0.7, keep_motion_blur=keep)
        controls = EdgeControls(lambda n, p: values, (), EYE, ((0, 9),))
        made = controls.apply(4, clip.mattes(4), clip)["left"].people[1]
        alpha = np.zeros((SIDE, SIDE), np.float32)
        alpha[made.rect.slices] = made.alpha
        return float(np.abs(alpha - clip.truth(4)).sum())

    assert hardened(0, True) > 0.95 * hardened(0, False)
    assert hardened(8, True) < 0.4 * hardened(8, False)
