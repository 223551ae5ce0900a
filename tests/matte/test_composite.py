"""People who overlap share what there is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.composite import Claim, compose, fit_union
from vr180_ofx.matte.fusion import InstanceMask
from vr180_ofx.matte.parameters import CompositeParameters
from vr180_ofx.matte.patch import Patch
from vr180_ofx.vr180.projection import Equirectangular
from vr180_ofx.vr180.window import Window

PROJECTION = Equirectangular(256, 256)
#: Sees 60 degrees, which are the pixels from 85 to 171 of the eye.
WINDOW = Window((0, 0, 1), 60, 0, 128)


def patch(rect, alpha):
    return Patch(rect, np.full((rect.height, rect.width), alpha, np.float32), np.ones((rect.height, rect.width), np.float32))


def mask(logits):
    """The same everywhere in the window, or (128, 128)."""
    return InstanceMask(np.broadcast_to(np.float32(logits), (128, 128)).copy(), WINDOW)


def alphas(claims, **more):
    return {p: made.alpha for p, made in compose(claims, PROJECTION, **more).items()}


def test_who_has_a_place_to_themselves_keeps_it():
    one, two = patch(Rect(90, 90, 120, 120), 0.6), patch(Rect(120, 90, 150, 120), 0.9)
    made = compose({2: Claim(two, mask(3)), 1: Claim(one, mask(3))}, PROJECTION)
    assert list(made) == [1, 2] and made[1] is one and (one.alpha == np.float32(0.6)).all() and (two.alpha == np.float32(0.9)).all()


def test_where_two_overlap_masks_decide_and_layers_add_up_to_the_union():
    left = np.where(np.arange(128) < 64, 4, -4) * np.ones((128, 1))
    claims = {1: Claim(patch(Rect(100, 100, 150, 150), 0.9), mask(left)), 2: Claim(patch(Rect(110, 100, 160, 150), 0.8), mask(-left))}
    made = alphas(claims)
    common = made[1][:, 10:], made[2][:, :40]
    assert np.allclose(common[0] + common[1], 0.9, atol=1e-6)
    # the window's middle is the eye's column 128: on its left the first one's, on its right the second one's
    assert common[0][:, :14].min() > 0.89 and common[1][:, 22:].min() > 0.89 and common[0][:, 22:].max() < 0.01
    assert (made[1][:, :10] == np.float32(0.9)).all() and (made[2][:, 40:] == np.float32(0.8)).all()


def test_masks_that_are_as_sure_share_by_alpha():
    claims = {1: Claim(patch(Rect(100, 100, 120, 120), 0.9), mask(2)), 2: Claim(patch(Rect(100, 100, 120, 120), 0.3), mask(2))}
    made = alphas(claims)
    assert np.allclose(made[1], 0.9 * 0.75, atol=1e-5) and np.allclose(made[2], 0.9 * 0.25, atol=1e-5)


def test_beyond_its_window_a_mask_has_nobody():
    """Somebody whose window ends before the place loses it to whoever sees it."""
    place = Rect(175, 100, 190, 120)
    wide = InstanceMask(np.zeros((128, 128), np.float32), Window((0, 0, 1), 120, 0, 128))
    made = alphas({1: Claim(patch(place, 1.0), wide), 2: Claim(patch(place, 1.0), mask(5))})
    assert made[1].min() > 0.999 and made[2].max() < 0.001
    # as much as the parameter says
    even = alphas(
        {1: Claim(patch(place, 1.0), wide), 2: Claim(patch(place, 1.0), mask(5))}, parameters=CompositeParameters(outside_logit=0.0)
    )
    assert np.allclose(even[1], 0.5)


def test_little_that_adds_up_to_little_is_left_alone():
    place = Rect(100, 100, 120, 120)
    made = alphas({1: Claim(patch(place, 0.4), mask(5)), 2: Claim(patch(place, 0.5), mask(-5))})
    assert (made[1] == np.float32(0.4)).all() and (made[2] == np.float32(0.5)).all()


def test_people_whom_a_network_told_apart_are_only_brought_down_to_one():
    place = Rect(100, 100, 120, 120)
    one, two = patch(place, 0.75), patch(place, 0.5)
    one.alpha[:, :10] = 0.25
    together = ("left", (1, 2))
    made = alphas({1: Claim(one, mask(9), together), 2: Claim(two, mask(-9), together)})
    assert np.allclose(made[1][:, :10], 0.25) and np.allclose(made[2][:, :10], 0.5)
    assert np.allclose(made[1][:, 10:], 0.6) and np.allclose(made[2][:, 10:], 0.4)
    # by another network, or each alone, masks decide
    for mark in (("left", (2, 3)), None):
        apart = alphas({1: Claim(patch(place, 0.75), mask(9), together), 2: Claim(patch(place, 0.5), mask(-9), mark)})
        assert np.allclose(apart[1], 0.75, atol=1e-4) and apart[2].max() < 1e-4


@given(
    arrays(np.float32, (3, 12, 12), elements=st.floats(0, 1, width=32)), arrays(np.float32, 3, elements=st.floats(-6, 6, width=32)),
    st.booleans(),
)  # fmt: skip
def test_two_never_have_more_than_there_is(values, logits, together):
    rects = Rect(100, 100, 112, 112), Rect(104, 98, 116, 110)
    claims = {
        k: Claim(Patch(r, values[k].copy(), np.ones((12, 12), np.float32)), mask(logits[k]), "all" if together else None)
        for k, r in enumerate(rects)
    }
    total = np.zeros((256, 256), np.float32)
    for k, made in compose(claims, PROJECTION).items():
        assert (made.alpha <= values[k] + 1e-6).all() or not together
        total[made.rect.slices] += made.alpha
    assert total.max() <= 1 + CompositeParameters().least_alpha


def test_more_than_one_is_brought_down_to_one():
    patches = [
        patch(Rect(0, 0, 10, 10), 0.8),
        patch(Rect(5, 0, 15, 10), 0.7),
        patch(Rect(8, 0, 20, 10), 0.5),
        patch(Rect(30, 0, 40, 10), 0.9),
    ]
    fit_union(patches)
    total = np.zeros((10, 40), np.float32)
    for p in patches:
        total[p.rect.slices] += p.alpha
    assert total[0, [2, 6, 9, 12, 17, 35]] == pytest.approx([0.8, 1, 1, 1, 0.5, 0.9])
    assert patches[0].alpha[0, [6, 9]] == pytest.approx([0.8 / 1.5, 0.8 / 2.0])
