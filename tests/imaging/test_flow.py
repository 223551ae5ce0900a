import numpy as np
import pytest

from vr180_ofx.imaging.filter import gaussian_blur
from vr180_ofx.imaging.flow import COARSE, FINE, Motion, TrustParameters, luma_of, motion_between, optical_flow


def texture(height=160, width=200, seed=0):
    """Grey with something to hold on to everywhere."""
    noise = gaussian_blur(np.random.default_rng(seed).random((height, width)).astype(np.float32), 2.5)
    return np.clip((noise - noise.min()) / (noise.max() - noise.min()) * 255, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("finest", "thorough"), [(0, False), (FINE, False), (COARSE, False), (FINE, True)])
def test_a_shift_is_found(finest, thorough):
    whole = texture()
    here, there = whole[10:-10, 10:-10], whole[7:-13, 6:-14]
    flow = optical_flow(here, there, finest=finest, thorough=thorough)
    inner = flow[30:-30, 30:-30]
    assert flow.shape == (*here.shape, 2) and np.abs(np.median(inner, axis=(0, 1)) - (4, 3)).max() < 0.2
    assert np.abs(inner - (4, 3)).mean() < 0.5


def test_what_does_not_move_is_trusted_and_stays():
    here = texture()
    motion = motion_between(here, here, 1.0)
    indices = np.stack(np.meshgrid(np.arange(200), np.arange(160)), axis=-1)
    assert np.abs(motion.places - indices).max() < 0.05 and motion.trust.min() > 0.99
    values = np.random.default_rng(1).random((160, 200, 2)).astype(np.float32)
    assert np.abs(motion.warp(values) - values).max() < 0.1


def test_values_move_with_the_picture():
    whole = texture()
    here, there = whole[10:-10, 10:-10], whole[10:-10, 5:-15]
    alpha = (np.indices(there.shape)[1] > 90).astype(np.float32)
    warped = motion_between(there, here, 1.0).warp_alpha(alpha)
    expected = np.indices(there.shape)[1] > 85
    assert ((warped > 0.5) == expected)[20:-20, 20:-20].mean() > 0.99 and warped.min() >= 0 and warped.max() <= 1


def test_trust_fades_where_pictures_differ_and_not_for_grain():
    here = texture()
    rng = np.random.default_rng(2)
    grainy = np.clip(here.astype(int) + rng.integers(-1, 2, here.shape), 0, 255).astype(np.uint8)
    assert motion_between(grainy, here, 1.0).trust.mean() > 0.98
    spoilt = here.copy()
    spoilt[60:100, 80:120] = 255 - spoilt[60:100, 80:120] // 4
    spoilt_trust = motion_between(spoilt, here, 1.0).trust
    assert spoilt_trust[70:90, 90:110].mean() < 0.3 and spoilt_trust[:40].mean() > 0.9
    # who is easier on differences trusts more
    easy = motion_between(spoilt, here, 1.0, trust=TrustParameters(fades=1e4)).trust
    assert easy.min() > 0.99


def test_luma_is_bytes_of_the_first_channel():
    guide = np.array([[[-0.1, 0.3, 0.4], [0.5, 0, 0], [1.2, 0, 0]]], np.float32)
    assert luma_of(guide).tolist() == [[0, 127, 255]] and luma_of(guide).dtype == np.uint8


def test_places_and_trust_are_of_one_picture():
    with pytest.raises(ValueError, match=r"\(4, 5, 2\).*\(4, 6\)"):
        Motion(np.zeros((4, 5, 2), np.float32), np.zeros((4, 6), np.float32))
    assert repr(Motion(np.zeros((4, 6, 2), np.float32), np.full((4, 6), 0.5, np.float32))) == "Motion(6x4, mean trust 0.50)"
