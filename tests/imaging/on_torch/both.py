"""A function of `imaging` by OpenCV, and by PyTorch: on a graphics card where there is one, unless VR180_OFX_TEST_DEVICE names another."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from vr180_ofx.imaging.either import host, is_tensor

#: Odd sizes, single pixels, rows and columns.
SHAPES = [(23, 17), (1, 1), (1, 9), (8, 1), (16, 24)]
TYPES = [np.uint8, np.uint16, np.float32]


def picture(shape: tuple[int, ...], kind: Any = np.float32, seed: int = 0) -> np.ndarray:
    """Of all numbers that a type has, or of 0 to 1."""
    values = np.random.default_rng(seed).random(shape)
    return (values * (np.iinfo(kind).max if np.issubdtype(kind, np.integer) else 1)).astype(kind)


def tensor(array: np.ndarray) -> Any:
    import torch

    return torch.from_numpy(array.copy()).to(os.environ.get("VR180_OFX_TEST_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu"))


def differs(function: Any, array: np.ndarray, *others: Any, twin: Any = None, **words: Any) -> float:
    """The largest difference, in shares of the range of the array's type; shapes and types are the same.

    twin: others for the tensor.
    """
    expected = function(array, *others, **words)
    found = function(tensor(array), *(others if twin is None else twin), **words)
    assert is_tensor(found)
    found = host(found)
    assert found.shape == expected.shape and found.dtype == expected.dtype
    peak = np.iinfo(expected.dtype).max if np.issubdtype(expected.dtype, np.integer) else 1.0
    return float(np.abs(found.astype(np.float64) - expected.astype(np.float64)).max(initial=0.0) / peak)
