"""Packed alpha and names for VR players, and pictures in other projections."""

import dataclasses

import cv2
import numpy as np
import pytest

from vr180_ofx.media.naming import facts_from_name
from vr180_ofx.vr180.packing import PACKED_ALPHA_1, name_tags, pack, packed_side, reprojected, unpack
from vr180_ofx.vr180.projection import Equirectangular, Fisheye, make_projection


def matte(n):
    """A person in the middle and another one high at the side, all within the circle."""
    alpha = np.zeros((n, n), np.float32)
    cv2.ellipse(alpha, (n // 2, n // 2), (n // 9, n // 5), 0, 0, 360, 1, -1)
    cv2.circle(alpha, (int(n * 0.75), int(n * 0.3)), n // 16, 1, -1)
    return cv2.GaussianBlur(alpha, (0, 0), 2)


@pytest.mark.parametrize("n", [256, 500, 1024])
def test_a_packed_matte_comes_back(n):
    picture = np.full((n, n, 3), 0.5, np.float32)
    packed = pack(picture, matte(n))
    assert np.abs(unpack(packed) - matte(n)).mean() < 0.004 and (packed[n // 2] == 0.5).all()
    corner = packed_side(n) // 2
    # the top left quarter of the matte lies in the top left corner, and so on: its inner corner is the matte's middle
    for rows, columns in ((slice(0, corner), slice(0, corner)), (slice(n - corner, n), slice(n - corner, n))):
        part = packed[rows, columns]
        assert (part[..., 1:] == 0).all() and part[..., 0].max() > 0.95
    assert packed[corner - 2, corner - 2, 0] > 0.9 and packed[2, 2, 0] == 0
    # the original is untouched
    assert (picture == 0.5).all()


def test_the_layout_is_data():
    """Another channel, another order of the corners: one edit, and both ways follow."""
    turned = tuple(dataclasses.replace(p, target=q.target) for p, q in zip(PACKED_ALPHA_1.pieces, PACKED_ALPHA_1.pieces[::-1], strict=True))
    other = dataclasses.replace(PACKED_ALPHA_1, version=2, channel=1, pieces=turned)
    packed = pack(np.zeros((400, 400, 3), np.float32), matte(400), other)
    assert (packed[..., 0] == 0).all() and np.abs(unpack(packed, other) - matte(400)).mean() < 0.004
    assert np.abs(unpack(packed) - matte(400)).mean() > 0.02


@pytest.mark.parametrize("fov", [180, 190, 200, 220])
def test_to_fisheye_and_back(fov):
    n = 512
    ys, xs = np.mgrid[:n, :n] / n
    picture = np.stack([0.5 + 0.4 * np.sin(9 * xs + 3 * ys), 0.5 + 0.4 * np.cos(7 * ys), xs], axis=-1).astype(np.float32)
    equirect, fisheye = Equirectangular(n, n), Fisheye(n, n, fov)
    there = reprojected(picture, equirect, fisheye)
    back = reprojected(there, fisheye, equirect)
    middle = np.s_[n // 4 : -n // 4, n // 4 : -n // 4]
    assert np.abs(back - picture)[middle].max() < 0.02
    # beyond 180 degrees the source shows nothing
    assert (there[n // 2, 1] == 0).all() == (fov > 182) and (there[2, 2] == 0).all()
    assert (reprojected(picture, equirect, fisheye, np.array([0, 1, 0], np.float32))[2, 2] == (0, 1, 0)).all()


@pytest.mark.parametrize(
    ("layout", "projection", "packed", "expected"),
    [
        ("sbs", ("equirect180", 8, 8, None), False, "LR_180"),
        ("tb", ("equirect180", 16, 8, 360), False, "TB_360"),
        ("mono", ("equirect180", 16, 8, 360), False, "MONO_360"),
        ("sbs", ("fisheye", 8, 8, 190), True, "FISHEYE190_alpha"),
        ("sbs", ("fisheye", 8, 8, 200), False, "MKX200"),
        ("tb", ("fisheye", 8, 8, 180), False, "TB_F180"),
        ("sbs", ("flat", 8, 8, None), False, ""),
    ],
)
def test_names_that_players_and_this_program_read(layout, projection, packed, expected):
    made = make_projection(*projection)
    tags = name_tags(layout, made, packed=packed)
    assert tags == expected
    if tags and projection[0] != "flat":
        facts = facts_from_name(f"clip_{tags}")
        assert facts.layout == layout and facts.projection == projection[0] and (facts.fov_degrees or 180) == (projection[3] or 180)
