"""Outlines that move and fade, against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vr180_ofx.controls.lengths import Milliradians, Pixels
from vr180_ofx.controls.outline import feathered, resized, room
from vr180_ofx.imaging.ellipse import Ellipse, dilate_by, erode_by
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.vr180.projection import Equirectangular, Fisheye


def covered(alpha: np.ndarray) -> np.ndarray:
    rows: np.ndarray = alpha.sum(axis=1, dtype=float)
    return rows


def step(at: float, width: int, height: int, ramp: float = 1.0) -> np.ndarray:
    row = np.clip((at - (np.arange(width) + 0.5)) / ramp + 0.5, 0, 1)
    return np.broadcast_to(row.astype(np.float32), (height, width)).copy()


@settings(max_examples=20, deadline=None)
@given(st.floats(-20, 20), st.floats(0.3, 1), st.sampled_from([1.0, 5.0]))
def test_an_edge_moves_by_so_many_pixels_of_the_full_resolution(size, scale, ramp):
    rect = Rect(0, 0, 400, 60)
    alpha = step(200, 400, 60, ramp)
    made, _ = resized(alpha, np.ones_like(alpha), rect, size, lengths=Pixels(scale), picture=(400, 60))
    # beyond the picture it goes on as at its border
    assert np.abs(covered(made) - covered(alpha) - size * scale).max() < 0.1


@settings(max_examples=20, deadline=None)
@given(st.floats(0.5, 40))
def test_a_sharp_edge_fades_over_so_many_pixels_and_covers_as_much(feather):
    rect = Rect(0, 0, 400, 40)
    alpha = step(200, 400, 40)
    made, _ = feathered(alpha, np.ones_like(alpha), rect, feather, lengths=Pixels(1), picture=(400, 40))
    row = made[20].astype(float)
    centres = np.arange(400) + 0.5
    ten, ninety = np.interp([-0.1, -0.9], -row, centres)
    # the step itself has the 0.8 of a pixel; widths add as squares, about
    assert abs(ten - ninety - math.hypot(feather, 0.8)) < 0.35
    assert row.sum() == pytest.approx(200, abs=0.02)


@pytest.mark.parametrize("latitude", [0, 35, 60, -66])
@pytest.mark.parametrize("size", [6.0, -6.0])
def test_in_milliradians_an_edge_moves_by_the_same_angle_at_every_latitude(latitude, size):
    eye = Equirectangular(3072, 3072)
    y = round((0.5 - latitude / 180) * 3072)
    rect = Rect(1200, y - 150, 1600, y + 150)
    alpha = step(280, 400, 300, 2.0) - step(120, 400, 300, 2.0)
    made, _ = resized(alpha, np.ones_like(alpha), rect, size, lengths=Milliradians(eye), picture=(3072, 3072))
    per_pixel = math.pi / 3072 * np.cos(np.pi * (0.5 - (np.arange(rect.y0, rect.y1) + 0.5) / 3072))
    middle = slice(50, 250)
    moved = (covered(made) - covered(alpha)) / 2 * per_pixel * 1000
    assert np.abs(moved - size)[middle].max() < 0.12


def test_in_milliradians_a_small_disc_in_a_fisheye_stays_a_disc_of_directions():
    eye = Fisheye(1500, 1500, 190)
    centre = np.array([1150.0, 550.0])
    rect = Rect(1000, 400, 1300, 700)
    middle = eye.unproject(centre[None])[0]

    def disc(radius_mrad: float) -> np.ndarray:
        y, x = np.mgrid[rect.y0 : rect.y1, rect.x0 : rect.x1] + 0.5
        angle = np.arccos(np.clip(eye.unproject(np.stack([x, y], -1)) @ middle, -1, 1)) * 1000
        made: np.ndarray = np.clip(radius_mrad - angle + 0.5, 0, 1).astype(np.float32)
        return made

    small = disc(40)
    made, _ = resized(small, np.ones_like(small), rect, 15, lengths=Milliradians(eye), picture=(1500, 1500))
    wanted = disc(55)
    assert np.abs(made - wanted).mean() < 0.004 and made.sum() == pytest.approx(wanted.sum(), rel=0.01)


def test_tiles_leave_no_seams():
    rect = Rect(0, 0, 500, 450)
    y, x = np.mgrid[0:450, 0:500] + 0.5
    alpha = np.clip(150 - np.hypot(x - 250, y - 220), 0, 1).astype(np.float32)
    made, _ = resized(alpha, np.ones_like(alpha), rect, 9, lengths=Pixels(1), picture=(500, 450))
    wanted = np.clip(159 - np.hypot(x - 250, y - 220), 0, 1)
    assert np.abs(made - wanted).max() < 0.35


@settings(max_examples=25, deadline=None)
@given(st.floats(-20, 20), st.floats(0, 30), st.integers(0, 2**32 - 1))
def test_tiles_that_follow_the_outline_leave_nothing_out(size, feather, seed):
    """Blobs anywhere, of one pixel to many tiles: as all of the picture done at once, but for the last bits of sums."""
    random = np.random.default_rng(seed)
    height, width = (int(v) for v in random.integers(3, 260, 2))
    alpha = np.zeros((height, width), np.float32)
    for _ in range(random.integers(1, 6)):
        x, y = random.integers(0, width), random.integers(0, height)
        alpha[y : y + random.integers(1, 90), x : x + random.integers(1, 90)] = random.choice([1.0, 1.0, random.random()])
    rect, ones = Rect(0, 0, width, height), np.ones_like(alpha)
    edged = np.pad(alpha, 64, mode="edge")
    wanted = alpha
    if abs(size) >= 1e-3:
        wanted = (dilate_by if size > 0 else erode_by)(edged, Ellipse.circle(abs(size)), (64, 64))
    made, _ = resized(alpha, ones, rect, size, lengths=Pixels(1), picture=(width, height))
    assert np.abs(made - np.clip(wanted, 0, 1)).max() < 1e-6
    wide = np.pad(alpha, 64, mode="edge")
    soft, _ = feathered(alpha, ones, rect, feather, lengths=Pixels(1), picture=(width, height))
    if feather >= 1e-3:
        sigma = feather / 2.5631031
        reach = math.ceil(3 * sigma)
        shares = np.diff([math.erf((k - 0.5) / (sigma * math.sqrt(2))) for k in range(-reach, reach + 2)])
        kernel = (shares / shares.sum()).astype(np.float32)
        wide = np.apply_along_axis(np.convolve, 0, np.apply_along_axis(np.convolve, 1, wide, kernel, "same"), kernel, "same")
    assert np.abs(soft - wide[64:-64, 64:-64]).max() < 1e-5


def test_where_nothing_changes_no_pixel_of_trust_changes():
    rect = Rect(0, 0, 400, 400)
    alpha = np.zeros((400, 400), np.float32)
    alpha[:, :200] = 1
    confidence = np.random.default_rng(3).random((400, 400)).astype(np.float32)
    made, trust = resized(alpha, confidence, rect, 3, lengths=Pixels(1), picture=(400, 400))
    assert np.array_equal(trust[:, :199], confidence[:, :199]) and np.array_equal(trust[:, 204:], confidence[:, 204:])
    assert trust[50, 201] <= confidence[47:54, 198:205].min() + 1e-6
    assert made[50, 202] == 1 and made[50, 203] == 0


def test_there_is_room_for_what_grows():
    rect = Rect(0, 0, 10, 10)
    assert room(rect, -5, 0, Pixels(1)) == 0 and room(rect, 5, 0, Pixels(1)) >= 5 and room(rect, 0, 10, Pixels(0.5)) >= 5
