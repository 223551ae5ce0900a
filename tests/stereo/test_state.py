"""What is known of one frame, as a value."""

from dataclasses import replace

import numpy as np
import pytest

from tests.stereo.scenes import EYES, SIZE, disc, state_of
from vr180_ofx.imaging.logistic import sigmoid
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.both_eyes import fuse_groups
from vr180_ofx.matte.patch import Patch
from vr180_ofx.matte.plain import NoRefiner
from vr180_ofx.trackers.contract import Mask
from vr180_ofx.vr180.layout import LEFT, RIGHT


@pytest.fixture
def state():
    """Two people whom a network saw together in each eye, and one whom it did not see."""
    views = {(p, view): disc(eye, radius=0.2, off=off) for view, eye in EYES.items() for p, off in ((1, -0.3), (2, 0.3), (3, 0.6))}
    return state_of(views, together=(1, 2))


def mattes(state):
    """By the network, of everybody whom it saw."""
    groups = state.seen_together()
    shares = fuse_groups(groups, NoRefiner(), map, agree=False)
    return {(p, g.view): alpha for g, share in zip(groups, shares, strict=True) for p, alpha in share.items()}


def test_people_are_together_whom_a_network_saw_together_in_that_eye(state):
    assert state.groups == {(p, view): (view, (1, 2)) for view in EYES for p in (1, 2)}
    groups = state.seen_together()
    assert [(g.view, sorted(g.masks)) for g in groups] == [(LEFT, [1, 2]), (RIGHT, [1, 2])]
    # nobody goes by a network's alpha yet
    assert state.together((1, LEFT)) == []
    state = state.with_alphas(mattes(state))
    assert state.together((2, RIGHT)) == [(1, RIGHT), (2, RIGHT)] and state.together((3, LEFT)) == []


def test_a_state_is_never_changed(state):
    before = dict(state.masks)
    later = state.with_alphas(mattes(state))
    assert state.masks == before and not state.alphas and later.tracked is state.tracked
    # what will be seen of them is the network's: no longer the tracker's own logits
    assert not np.array_equal(later.masks[1, LEFT].logits, before[1, LEFT].logits)
    assert np.abs(sigmoid(later.masks[1, LEFT].logits) - sigmoid(before[1, LEFT].logits)).mean() < 0.02
    assert later.masks[3, LEFT] is before[3, LEFT]


def test_who_gets_another_mask_goes_by_that(state):
    state = state.with_alphas(mattes(state))
    other = Mask(np.full((SIZE, SIZE), -3, np.float32), 0.4)
    later = state.with_masks({(1, RIGHT): other}, "transfer")
    assert later.masks[1, RIGHT] is other and later.replaced == {(1, RIGHT): "transfer"}
    assert set(later.alphas) == {(1, LEFT), (2, LEFT), (2, RIGHT)} and later.together((2, RIGHT)) == [(2, RIGHT)]
    # what the tracker says is still known, and decides where people overlap
    patch = Patch(Rect(0, 0, 4, 4), np.ones((4, 4), np.float32), np.ones((4, 4), np.float32))
    claims = later.claims(RIGHT, {(1, RIGHT): patch, (2, RIGHT): patch, (3, RIGHT): None, (1, LEFT): patch})
    assert sorted(claims) == [1, 2] and claims[1].shared is None and claims[2].shared == (RIGHT, (1, 2))
    assert claims[1].mask.logits is state.tracked[1, RIGHT].logits


def test_contradictions_are_refused(state):
    with pytest.raises(ValueError, match="everybody needs both"):
        replace(state, masks={})
    with pytest.raises(ValueError, match="a network saw"):
        replace(state, alphas={(3, LEFT): None})
    with pytest.raises(ValueError, match="at once"):
        replace(state.with_alphas(mattes(state)), replaced={(1, LEFT): "transfer"})
    assert "3 right (128, 128)" in repr(state)
