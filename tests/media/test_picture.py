"""Eyes inside frames: what they refuse, and what they show of themselves. What they show of pictures is tested with videos and sequences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.contract import ColourTags, Guide, Sample
from vr180_ofx.media.picture import RgbEye, YuvEye, _luma_chroma

RNG = np.random.default_rng(0)
LUMA = RNG.integers(16, 236, (24, 40), np.uint8)
CHROMA = RNG.integers(16, 241, (12, 20), np.uint8)
RGB = RNG.integers(0, 256, (24, 40, 3), np.uint8)


def yuv(y=LUMA, u=CHROMA, v=CHROMA, origin=(0, 0), width=40, height=24):
    return YuvEye(y, u, v, (2, 2), 8, ColourTags(), origin, width, height)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: yuv(u=None), "both planes of chroma or none"),
        (lambda: yuv(v=CHROMA[1:]), r"\(12, 20\) and \(11, 20\)"),
        (lambda: yuv(origin=(1, 0)), r"40x24 at \(1, 0\).*40x24"),
        (lambda: RgbEye(RGB[..., 0], (0, 0), 40, 24), r"\(24, 40\)"),
        (lambda: RgbEye(RGB, (0, -1), 40, 24), r"at \(0, -1\)"),
        (lambda: Sample(np.zeros((4, 4, 3), np.float32), np.zeros((4, 5, 3), np.float32)), r"\(4, 4, 3\).*\(4, 5, 3\)"),
        (lambda: Guide(np.zeros((4, 4), np.float32), np.zeros((2, 2), np.float32), np.zeros((2, 3))), r"\(2, 2\)"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_what_was_given(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_eyes_show_shapes_and_no_pixels():
    assert repr(yuv()).startswith("YuvEye(y=uint8 (24, 40), u=uint8 (12, 20), v=uint8 (12, 20)") and "array" not in repr(yuv())
    assert repr(RgbEye(RGB, (0, 0), 40, 24)).startswith("RgbEye(pixels=uint8 (24, 40, 3)")
    assert repr(yuv().guide(Rect(0, 0, 8, 6))) == "Guide(luma=float32 (6, 8), chroma=float32 (3, 4, 2), matrix=float64 (2, 3))"


@settings(deadline=None)
@given(st.integers(0, 39), st.integers(0, 23))
def test_a_place_at_a_pixel_shows_the_pixel(x, y):
    """RGB as it is, and of YUV the luma, 16..235 becoming 0..1."""
    grid = np.array([[(x + 0.5, y + 0.5)]], np.float32)
    assert np.allclose(RgbEye(RGB, (0, 0), 40, 24).sample(grid).rgb[0, 0], RGB[y, x] / 255, atol=1e-6)
    assert yuv().sample(grid).guide[0, 0, 0] == pytest.approx((int(LUMA[y, x]) - 16) / 219, abs=1e-6)


def test_outside_is_black_and_so_is_nowhere():
    grid = np.full((3, 4, 2), np.nan, np.float32)
    grid[1, 2] = (20.5, 12.5)
    for eye in (yuv(), RgbEye(RGB, (0, 0), 40, 24)):
        seen = eye.sample(grid)
        assert seen.rgb[1, 2].any() and not np.delete(seen.rgb.reshape(12, 3), 6, axis=0).any()
        beyond = eye.sample(grid + 1000)
        assert not beyond.rgb.any() and not beyond.guide.any()


def test_luma_and_colour_differences():
    """ITU-R BT.709."""
    rgb = np.random.default_rng(1).random((3, 3, 3)).astype(np.float32)
    y = rgb @ np.array([0.2126, 0.7152, 0.0722])
    out = _luma_chroma(rgb)
    assert out[..., 0] == pytest.approx(y, abs=1e-5) and out[..., 1] == pytest.approx((rgb[..., 2] - y) / 1.8556, abs=1e-3)
