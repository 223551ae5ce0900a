"""What a matting network says of everybody, made each person's own."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.matte.shapes import SIDE, disc, heights_of, logits_of
from vr180_ofx.matte.contract import constant
from vr180_ofx.matte.fusion import GroupMasks, InstanceAlpha, InstanceMask, fused, resplit_instances, split_instances
from vr180_ofx.matte.heights import Heights
from vr180_ofx.matte.parameters import FusionParameters, HeightCurve
from vr180_ofx.matte.plain import NoRefiner
from vr180_ofx.trackers.contract import Crop, NetworkAlpha
from vr180_ofx.vr180.window import Window


def made_of(network, masks):
    """Person -> alpha: what becomes of the network's alpha, and of each person's mask."""
    logits = {p: logits_of(m) for p, m in masks.items()}
    union = np.maximum.reduce(list(masks.values()))
    heights = Heights.of(logits)
    return split_instances(fused(network, union, 1.0, heights), logits, heights)


def test_two_people_share_what_the_network_sees():
    """They touch; the tracker's masks are a little off, the network's edges are right."""
    one, two = disc(140, 190, 60), disc(250, 190, 50)
    everybody = np.maximum(one, two)
    masks = {1: disc(143, 190, 58), 2: disc(247, 192, 50)}
    made = made_of(everybody, masks)
    total = made[1] + made[2]
    assert total.max() <= 1 + 1e-5 and np.abs(total - everybody).mean() < 0.004
    # no seam where they touch
    assert total[cv2.erode(everybody, np.ones((15, 15))) > 0.99].min() > 0.97
    for p, real in ((1, one), (2, two)):
        assert np.minimum(made[p], real).sum() / np.maximum(made[p], real).sum() > 0.95


def test_who_nobody_follows_is_nobodys_and_hair_beyond_the_mask_is_kept():
    person, hair, stranger = disc(120, 220, 70), disc(120, 150, 22), disc(340, 60, 25)
    network = np.maximum.reduce([person, hair, stranger])
    made = made_of(network, {1: person})[1]
    assert made[35:85, 320:360].max() == 0
    assert made[135:145, 115:125].min() > 0.9


def test_a_bright_line_behind_an_edge_makes_no_thread_and_hair_that_the_network_sees_stays():
    network = disc(190, 190, 80)
    network[230, 266:290] = 0.8  # a strand of hair
    mask = disc(190, 190, 80)
    mask[148:150, 255:276] = 0.9  # the mask follows a line that goes on behind the person
    mask[230, 266:290] = 0.8
    made = fused(network, mask, 1.0, heights_of(mask))
    assert made[146:152, 266:280].max() < 0.02 < mask[148, 270] and made[230, 272:286].min() > 0.75
    assert np.abs(made - network)[60:320, 60:250].max() < 0.02


def test_the_network_is_believed_where_a_mask_is_wrong_by_more_than_an_edge():
    person = disc(190, 190, 80)
    hand = np.zeros_like(person)
    hand[170:210, 82:115] = 1
    network = np.maximum(person, hand)
    # the tracker does not see the hand, and takes a hole for the person
    network[150:175, 190:215] = 0
    made = made_of(network, {1: person})[1]
    assert made[180:200, 86:104].min() > 0.9 and made[158:168, 198:208].max() < 0.1


def share_of_mask(network, mask, made):
    """(SIDE,) for each row: how much of the way from the network's alpha to the mask was gone."""
    return (network - made).sum(axis=1) / np.maximum(np.abs((network - mask).sum(axis=1)), 1e-6) * np.sign((network - mask).sum())


def test_an_edge_that_both_see_elsewhere_lies_between_them():
    """As the network has it at hair, of which masks know little, and as the mask has it at shoes, where networks take shadows for people.

    In between it is between both; and where the mask has more it counts less than where it has less, because networks are fat.
    """
    network, smaller, larger = disc(190, 190, 82), disc(190, 190, 80), disc(190, 190, 84)
    less = share_of_mask(network, smaller, fused(network, smaller, 1.0, heights_of(smaller)))
    assert np.abs(less[110:116]).max() < 0.02 and less[264:270].min() > 0.9
    body = slice(170, 220)
    assert less[body].min() > 0.1 and less[body].max() < 0.9
    more = share_of_mask(network, larger, fused(network, larger, 1.0, heights_of(larger)))
    assert more[body].min() > 0 and more[body].max() < 0.7 * less[body].min()


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_how_much_the_mask_counts_is_what_the_parameters_say(weight):
    network = disc(190, 190, 82)
    parameters = FusionParameters(more=weight, less=HeightCurve((0.5,), (weight,)))
    for radius in (80, 83):
        mask = disc(190, 190, radius)
        share = share_of_mask(network, mask, fused(network, mask, 1.0, heights_of(mask), parameters))
        assert np.abs(share[150:230] - weight).max() < 0.05


def alpha_of(instance: InstanceAlpha) -> np.ndarray:
    assert instance.alpha is not None
    return instance.alpha


def test_others_may_say_who_is_where_and_nothing_else_changes():
    one, two = disc(140, 190, 60), disc(250, 190, 60)
    window = Window((0, 0, 1), 60, 0, SIDE)
    crop = Crop((1, 2), 0, 0, 1.0, SIDE, SIDE)
    guide = np.random.default_rng(1).random((SIDE, SIDE, 3)).astype(np.float32)
    network = NetworkAlpha(np.maximum(one, two), guide, window, crop)
    # the tracker takes both for the first
    wrong = {1: InstanceMask(logits_of(network.alpha), window), 2: InstanceMask(np.full_like(one, -8), window)}
    masks = GroupMasks.of(network, wrong)
    before = masks.instances(masks.matte(network.alpha, NoRefiner()))
    assert alpha_of(before[2]).max() < 0.05
    after = resplit_instances(network, before, {1: InstanceMask(logits_of(one), window), 2: InstanceMask(logits_of(two), window)})
    assert np.abs(alpha_of(after[2]) - two)[:, 205:].mean() < 0.01 and alpha_of(after[1])[190, 250] < 0.05
    assert np.abs(sum(map(alpha_of, after.values())) - sum(map(alpha_of, before.values()))).max() < 1e-3
    assert after[2].refined.place == before[2].refined.place
    # whom nobody sees stays as they are
    nobody = dict.fromkeys((1, 2), InstanceMask(np.full_like(one, -8), window))
    assert resplit_instances(network, before, nobody) == before


def test_an_alpha_that_is_meant_in_another_window_is_seen_from_the_persons_own():
    """Two people in the window of the first; what is said of the second lies where it lies in theirs."""
    first, second = Window((0, 0, 1), 60, 0, SIDE), Window((0.2, 0, 1), 60, 0, SIDE)
    crop = Crop((1, 2), -40.0, -20.0, 0.5, 288, 208)
    network = NetworkAlpha(np.zeros((208, 288), np.float32), np.zeros((208, 288, 3), np.float32), first, crop)
    mask = disc(190, 200, 50)
    there = GroupMasks.of(network, {1: InstanceMask(logits_of(disc(60, 200, 40)), first), 2: InstanceMask(logits_of(mask), second)})
    whole = first.points(second.directions(np.array([190.5, 200.5])))
    expected = (whole - np.array([crop.x, crop.y])) * crop.scale
    ys, xs = np.nonzero(there.logits[2] > 0)
    assert np.abs(np.array([xs.mean() + 0.5, ys.mean() + 0.5]) - expected).max() < 1.5
    # and back again
    alpha = there.instances((there.logits[2] > 0).astype(np.float32))[2]
    back = alpha.logits(second) > 0
    assert (back & (mask > 0.5)).sum() > 0.95 * (back | (mask > 0.5)).sum()
    # what is known for each pixel of the person's window, as the coefficients lie
    columns = np.broadcast_to(np.arange(SIDE, dtype=np.float32), (SIDE, SIDE))
    assert alpha.sampled(columns)[ys, xs].mean() == pytest.approx(190, abs=1.5)


def test_where_the_network_wavers_the_mask_decides():
    """A body half seen is somebody; what wavers no wider than hair, or beyond the mask, stays as the network sees it."""
    person = disc(190, 190, 80)
    network = person.copy()
    network[150:190, 170:210] = 0.5
    halo = np.clip(disc(190, 190, 88, 6), 0, 1)
    network = np.maximum(network, 0.4 * (halo - person))
    network[300:340, 300:340] = 0.6
    made = fused(network, person, 1.0, heights_of(person))
    assert made[158:182, 178:202].min() > 0.9
    assert abs(made[320, 320] - 0.6) < 0.01
    beyond = (person < 0.01) & (np.hypot(*np.mgrid[-190:194, -190:194]) < 100)
    assert made[beyond].max() <= network[beyond].max()


def test_nobody_is_nobody():
    empty = np.full((SIDE, SIDE), -8, np.float32)
    made = split_instances(disc(190, 190, 50), {1: empty, 2: empty}, heights_of(empty, empty))
    assert made[1].max() == made[2].max() == 0


def test_values_say_what_is_wrong_and_show_no_pixels():
    window, zeros = Window((0, 0, 1), 60, 0, 8), np.zeros((8, 8), np.float32)
    with pytest.raises(ValueError, match=r"logits have the shape \(8, 7\); the window has 8 pixels"):
        InstanceMask(zeros[:, 1:], window)
    with pytest.raises(ValueError, match=r"alpha has the shape \(4, 4\); its coefficients are \(8, 8\)"):
        InstanceAlpha(constant(zeros), window, zeros[:4, :4])
    with pytest.raises(ValueError, match="places have the shape"):
        InstanceAlpha(constant(zeros), window, zeros, zeros)
    own = InstanceAlpha(constant(zeros), window)
    assert own.sampled(zeros) is zeros and "float32 (8, 8, 4)" in repr(own) and "float32 (8, 8)" in repr(InstanceMask(zeros, window))
    with pytest.raises(ValueError, match="own window"):
        own.logits(window)
    crop = NetworkAlpha(zeros, np.zeros((8, 8, 3), np.float32), window, Crop((1,), 0, 0, 1.0, 8, 8))
    with pytest.raises(ValueError, match="person 1 was not seen together"):
        resplit_instances(crop, {1: own}, {1: InstanceMask(zeros, window)})
