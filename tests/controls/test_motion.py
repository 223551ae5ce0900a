"""Motion of an eye's picture, in the pixels of mattes that are smaller than it, and of pictures that are too large to look at as they are."""

from __future__ import annotations

import numpy as np
import pytest

from vr180_ofx.controls.contract import EyeMattes, Mattes
from vr180_ofx.controls.motion import motion_of_eye
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.resize import resize
from vr180_ofx.matte.patch import Patch
from vr180_ofx.media.contract import SourceFrame
from vr180_ofx.media.picture import RgbEye

SIDE, SPEED = 2400, 24
_SMALL = np.random.default_rng(5).random((SIDE // 12, SIDE // 12)).astype(np.float32)
TEXTURE = resize(_SMALL, (SIDE, SIDE), "cubic")


class Panned:
    """A texture that goes ``SPEED`` pixels to the right, and as many down, from frame to frame."""

    def picture(self, n: int) -> SourceFrame:
        grey = np.clip(np.roll(TEXTURE, (SPEED * n, SPEED * n), (0, 1)) * 255, 0, 255).astype(np.uint8)
        return SourceFrame(n, n / 25, {"left": RgbEye(np.repeat(grey[..., None], 3, axis=2), (0, 0), SIDE, SIDE)})

    def mattes(self, n: int) -> Mattes:
        raise AssertionError("nobody asked for mattes")

    def say(self, kind: str, name: str, fact: str) -> None:
        raise AssertionError("there is nothing to say")


@pytest.mark.parametrize("shrink", [1, 2])
@pytest.mark.parametrize("rect", [Rect(401, 203, 1999, 2103), Rect(1001, 1003, 1333, 1475)])
def test_it_is_known_in_the_mattes_own_pixels_whatever_was_looked_at(rect, shrink):
    rect = Rect(*(v // shrink for v in (rect.x0, rect.y0, rect.x1, rect.y1)))
    ones = np.ones((rect.height, rect.width), np.float32)
    eye = EyeMattes(SIDE // shrink, SIDE // shrink, {1: Patch(rect, ones, ones)})
    motion = motion_of_eye(1, "left", eye, Panned(), (0, 2), with_mattes=False)
    assert motion is not None and motion.rect.intersection(rect) == rect
    for k, sign in ((0, -1), (2, 1)):
        moved, trust = motion.within(k, rect)
        assert moved.shape == (*ones.shape, 2) and trust.shape == ones.shape
        middle = moved[rect.height // 4 : -rect.height // 4, rect.width // 4 : -rect.width // 4]
        assert np.median(np.abs(middle - sign * SPEED / shrink)) < 0.6 / shrink
        assert np.median(trust) > 0.8


def test_where_nobody_is_there_is_none():
    assert motion_of_eye(1, "left", EyeMattes(9, 9, {}), Panned(), (0, 2), with_mattes=False) is None
