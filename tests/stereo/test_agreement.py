"""Both eyes compared: a made-up person at a known distance, in one eye damaged, hidden, or cut off."""

import cv2
import numpy as np
import pytest

from tests.stereo.scenes import PROJECTION, SIZE, B, consistency, disc
from vr180_ofx.stereo.agreement import Agreement, EyeView, compare_eyes, warp_mask
from vr180_ofx.vr180.epipolar import angles
from vr180_ofx.vr180.layout import LEFT, RIGHT
from vr180_ofx.vr180.projection import Equirectangular


def compared(left, right, threshold=0.8, reference=LEFT, shift=None, projection=PROJECTION):
    return compare_eyes(left, right, projection, consistency(threshold, reference), shift)


def test_eyes_that_agree_tell_the_distance():
    for metres in (1.0, 2.5):
        agreement = compared(disc(-1, metres), disc(1, metres))
        assert agreement.overlap > 0.97 and agreement.weaker is None and not agreement.damage
        assert agreement.shift == pytest.approx(B / metres, rel=0.05)


def test_the_weaker_eye_is_named():
    good, other = disc(-1), disc(1, radius=0.15)
    assert compared(good, other).weaker == RIGHT
    # as sure as each other: the reference is believed
    assert compared(good, other, reference=RIGHT).weaker == LEFT
    assert compared(good, other, threshold=0.1).weaker is None
    # whoever is not sure is not believed, reference or not
    unsure = EyeView(other.mask, other.luma, other.window, 0.2)
    assert compared(good, unsure, reference=RIGHT).weaker == RIGHT
    nobody = EyeView(np.zeros_like(other.mask), other.luma, other.window, 0.9)
    assert compared(nobody, disc(1), shift=B / 2).weaker == LEFT


@pytest.mark.parametrize("what", ["much darker", "much less detail"])
def test_a_damaged_picture_is_named(what):
    left, right = disc(-1), disc(1)
    luma = right.luma * 0.2 if what == "much darker" else cv2.GaussianBlur(right.luma, (0, 0), 4)
    agreement = compared(left, EyeView(right.mask, luma, right.window, 1.0))
    assert agreement.damage == ((RIGHT, what),) and agreement.weaker is None
    # and it is the weaker one, though it is the reference and surer of itself
    low = EyeView(left.mask, left.luma, left.window, 0.5)
    half = EyeView(right.mask * (np.arange(SIZE) < SIZE / 2), luma, right.window, 1.0)
    assert compared(low, half, reference=RIGHT).weaker == RIGHT


def test_whom_only_one_eye_can_see_is_left_alone():
    """Somebody nearer hides the person from the right eye: its empty mask is right."""
    hider = (disc(1, 1.0, radius=0.5).mask, disc(1, 1.0).window)
    right = disc(1)
    empty = EyeView(np.zeros_like(right.mask), right.luma, right.window, 0.1, [hider])
    agreement = compared(disc(-1), empty, shift=B / 2)
    assert agreement.overlap is None and agreement.weaker is None
    # without anybody in front it is wrong
    assert compared(disc(-1), EyeView(empty.mask, right.luma, right.window, 0.1), shift=B / 2).weaker == RIGHT


def test_half_hidden_is_compared_where_both_see():
    hider = (np.where(np.arange(SIZE) < SIZE // 2, 1, 0).astype(np.float32) * np.ones((SIZE, 1), np.float32), disc(1).window)
    right = disc(1)
    half = EyeView(right.mask * (np.arange(SIZE) >= SIZE // 2), right.luma, right.window, 1.0, [hider])
    assert compared(disc(-1), half, shift=B / 2).overlap > 0.95
    assert compared(disc(-1), EyeView(half.mask, right.luma, right.window, 1.0), shift=B / 2).overlap < 0.7


def test_beyond_the_border_of_the_picture_nothing_is_compared():
    """Both eyes' pictures end within the person, each somewhere else of them."""
    narrow, cut = Equirectangular(512, 512, (8, 180)), []
    for one in (disc(-1), disc(1)):
        ticks = np.arange(SIZE) + 0.5
        rays = one.window.directions(np.stack(np.meshgrid(ticks, ticks), axis=-1))
        inside = np.abs(np.degrees(angles(rays)[..., 0])) < 4
        cut.append(EyeView((one.mask * inside).astype(np.float32), one.luma, one.window, 1.0))
    left, right = cut
    assert compared(left, right, shift=B / 2).overlap < 0.92
    assert compared(left, right, projection=narrow, shift=B / 2).overlap > 0.95


@pytest.mark.parametrize("to_right", [True, False])
def test_a_mask_in_the_other_eyes_window(to_right):
    """A near disc to the side: moved by its disparity, and as large."""
    own, other = (disc(eye, 0.7, 0.12, off=0.1) for eye in ((-1, 1) if to_right else (1, -1)))
    warped = warp_mask(own, other.window, B / 0.7, to_right=to_right)
    assert warped.shape == (SIZE, SIZE)
    assert np.minimum(warped, other.mask).sum() / np.maximum(warped, other.mask).sum() > 0.93
    # at another distance it lies elsewhere
    off = warp_mask(own, other.window, B / 2, to_right=to_right)
    assert np.minimum(off, other.mask).sum() / np.maximum(off, other.mask).sum() < 0.8


def test_agreements_say_of_themselves():
    assert Agreement(0.9, 0.03).agrees and not Agreement(None, 0.03).agrees and not Agreement(0.5, 0.03, RIGHT).agrees
    damaged = Agreement(0.5, 0.03, RIGHT, ((RIGHT, "much darker"),))
    assert damaged.damaged(RIGHT) and not damaged.damaged(LEFT) and damaged.describe() == "right eye: much darker"


def test_a_view_is_square_and_says_its_shapes():
    one = disc(1)
    with pytest.raises(ValueError, match=r"mask has the shape \(128, 64\)"):
        EyeView(one.mask[:, :64], one.luma, one.window, 1.0)
    assert repr(one) == "EyeView(mask=(128, 128), luma=(128, 128), score=1, occluders=0)"
