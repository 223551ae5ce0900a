"""Layers of light and displacements, on scenes that are known by a formula."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.camera.projection import Eye
from bench.compose import Geometry, displacement, foreground, shaded, turned
from bench.film import eye_of, grown, merged, rotation
from bench.produce import MARKS, SHIFT_OFFSET, SHIFT_SCALE, shift_codes
from bench.scenes.draw import draw_scene

SIZE = 64


def eye(x, size=SIZE):
    pose = np.eye(4)
    pose[0, 3] = x
    return Eye("equirect", size, 180.0, pose)


def wall_with_disc(at, near=2.0, far=5.0):
    """A person-like disc at `near` before a wall on a sphere at `far` from the eye."""
    rays = at.rays()
    points = np.asarray(at.pose[:3, 3] + rays * far)
    centre = np.array([0.0, 0.0, -near])
    with np.errstate(divide="ignore"):
        reach = -near / np.minimum(rays[..., 2], -1e-9)
    hit = at.pose[:3, 3] + rays * reach[..., None]
    disc = (np.linalg.norm(hit - centre, axis=-1) < 0.8) & (rays[..., 2] < -0.1)
    points[disc] = hit[disc]
    depth = np.linalg.norm(points - at.pose[:3, 3], axis=-1)
    return Geometry(disc.astype(np.int32), points.astype(np.float32), points.astype(np.float32), depth.astype(np.float32))


def test_disparity_of_a_known_disc():
    left, right = eye(-0.05), eye(0.05)
    here, there = wall_with_disc(left), wall_with_disc(right)
    shift, marks = displacement(here, right, here.point, there)
    middle = shift[SIZE // 2, SIZE // 2]
    # 0.1 m at 2 m
    assert middle[0] == pytest.approx(-2 * np.degrees(np.arctan(0.025)) / 180 * SIZE, rel=0.05)
    assert abs(middle[1]) < 0.01
    assert (marks[here.index > 0] == 2).mean() > 0.95
    assert (marks[here.index == 0] == 0).all()


def test_what_is_hidden_from_the_other_eye_is_marked():
    left, right = eye(-0.05), eye(0.05)
    here, there = wall_with_disc(left), wall_with_disc(right)
    # the other eye meets something at half a metre in the right half of its picture
    blocked = there.far.copy()
    blocked[:, SIZE // 2 :] = 0.5
    _, marks = displacement(here, right, here.point, replace(there, far=blocked))
    columns = np.nonzero(here.index > 0)[1]
    values = marks[here.index > 0]
    assert (values[columns < SIZE // 2 - 2] == 2).all()
    assert (values[columns > SIZE // 2 + 4] == 1).all()


def test_codes_of_shifts_are_undone():
    shift = np.array([[[3.25, -1.5], [0, 0]]], np.float32)
    codes = shift_codes(shift, np.array([[2, 0]], np.uint8))
    np.testing.assert_array_equal(codes[0, 0, :2] / SHIFT_SCALE - SHIFT_OFFSET, [3.25, -1.5])
    assert codes[0, 0, 2] == MARKS[2]
    assert not codes[0, 1].any()


def test_shadows_are_factors_and_reflections_are_added():
    plate = np.full((16, 16, 3), 0.5, np.float32)
    unlit = np.full((2, 2, 3), 0.4, np.float32)
    lit = unlit.copy()
    lit[0, 0], lit[1, 1] = 0.1, 0.7
    out = shaded(plate, lit, unlit, (4, 4, 12, 12))
    assert out[5, 5, 0] == pytest.approx(0.125, abs=0.02)
    assert out[10, 10, 0] == pytest.approx(0.8, abs=0.05)
    np.testing.assert_array_equal(out[:4], plate[:4])
    np.testing.assert_array_equal(shaded(plate, unlit, unlit, (4, 4, 12, 12)), plate)


def test_no_side_of_a_shadows_region_is_seen():
    plate = np.full((40, 40, 3), 0.5, np.float32)
    unlit = np.full((5, 5, 3), 0.4, np.float32)
    out = shaded(plate, unlit * 0.5, unlit, (0, 10, 20, 30), fade=5)[..., 0]
    assert out[20, 10] == pytest.approx(0.25)
    # the picture's own rim is no side
    assert out[20, 0] == pytest.approx(0.25)
    assert np.abs(np.diff(out, axis=0)).max() < 0.09
    assert np.abs(np.diff(out, axis=1)).max() < 0.09


def test_foreground_is_straight_and_spread():
    alpha = np.zeros((20, 20), np.float32)
    alpha[5:15, 5:15] = 1
    alpha[5:15, 15] = 0.5
    light = alpha[..., None] * np.array([0.8, 0.4, 0.2], np.float32)
    cover = alpha.copy()
    cover[4, 5:15] = 0.1  # a hair that the colour pass missed
    out = foreground(light, alpha, cover)
    np.testing.assert_allclose(out[10, 10], [0.8, 0.4, 0.2], rtol=1e-3)
    np.testing.assert_allclose(out[10, 15], [0.8, 0.4, 0.2], rtol=1e-2)
    np.testing.assert_allclose(out[4, 10], [0.8, 0.4, 0.2], rtol=1e-2)
    assert not out[0].any()


def test_turning_an_eye_turns_its_picture():
    base = eye(0.0)
    pose = np.eye(4)
    pose[:3, :3] = rotation(np.radians(180 / SIZE * 4), 0, 0)
    picture = np.random.default_rng(0).uniform(0, 1, (SIZE, SIZE, 3)).astype(np.float32)
    out = turned(picture, base, Eye("equirect", SIZE, 180.0, pose))
    # to the left by four pixels: what was at x is at x + 4
    np.testing.assert_allclose(out[:, 8:-8], picture[:, 4:-12], atol=1e-3)
    assert turned(picture, base, base) is picture


def test_regions_hold_what_they_should():
    assert grown(np.array([3.2, 5.0]), np.array([9.9, 6.0]), 1, 32, 4) == (0, 4, 12, 8)
    assert grown(np.array([-20.0, 0]), np.array([-10.0, 5]), 1, 32, 4) is None
    assert merged([(0, 0, 4, 4), (10, 10, 12, 12), (4, 4, 8, 8)]) == [(0, 0, 8, 8), (10, 10, 12, 12)]


def test_eyes_are_a_baseline_apart():
    scene = draw_scene("dev", 1, 0)
    left, right = (eye_of(scene, v, SIZE, 0.3) for v in ("left", "right"))
    assert np.linalg.norm(left.pose[:3, 3] - right.pose[:3, 3]) == pytest.approx(scene.rig.baseline_m)
    for e in (left, right):
        np.testing.assert_allclose(e.pose[:3, :3] @ e.pose[:3, :3].T, np.eye(3), atol=1e-12)
