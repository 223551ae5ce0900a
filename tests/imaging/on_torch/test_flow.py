import numpy as np
import pytest

from tests.imaging.on_torch.both import differs, picture, tensor
from vr180_ofx.imaging.either import host, is_tensor
from vr180_ofx.imaging.filter import gaussian_blur
from vr180_ofx.imaging.flow import luma_of, motion_between, optical_flow

pytest.importorskip("torch")

LUMA = gaussian_blur(picture((64, 80), np.uint8), 2.0) * 4
MOVED = np.roll(LUMA, 3, axis=1)


def test_lumas_are_the_same():
    assert differs(luma_of, picture((9, 7, 3)) * 1.2 - 0.1) == 0


def test_flow_is_the_hosts():
    assert differs(optical_flow, LUMA, MOVED, twin=[tensor(MOVED)]) == 0


def test_motion_is_trusted_as_far_and_warps_alike():
    expected, found = motion_between(MOVED, LUMA, 1.0), motion_between(tensor(MOVED), tensor(LUMA), 1.0)
    assert is_tensor(found.places) and np.array_equal(host(found.places), expected.places)
    # pictures that differ by a code value of 255 more or less are trusted up to a tenth more or less
    off = np.abs(host(found.trust) - expected.trust)
    assert off.mean() < 2e-3 and off.max() < 0.1
    alpha = picture((64, 80))
    assert np.abs(host(found.warp_alpha(tensor(alpha))) - expected.warp_alpha(alpha)).max() < 2e-5
    assert "mean trust" in repr(found)
