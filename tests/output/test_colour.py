import sys

import numpy as np
import pytest

from vr180_ofx.errors import SettingsError
from vr180_ofx.output.colour import Foreground, despilled, unmixed
from vr180_ofx.settings import OutputSettings


def test_the_foreground_is_found_on_a_synthetic_mixture():
    y, x = np.mgrid[:160, :160]
    alpha = np.clip((50 - np.hypot(x - 80, y - 80)) / 12 + 0.5, 0, 1).astype(np.float32)
    person, ground = np.array([0.9, 0.2, 0.1]), np.array([0.1, 0.6, 0.2])
    plate = (alpha[..., None] * person + (1 - alpha[..., None]) * ground).astype(np.float32)
    rim = (alpha > 0.2) & (alpha < 0.95)
    out = unmixed(plate, alpha)
    assert np.abs(out - person)[rim].mean() < 0.25 * np.abs(plate - person)[rim].mean()
    assert np.array_equal(out[alpha == 1], plate[alpha == 1])
    slow = Foreground(OutputSettings(foreground_method="multilevel"))(plate, alpha)
    assert np.abs(slow - person)[rim].mean() < 0.25 * np.abs(plate - person)[rim].mean()
    assert np.array_equal(slow[alpha == 1], plate[alpha == 1])


def test_multilevel_needs_a_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymatting", None)
    with pytest.raises(SettingsError, match=r"vr180-ofx\[closed_form\]"):
        Foreground(OutputSettings(foreground_method="multilevel"))


def test_the_light_of_a_screen_is_taken_off():
    colours = np.array([[[0.5, 0.9, 0.3], [0.8, 0.5, 0.4], [0.2, 0.3, 0.9]]], np.float32)
    green = despilled(colours, "green")
    assert np.allclose(green[0, 0], [0.5, 0.4, 0.3]) and np.array_equal(green[0, 1:], colours[0, 1:])
    assert np.allclose(despilled(colours, "blue", 0.5)[0, 2], [0.2, 0.3, 0.575])
    whole = np.ones((1, 3), np.float32)
    assert np.array_equal(Foreground(OutputSettings(despill="green"))(colours, whole), green)
