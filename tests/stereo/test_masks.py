"""Both eyes' masks made to agree: states of made-up people, whose masks are known to be right or wrong."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.stereo.scenes import EYES, SIZE, B, consistency, disc, state_of
from vr180_ofx.imaging.logistic import logit, sigmoid
from vr180_ofx.matte.both_eyes import fuse_groups
from vr180_ofx.matte.plain import NoRefiner
from vr180_ofx.quality import metrics
from vr180_ofx.stereo.masks import agree, compare, prompted_window, reprocess, resplit, transfer
from vr180_ofx.stereo.parameters import CorrectionParameters, StereoParameters
from vr180_ofx.trackers.contract import Mask
from vr180_ofx.vr180.layout import LEFT, RIGHT

CONSISTENCY = consistency()


def never(windows):
    raise AssertionError("nobody is looked at again")


def one_person(radius_right=0.1):
    """Somebody of whom the right eye has a third of the size."""
    return state_of({(1, LEFT): disc(-1), (1, RIGHT): disc(1, radius=radius_right)}, {1: B / 2})


def iou(state, key, truth):
    return metrics.iou(sigmoid(state.masks[key].logits), truth)


def test_the_weaker_eyes_mask_is_the_better_ones():
    state = compare(one_person(), CONSISTENCY)
    assert state.agreements[1].weaker == RIGHT
    made = transfer(state, CONSISTENCY)
    assert made.replaced == {(1, RIGHT): "transfer"} and iou(made, (1, RIGHT), disc(1).mask) > 0.95
    assert made.masks[1, LEFT] is state.masks[1, LEFT] and iou(state, (1, RIGHT), disc(1).mask) < 0.2
    # eyes that agree keep what they have; and so does everybody in an ensemble, where mattes are mixed
    fine = agree(one_person(0.35), CONSISTENCY, never, boxes=True)
    assert not fine.replaced and fine.agreements[1].agrees
    assert not agree(one_person(), consistency(method="ensemble"), never, boxes=True).replaced


def test_people_in_one_eye_alone_are_compared_with_nobody():
    state = agree(state_of({(1, LEFT): disc(-1), (2, RIGHT): disc(1)}), CONSISTENCY, never, boxes=True)
    assert not state.agreements and not state.replaced


def test_who_stands_in_front_hides_others_from_an_eye():
    """In the right eye somebody near hides the person, whom its mask has not: that is right."""
    views = {
        (1, LEFT): disc(-1), (1, RIGHT): replace(disc(1), mask=np.zeros((SIZE, SIZE), np.float32), score=0.1),
        (2, RIGHT): disc(1, 1.0, radius=0.5),
    }  # fmt: skip
    state = state_of(views, {1: B / 2})
    assert compare(state, CONSISTENCY).agreements[1].weaker == RIGHT
    hidden = replace(state.windows[1, RIGHT], occluders=(2,))
    state = replace(state, windows={**state.windows, (1, RIGHT): hidden})
    assert compare(state, CONSISTENCY).agreements[1].overlap is None


def test_prompts_for_the_weaker_eye():
    state = compare(one_person(), CONSISTENCY)
    mask = prompted_window(state, (1, RIGHT), CONSISTENCY, boxes=False)
    assert mask is not None and mask.anchor and mask.prompt is not None and mask.prompt.mask is not None
    assert metrics.iou(mask.prompt.mask.astype(np.float32), disc(1).mask) > 0.95
    box = prompted_window(state, (1, RIGHT), CONSISTENCY, boxes=True)
    assert box is not None and box.prompt is not None and box.prompt.box is not None
    prompt = box.prompt
    x, y, inside = prompt.points[0]
    assert (
        inside == 1
        and math.hypot(x - SIZE / 2, y - SIZE / 2) < 4
        and box.prompt.box[2] - box.prompt.box[0] == pytest.approx(2 * 30.8, abs=4)
    )
    nobody = state_of({(1, LEFT): replace(disc(-1), mask=np.zeros((SIZE, SIZE), np.float32)), (1, RIGHT): disc(1)}, {1: B / 2})
    assert prompted_window(compare(nobody, CONSISTENCY), (1, RIGHT), CONSISTENCY, boxes=True) is None


def test_what_is_found_when_looking_again_is_kept_if_the_eyes_agree_then():
    state, shown = compare(one_person(), CONSISTENCY), []

    def look(mask):
        def again(windows):
            shown.append(dict(windows))
            return {key: Mask(logit(mask), 0.7) for key in windows}

        return again

    found = reprocess(state, CONSISTENCY, look(disc(1).mask), boxes=False)
    assert found.replaced == {(1, RIGHT): "reprocess"} and found.masks[1, RIGHT].score == 0.7
    assert found.agreements[1].corrected == RIGHT and found.agreements[1].agrees and found.agreements[1].how == "reprocess"
    assert [list(w) for w in shown] == [[(1, RIGHT)]] and shown[0][1, RIGHT].prompt.mask is not None
    # what does not help is forgotten, and the other eye's mask comes in its place
    kept = reprocess(state, CONSISTENCY, look(disc(1, radius=0.12).mask), boxes=False)
    assert not kept.replaced and kept.agreements == state.agreements and kept.masks == state.masks
    poor = agree(one_person(), consistency(method="reprocess"), look(disc(1, radius=0.12).mask), boxes=False)
    assert poor.replaced == {(1, RIGHT): "transfer"} and iou(poor, (1, RIGHT), disc(1).mask) > 0.95
    # nobody is shown anything where the eyes agree
    assert reprocess(compare(one_person(0.35), CONSISTENCY), CONSISTENCY, never, boxes=False).agreements[1].agrees


# people whom a network saw together ----------------------------------------------------------------------------------


def two_people(wrong=0.35, missing=0.0, of=1):
    """Two who touch. In the right eye the first one's mask reaches into the second one, from ``wrong`` of a metre before its far side on;
    and the network misses the lower part of one of them, ``missing`` of their height, there.
    """
    views, union = {}, {}
    for view, eye in EYES.items():
        one, two = disc(eye, radius=0.25, off=-0.2), disc(eye, radius=0.25, off=0.3)
        union[view] = np.maximum(one.mask, two.mask)
        if view == RIGHT:
            columns = np.arange(SIZE)[None, :] < np.flatnonzero(two.mask.any(axis=0))[-1] - wrong * SIZE / 1.46
            one, two = replace(one, mask=np.maximum(one.mask, two.mask * columns)), replace(two, mask=two.mask * ~columns)
            rows = np.flatnonzero(one.mask.any(axis=1))
            gone = np.arange(SIZE)[:, None] > rows[0] + (1 - missing) * (rows[-1] - rows[0] + 1)
            union[view] = np.where(gone & ((np.arange(SIZE)[None, :] < 62) == (of == 1)), 0, union[view]).astype(np.float32)
        views[1, view], views[2, view] = one, two
    state = state_of(views, {1: B / 2, 2: B / 2}, together=(1, 2), union=union)
    groups = state.seen_together()
    shares = fuse_groups(groups, NoRefiner(), map, agree=False)
    made = {(p, g.view): alpha for g, share in zip(groups, shares, strict=True) for p, alpha in share.items()}
    return compare(state.with_alphas(made), CONSISTENCY)


def alpha_of(state, person):
    """A person's alpha in the right eye."""
    alpha = state.alphas[person, RIGHT].alpha
    assert alpha is not None
    return alpha


def test_people_told_apart_wrongly_in_one_eye_are_told_apart_as_in_the_other():
    state = two_people()
    assert state.agreements[1].weaker == RIGHT and state.agreements[1].overlap < 0.8
    made = resplit(state, CONSISTENCY)
    assert made.agreements[1].agrees and made.agreements[1].corrected == RIGHT and made.agreements[1].how == "reshare"
    assert made.agreements[2].agrees and made.agreements[2].corrected is None
    # the same of both together; the other eye is not touched, and nobody's mask is another eye's
    total = [np.sum([alpha_of(s, p) for p in (1, 2)], axis=0) for s in (state, made)]
    assert np.abs(total[0] - total[1]).max() < 1e-5
    assert all(made.alphas[p, LEFT] is state.alphas[p, LEFT] for p in (1, 2)) and not made.replaced
    for p, off in ((1, -0.2), (2, 0.3)):
        truth = disc(1, radius=0.25, off=off).mask
        assert metrics.iou(alpha_of(made, p), truth) > 0.95 > 0.85 > metrics.iou(alpha_of(state, p), truth)


def test_people_whom_no_telling_apart_helps_keep_what_each_eye_says_unless_the_eyes_are_at_odds():
    """The network misses part of somebody in one eye."""
    state = two_people(wrong=0.5, missing=0.3)
    before = state.agreements[1]
    assert before.weaker == RIGHT and 0.5 <= before.overlap < 0.8
    made = resplit(state, CONSISTENCY)
    assert made.agreements[1] == replace(before, weaker=None) and made.alphas == state.alphas
    strict = replace(CONSISTENCY, parameters=StereoParameters(correction=CorrectionParameters(at_odds=before.overlap + 0.01)))
    assert resplit(state, strict).agreements[1] == before
    # a damaged picture is given what the other eye sees
    damaged = replace(before, damage=((RIGHT, "much less detail"),))
    assert resplit(state.with_agreements({1: damaged}), CONSISTENCY).agreements[1] == damaged


def test_nobody_is_told_apart_at_the_cost_of_somebody_whose_eyes_agree():
    """The network misses part of the second one: told apart as in the left eye, the first one's eyes agree, and the second one's do not."""
    state = two_people(wrong=0.25, missing=0.4, of=2)
    alone = resplit(state, CONSISTENCY)
    assert alone.agreements[1].how == "reshare" and alone.agreements[1].corrected == RIGHT and not alone.agreements[2].agrees
    agreed = replace(state.agreements[2], overlap=0.9, weaker=None)
    made = resplit(state.with_agreements({2: agreed}), CONSISTENCY)
    assert made.agreements == {1: replace(state.agreements[1], weaker=None), 2: agreed} and made.alphas == state.alphas


def test_an_eye_whose_picture_is_damaged_tells_nobody_apart():
    state = two_people()
    damaged = replace(state.agreements[1], damage=((LEFT, "much darker"),))
    state = state.with_agreements({1: damaged, 2: replace(state.agreements[2], weaker=None)})
    made = resplit(state, CONSISTENCY)
    assert made.agreements[1] == damaged and made.alphas == state.alphas
