"""Somebody of whom it is known how they are dressed: one colour above the hips, another below."""

from __future__ import annotations

import numpy as np

from vr180_ofx.people.look import look_of

SIDE = 96
HIPS, TOP = np.array([48.0, 48.0]), np.array([48.0, 8.0])


def encoded(linear):
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055)


def body(rows=(8, 92)):
    ys, xs = np.mgrid[:SIDE, :SIDE]
    return (np.abs(xs - 48) < 14) & (ys >= rows[0]) & (ys < rows[1])


def dressed(upper, lower, background=(0.2, 0.2, 0.2), hips=49):
    """Linear light: one colour above the hips, another below."""
    picture = np.empty((SIDE, SIDE, 3))
    picture[:] = background
    rows = np.arange(SIDE)[:, None, None]
    return np.where(body()[..., None], np.where(rows < hips, np.array(upper), np.array(lower)), picture)


def look(linear, mask=None, hips=HIPS):
    made = look_of(encoded(linear).astype(np.float32), body() if mask is None else mask, hips, TOP)
    assert made is not None
    return made
