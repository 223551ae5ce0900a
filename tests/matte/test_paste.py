"""From a window back to the plate."""

from __future__ import annotations

import numpy as np
import pytest

from tests.matte.shapes import disc_scene
from vr180_ofx.matte.contract import Refined, constant
from vr180_ofx.matte.parameters import PasteParameters
from vr180_ofx.matte.paste import paste
from vr180_ofx.vr180.projection import Equirectangular
from vr180_ofx.vr180.window import Window, direction_from_angles


def test_pasting_a_constant_is_exact_where_it_is_constant():
    eye, _ = disc_scene(512)
    projection = Equirectangular(512, 512)
    window = Window(direction_from_angles(0.3, 0.2), 40, 20, 128)
    mask = np.zeros((128, 128), np.float32)
    mask[40:90, 40:90] = 1
    patch = paste(constant(mask), np.full_like(mask, 0.5), window, eye, projection)
    assert patch is not None
    grid = window.inverse_map(projection, patch.rect)
    inside, outside = ((grid > 42) & (grid < 88)).all(-1), ((grid < 38) | (grid > 92)).any(-1)
    assert (patch.alpha[inside] == 1).all() and (patch.alpha[outside] == 0).all() and inside.sum() > 1000
    assert np.allclose(patch.confidence[inside], 0.5)


def test_alpha_follows_the_plates_own_pixels():
    """Coefficients without edges of their own: the edge is the plate's, at the plate's resolution."""
    eye, alpha = disc_scene(1024)
    projection = Equirectangular(1024, 1024)
    window = Window(direction_from_angles(0.06, 0.0), 60, 0, 64)
    coefficients = np.zeros((64, 64, 4), np.float32)
    luma = eye.sample(window.grid(projection)).guide[..., 0]
    dark, bright = float(luma.min()), float(luma.max())
    coefficients[..., 0], coefficients[..., 3] = 1 / (bright - dark), -dark / (bright - dark)
    patch = paste(Refined(coefficients), np.ones((64, 64), np.float32), window, eye, projection)
    assert patch is not None
    inner = np.s_[patch.alpha.shape[0] // 4 : -patch.alpha.shape[0] // 4, patch.alpha.shape[1] // 4 : -patch.alpha.shape[1] // 4]
    assert np.abs(patch.alpha - alpha[patch.rect.slices])[inner].max() < 0.02


def test_a_part_of_a_window_is_pasted_where_it_lies():
    eye, _ = disc_scene(512)
    projection, window = Equirectangular(512, 512), Window(direction_from_angles(0.3, 0.2), 40, 20, 128)
    mask = np.zeros((128, 128), np.float32)
    mask[40:90, 50:80] = 1
    whole = paste(constant(mask), np.ones_like(mask), window, eye, projection)
    part = Refined(constant(mask[32:96, 40:96]).coefficients, place=(40.0, 32.0, 1.0))
    placed = paste(part, np.ones((64, 56), np.float32), window, eye, projection)
    assert whole is not None and placed is not None
    assert placed.rect == whole.rect and np.abs(placed.alpha - whole.alpha).max() < 1e-5


def test_nothing_there_gives_no_patch():
    eye, _ = disc_scene(256)
    nobody = np.zeros((64, 64), np.float32)
    assert paste(constant(nobody), nobody, Window((0, 0, 1), 40, 0, 64), eye, Equirectangular(256, 256)) is None


@pytest.mark.parametrize("fade", [0.03, 0.1])
def test_a_person_cut_by_the_window_ends_softly(fade):
    eye, _ = disc_scene(512)
    mask = np.ones((128, 128), np.float32)
    window, projection = Window((0, 0, 1), 40, 0, 128), Equirectangular(512, 512)
    patch = paste(constant(mask), mask, window, eye, projection, parameters=PasteParameters(fade))
    assert patch is not None
    row = patch.alpha[patch.alpha.shape[0] // 2]
    assert row[0] < 0.5 and row[len(row) // 2] == 1 and np.abs(np.diff(row)).max() < 0.45
    # as far as it is said to
    places = window.inverse_map(projection, patch.rect)[patch.alpha.shape[0] // 2, :, 0]
    assert row[(places > 0) & (places < 0.8 * fade * 128)].max() < 1
    assert (row[(places > 1.2 * fade * 128) & (places < 64)] == 1).all()
