"""The refiner by PyMatting."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from tests.matte.shapes import error_in_disc_scene
from vr180_ofx.errors import SettingsError
from vr180_ofx.matte.closed_form import ClosedFormRefiner
from vr180_ofx.matte.parameters import CLOSED_FORM, MATTE
from vr180_ofx.matte.plain import NoRefiner


def test_without_pymatting_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymatting", None)
    with pytest.raises(SettingsError, match=r"pip install 'vr180-ofx\[closed_form\]'"):
        ClosedFormRefiner()


@pytest.fixture
def refiner():
    pytest.importorskip("pymatting", reason="the extra closed_form is not installed")
    return ClosedFormRefiner()


def test_refining_beats_the_mask_it_came_from(refiner):
    assert error_in_disc_scene(refiner) < 0.5 * error_in_disc_scene(NoRefiner())


def test_nothing_to_solve_leaves_the_mask(refiner):
    guide = np.random.default_rng(0).random((40, 40, 3)).astype(np.float32)
    for mask in (np.zeros((40, 40), np.float32), np.ones((40, 40), np.float32)):
        assert np.array_equal(refiner.refine(guide, mask).value(guide), mask)


def test_it_is_known_by_what_it_was_tuned_to(refiner):
    assert ClosedFormRefiner(replace(CLOSED_FORM, band_px=9)).identity() != refiner.identity()
    assert ClosedFormRefiner(detail=replace(MATTE.detail, square_px=5)).identity() != refiner.identity()
