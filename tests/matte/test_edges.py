"""Edges of a network's alpha made as exact as the picture is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.matte.shapes import SIDE, disc, encoded, heights_of, light
from vr180_ofx.matte.edges import edges_by_colour, linear_light_alpha, refine_edges, snap_to_edges


def test_hair_is_more_than_a_network_sees_of_it_and_bodies_are_as_they_are():
    alpha, plain = disc(190, 190, 80, 4), np.full((SIDE, SIDE, 3), 0.4, np.float32)
    more = refine_edges(alpha, plain, heights_of(alpha)) - refine_edges(alpha, plain, heights_of())
    assert more[108:116].max() > 0.05 and more[100:150].sum() > 10 and more[:160].min() > -0.03
    assert np.abs(more[160:230]).max() < 1e-3
    # and under soles there is less
    assert more[255:].sum() < -5 and more[230:].max() < 1e-3 and more[230:].min() > -0.11


@pytest.mark.parametrize(("front", "back"), [(0.2, 0.8), (0.8, 0.2), (0.5, 0.6), (0.1, 0.3)])
def test_lenses_mix_light_and_files_hold_its_roots(front, back):
    real = np.linspace(0, 1, 101, dtype=np.float32)
    seen = encoded(real * light(np.float64(front)) + (1 - real) * light(np.float64(back)))
    by_numbers = ((seen - back) / (front - back)).astype(np.float32)
    found = linear_light_alpha(by_numbers, np.full_like(real, (front - back) / (front + back)))
    assert np.abs(found - real).max() < 0.3 * np.abs(by_numbers - real).max()
    assert found[0] == pytest.approx(0, abs=1e-5) and found[-1] == pytest.approx(1, abs=1e-5)
    assert np.array_equal(linear_light_alpha(by_numbers, np.zeros_like(real)), by_numbers)


@pytest.mark.parametrize(("front", "back"), [(0.25, 0.75), (0.75, 0.25)])
def test_dark_people_are_not_thinner_than_bright_ones(front, back):
    """Their edges are mixed in light, and a network goes by the numbers."""
    real = disc(190, 190, 80, 2)
    seen = encoded(real * light(np.float64(front)) + (1 - real) * light(np.float64(back))).astype(np.float32)
    network = (seen - back) / (front - back)
    guide = np.zeros((SIDE, SIDE, 3), np.float32)
    guide[..., 0] = seen
    made = refine_edges(network, guide, heights_of())
    assert abs(made.sum() - real.sum()) < 0.5 * abs(network.sum() - real.sum())


def test_edges_that_run_beside_those_of_the_picture_are_drawn_to_them():
    real, beside = disc(190, 190, 80, 0.7), disc(191, 190, 80, 0.7)
    noise = np.random.default_rng(0).normal(0, 0.01, (SIDE, SIDE, 3)).astype(np.float32)
    seen = real[..., None] * np.array([0.7, 0.1, 0.05], np.float32) + noise
    assert np.abs(snap_to_edges(beside, seen, np.ones_like(real)) - real).mean() < 0.8 * np.abs(beside - real).mean()
    # together with colours it is better still; where there are none, edges become a little softer, and stay where they are
    found, trust, _ = edges_by_colour(beside, seen, 1.0)
    assert np.abs(snap_to_edges(found, seen, trust) - real).mean() < 0.7 * np.abs(found - real).mean()
    noise += np.float32(0.4)
    found, trust, _ = edges_by_colour(beside, noise, 1.0)
    made = snap_to_edges(found, noise, trust)
    assert made.min() >= 0 and made.max() <= 1 and np.abs(made - found).mean() < np.abs(beside - real).mean()
    assert abs(made.sum() / beside.sum() - 1) < 0.002


def test_edges_are_as_exact_as_colours_are():
    """The network's edge is soft and a pixel off; the picture says where it is, if both sides look different."""
    real = disc(190, 190, 80, 0.7)
    soft = cv2.GaussianBlur(disc(190, 191, 81, 1.5), (0, 0), 1.5)
    person, ground = np.array([0.7, 0.1, 0.05], np.float32), np.array([0.3, -0.1, 0.0], np.float32)
    noise = np.random.default_rng(0).normal(0, 0.02, (SIDE, SIDE, 3)).astype(np.float32)
    seen = real[..., None] * person + (1 - real[..., None]) * ground + noise
    made, trust, _ = edges_by_colour(soft, seen, 1.0)
    assert np.abs(made - real).mean() < 0.35 * np.abs(soft - real).mean() and trust[190, 270] > 0.8
    # where they do not, nothing is made up
    plain, trust, _ = edges_by_colour(soft, np.full_like(seen, 0.4) + noise, 1.0)
    assert trust.max() < 0.1
    assert np.abs(plain - real).mean() < 1.05 * np.abs(soft - real).mean()
    for nothing in (0.0, 1.0):
        assert np.array_equal(edges_by_colour(np.full_like(real, nothing), seen, 1.0)[0], np.full_like(real, nothing))


def test_how_much_brighter_the_front_is():
    alpha, guide = disc(190, 190, 80), np.zeros((SIDE, SIDE, 3), np.float32)
    guide[..., 0] = 0.2 + 0.4 * alpha
    _, _, brighter = edges_by_colour(alpha, guide, 1.0)
    assert brighter[190, 110] == pytest.approx((0.6 - 0.2) / (0.6 + 0.2), abs=0.05)
