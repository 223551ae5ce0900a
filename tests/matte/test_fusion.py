"""What a matting network says of everybody, made each person's own."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.edges import along, exact, in_light
from vr180_ofx.matte.fusion import InstanceMask, People, drawn, fused, resplit_instances, same_edge, split_instances
from vr180_ofx.matte.heights import Heights
from vr180_ofx.matte.plain import NoRefiner
from vr180_ofx.matte.upsample import placed, upsampled
from vr180_ofx.trackers.contract import Crop, NetworkAlpha
from vr180_ofx.vr180.window import Window

SIDE = 384


def disc(x, y, radius, soft=1.5):
    ys, xs = np.mgrid[:SIDE, :SIDE]
    return np.clip((radius - np.hypot(xs - x, ys - y)) / (2 * soft) + 0.5, 0, 1).astype(np.float32)


def claim(mask):
    m = np.clip(mask, 1e-3, 1 - 1e-3)
    return np.log(m / (1 - m)).astype(np.float32)


def heights_of(*masks):
    return Heights.of({p: claim(m) for p, m in enumerate(masks)})


def made_of(network, masks):
    """Person -> alpha: what becomes of the network's alpha, and of each person's mask."""
    logits = {p: claim(m) for p, m in masks.items()}
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


def test_an_edge_that_both_see_elsewhere_lies_between_them():
    """Nearer to the mask where that has less of a body; as the network has it at hair, and as the mask has it at shoes."""
    network, mask = disc(190, 190, 82), disc(190, 190, 80)
    made = fused(network, mask, 1.0, heights_of(mask))
    share = (network - made).sum(axis=1) / np.maximum((network - mask).sum(axis=1), 1e-6)
    assert np.abs(share[110:116]).max() < 0.02  # the top
    assert np.abs(share[170:220] - 0.6).max() < 0.1
    assert share[264:270].min() > 0.9
    # where the mask has more, nearer to the network
    larger = disc(190, 190, 83)
    more = fused(network, larger, 1.0, heights_of(larger))
    assert 0.1 < (more - network).sum() / (larger - network).sum() < 0.25


def test_heights_of_two_people_are_their_own():
    tall, small = disc(100, 190, 90), disc(280, 240, 40)
    table = heights_of(tall, small).table((0.0, 1.0), (0.0, 1.0))
    assert np.allclose(table[[100, 190, 280], 100], [0, 0.5, 1], atol=0.02)
    assert np.allclose(table[[200, 240, 280], 280], [0, 0.5, 1], atol=0.02)
    # of one person the same for all columns; of nobody a body's middle
    assert heights_of(tall).table((0.0, 1.0), (0.0, 1.0)).shape == (SIDE, 1)
    assert heights_of().table((0.0, 1.0), (2.0, 4.0)) == 3.0


def test_hair_is_more_than_a_network_sees_of_it_and_bodies_are_as_they_are():
    alpha, plain = disc(190, 190, 80, 4), np.full((SIDE, SIDE, 3), 0.4, np.float32)
    more = drawn(alpha, plain, heights_of(alpha)) - drawn(alpha, plain, heights_of())
    assert more[108:116].max() > 0.05 and more[100:150].sum() > 10 and more[:160].min() > -0.03
    assert np.abs(more[160:230]).max() < 1e-3
    # and under soles there is less
    assert more[255:].sum() < -5 and more[230:].max() < 1e-3 and more[230:].min() > -0.11


def light(values):
    """sRGB as light."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def encoded(values):
    return np.where(values <= 0.0031308, values * 12.92, 1.055 * np.maximum(values, 0) ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize(("front", "back"), [(0.2, 0.8), (0.8, 0.2), (0.5, 0.6), (0.1, 0.3)])
def test_lenses_mix_light_and_files_hold_its_roots(front, back):
    real = np.linspace(0, 1, 101, dtype=np.float32)
    seen = encoded(real * light(np.float64(front)) + (1 - real) * light(np.float64(back)))
    by_numbers = ((seen - back) / (front - back)).astype(np.float32)
    found = in_light(by_numbers, np.full_like(real, (front - back) / (front + back)))
    assert np.abs(found - real).max() < 0.3 * np.abs(by_numbers - real).max()
    assert found[0] == pytest.approx(0, abs=1e-5) and found[-1] == pytest.approx(1, abs=1e-5)
    assert np.array_equal(in_light(by_numbers, np.zeros_like(real)), by_numbers)


@pytest.mark.parametrize(("front", "back"), [(0.25, 0.75), (0.75, 0.25)])
def test_dark_people_are_not_thinner_than_bright_ones(front, back):
    """Their edges are mixed in light, and a network goes by the numbers."""
    real = disc(190, 190, 80, 2)
    seen = encoded(real * light(np.float64(front)) + (1 - real) * light(np.float64(back))).astype(np.float32)
    network = (seen - back) / (front - back)
    guide = np.zeros((SIDE, SIDE, 3), np.float32)
    guide[..., 0] = seen
    made = drawn(network, guide, heights_of())
    assert abs(made.sum() - real.sum()) < 0.5 * abs(network.sum() - real.sum())


def test_edges_that_run_beside_those_of_the_picture_are_drawn_to_them():
    real, beside = disc(190, 190, 80, 0.7), disc(191, 190, 80, 0.7)
    noise = np.random.default_rng(0).normal(0, 0.01, (SIDE, SIDE, 3)).astype(np.float32)
    seen = real[..., None] * np.array([0.7, 0.1, 0.05], np.float32) + noise
    assert np.abs(along(beside, seen, np.ones_like(real)) - real).mean() < 0.8 * np.abs(beside - real).mean()
    # together with colours it is better still; where there are none, edges become a little softer, and stay where they are
    found, trust, _ = exact(beside, seen, 1.0)
    assert np.abs(along(found, seen, trust) - real).mean() < 0.7 * np.abs(found - real).mean()
    noise += np.float32(0.4)
    found, trust, _ = exact(beside, noise, 1.0)
    made = along(found, noise, trust)
    assert made.min() >= 0 and made.max() <= 1 and np.abs(made - found).mean() < np.abs(beside - real).mean()
    assert abs(made.sum() / beside.sum() - 1) < 0.002


def test_others_may_say_who_is_where_and_nothing_else_changes():
    one, two = disc(140, 190, 60), disc(250, 190, 60)
    window = Window((0, 0, 1), 60, 0, SIDE)
    look = Crop((1, 2), 0, 0, 1.0, SIDE, SIDE)
    guide = np.random.default_rng(1).random((SIDE, SIDE, 3)).astype(np.float32)
    soft = NetworkAlpha(np.maximum(one, two), guide, window, look)
    # the tracker takes both for the first
    wrong = {1: InstanceMask(claim(soft.alpha), window), 2: InstanceMask(np.full_like(one, -8), window)}
    people = People.of(soft, wrong)
    before = people.shapes(people.matte(soft.alpha, NoRefiner()))
    assert before[2].alpha.max() < 0.05
    after = resplit_instances(soft, before, {1: InstanceMask(claim(one), window), 2: InstanceMask(claim(two), window)})
    assert np.abs(after[2].alpha - two)[:, 205:].mean() < 0.01 and after[1].alpha[190, 250] < 0.05
    assert np.abs(sum(s.alpha for s in after.values()) - sum(s.alpha for s in before.values())).max() < 1e-3
    assert after[2].refined.place == before[2].refined.place


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


def test_edges_are_as_exact_as_colours_are():
    """The network's edge is soft and a pixel off; the picture says where it is, if both sides look different."""
    real = disc(190, 190, 80, 0.7)
    soft = cv2.GaussianBlur(disc(190, 191, 81, 1.5), (0, 0), 1.5)
    person, ground = np.array([0.7, 0.1, 0.05], np.float32), np.array([0.3, -0.1, 0.0], np.float32)
    noise = np.random.default_rng(0).normal(0, 0.02, (SIDE, SIDE, 3)).astype(np.float32)
    seen = real[..., None] * person + (1 - real[..., None]) * ground + noise
    made, trust, _ = exact(soft, seen, 1.0)
    assert np.abs(made - real).mean() < 0.35 * np.abs(soft - real).mean() and trust[190, 270] > 0.8
    # where they do not, nothing is made up
    plain, trust, _ = exact(soft, np.full_like(seen, 0.4) + noise, 1.0)
    assert trust.max() < 0.1
    assert np.abs(plain - real).mean() < 1.05 * np.abs(soft - real).mean()
    for nothing in (0.0, 1.0):
        assert np.array_equal(exact(np.full_like(real, nothing), seen, 1.0)[0], np.full_like(real, nothing))


def test_nobody_is_nobody():
    empty = np.full((SIDE, SIDE), -8, np.float32)
    assert Heights.of({1: empty}).near(0.1, 0.2) == 0
    made = split_instances(disc(190, 190, 50), {1: empty, 2: empty}, heights_of(empty, empty))
    assert made[1].max() == made[2].max() == 0


def test_what_is_an_edge():
    a = disc(190, 190, 80)
    assert same_edge(a, disc(191, 190, 80), 1.0).min() == 1
    other = a.copy()
    other[180:200, 180:200] = 0
    told = same_edge(a, other, 1.0)
    assert told[190, 190] == 0 and told[60, 60] == 1 and ((told > 0) & (told < 1)).any()
    # a hole of twenty pixels is an edge to who calls it so, on its side alone
    assert same_edge(a, other, 1.0, less=12).min() == 1 and same_edge(a, other, 1.0, more=12)[190, 190] == 0


@pytest.mark.parametrize("factor", [2, 3])
def test_part_of_a_picture_by_any_factor_is_the_same_as_all_of_it(factor):
    rng = np.random.default_rng(2)
    large = cv2.GaussianBlur(rng.random((60 * factor, 60 * factor)).astype(np.float32), (0, 0), 2)
    small = cv2.resize(large, (60, 60), interpolation=cv2.INTER_AREA)
    alpha = cv2.GaussianBlur((rng.random((60, 60)) > 0.5).astype(np.float32), (0, 0), 1.5)
    whole = upsampled(alpha, small, large, factor)
    rect = Rect(31, 22, 77, 85)
    part = placed(alpha, small, np.ascontiguousarray(large[rect.slices]), rect, (factor, factor))
    assert np.abs(part - whole[rect.slices]).max() < 0.02
    plain = placed(alpha, small, None, rect, (factor, factor))
    cubic = cv2.resize(alpha, (60 * factor, 60 * factor), interpolation=cv2.INTER_CUBIC)
    assert np.abs(plain - np.clip(cubic, 0, 1)[rect.slices]).max() < 0.02
