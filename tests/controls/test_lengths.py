"""What a milliradian is, against the formulas of each projection."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vr180_ofx.controls.lengths import MOST_STRETCH, Milliradians, Pixels, area
from vr180_ofx.vr180.projection import Equirectangular, Fisheye, Rectilinear


@pytest.mark.parametrize("latitude", [0, 30, -60, 70])
def test_in_an_equirectangular_picture_it_is_wider_by_1_over_the_cosine(latitude):
    eye = Equirectangular(3000, 2000)
    y = (0.5 - latitude / 180) * 2000
    across, down = Milliradians(eye).ellipse(700, y).reach
    assert down == pytest.approx(2000 / math.pi / 1000, rel=1e-4)
    assert across == pytest.approx(3000 / math.pi / 1000 / math.cos(math.radians(latitude)), rel=1e-4)


def test_near_the_poles_it_ends_somewhere():
    across, _ = Milliradians(Equirectangular(2000, 2000)).ellipse(1000, 1).reach
    assert across == pytest.approx(MOST_STRETCH * 2000 / math.pi / 1000, rel=1e-3)


def test_in_a_fisheye_it_is_longer_around_the_middle():
    eye = Fisheye(2000, 2000, 180)
    per_radian, angle = 2000 / math.pi, math.radians(60)
    for azimuth in (0, 40, 90):
        direction = np.array([math.cos(math.radians(azimuth)), math.sin(math.radians(azimuth))])
        e = Milliradians(eye).ellipse(*(1000 + per_radian * angle * direction))
        m = np.array([[e.xx, e.xy], [e.xy, e.yy]])
        turned = np.array([-direction[1], direction[0]])
        assert math.sqrt(direction @ m @ direction) == pytest.approx(per_radian / 1000, rel=1e-3)
        assert math.sqrt(turned @ m @ turned) == pytest.approx(per_radian / 1000 * angle / math.sin(angle), rel=1e-3)
    outside = Milliradians(eye).ellipse(1, 1).reach
    assert outside == pytest.approx((per_radian / 1000, per_radian / 1000), rel=1e-3)


def test_in_a_flat_picture_it_is_what_the_lens_says():
    eye = Rectilinear(1920, 1080, 60)
    across, down = Milliradians(eye).ellipse(960, 540).reach
    assert across == pytest.approx(eye.focal_pixels / 1000, rel=1e-4) and down == pytest.approx(across, rel=1e-4)


def test_pixels_are_those_of_the_full_resolution():
    assert Pixels(0.5).ellipse(3, 4).reach == (0.5, 0.5) and area(Pixels(0.5).ellipse(0, 0)) == pytest.approx(0.25)
