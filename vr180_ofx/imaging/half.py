"""Half-precision arrays: conversion and arithmetic that NumPy is slow at."""

from __future__ import annotations

import cv2
import numpy as np

from vr180_ofx.arrays import FloatArray, HalfArray
from vr180_ofx.imaging.either import either


@either
def half(values: FloatArray) -> HalfArray:
    """float32 as half. OpenCV 5 does it ten times as fast as NumPy, which has no instructions for it; the bits are the same.

    Zeros have no sign: the functions below take halves for the integers that their bits are.
    """
    # of an empty array OpenCV makes none
    if _OPENCV_HALF and values.size:
        quick: HalfArray = cv2.addWeighted(values, 1.0, values, 0.0, 0.0, dtype=cv2.CV_16F)
        return quick
    # -0 + 0 is 0
    return (values + np.float32(0)).astype(np.float16)


@either
def floats(values: HalfArray) -> FloatArray:
    """Halves as float32, exactly, in an array of their own; finite ones, as mattes have. As quick as `half`."""
    if _OPENCV_HALF and values.size:
        quick: FloatArray = cv2.addWeighted(values, 1.0, values, 0.0, 0.0, dtype=cv2.CV_32F)
        return quick
    return values.astype(np.float32)


def _opencv_half() -> bool:
    probe = np.array([[0.0, 1 / 3, 1.0]], np.float32)
    try:
        made = cv2.addWeighted(probe, 1.0, probe, 0.0, 0.0, dtype=cv2.CV_16F)
        back = cv2.addWeighted(made, 1.0, made, 0.0, 0.0, dtype=cv2.CV_32F)
    except (cv2.error, TypeError):
        return False
    return bool(made.dtype == np.float16 and np.array_equal(made, probe.astype(np.float16)) and np.array_equal(back, made))


_OPENCV_HALF = _opencv_half()


@either
def add_half(total: HalfArray, alpha: HalfArray) -> None:
    """Adds an alpha to a sum that stays at or below 1; arithmetic in half is slow, and only few pixels need it."""
    a, b = total.view(np.uint16), alpha.view(np.uint16)
    both = (a != 0) & (b != 0)
    sums = np.minimum(total[both].astype(np.float32) + alpha[both].astype(np.float32), 1)
    np.maximum(a, b, out=a)
    total[both] = sums


@either
def least_half(total: HalfArray, values: HalfArray) -> None:
    """The lesser of two, in place. Halves of one sign are in the order of their bits, and integers compare ten times faster."""
    low = total.view(np.uint16)
    np.minimum(low, values.view(np.uint16), out=low)
