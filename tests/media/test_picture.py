"""Colours of pictures that were made of RGB."""

from __future__ import annotations

import numpy as np
import pytest

from vr180_ofx.media.picture import _luma_chroma


def test_luma_and_colour_differences():
    """ITU-R BT.709."""
    rgb = np.random.default_rng(1).random((3, 3, 3)).astype(np.float32)
    y = rgb @ np.array([0.2126, 0.7152, 0.0722])
    out = _luma_chroma(rgb)
    assert out[..., 0] == pytest.approx(y, abs=1e-5) and out[..., 1] == pytest.approx((rgb[..., 2] - y) / 1.8556, abs=1e-3)
