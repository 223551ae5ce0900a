"""Pictures and mattes that are made up, for tests of this room."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.matte.contract import Refiner
from vr180_ofx.matte.heights import Heights
from vr180_ofx.matte.paste import paste
from vr180_ofx.matte.refine import refine
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.vr180.projection import Equirectangular
from vr180_ofx.vr180.window import Window, direction_from_angles

#: Of most pictures: the reference's, so that lengths in parameters are pixels.
SIDE = 384


def disc(x: float, y: float, radius: float, soft: float = 1.5, side: int = SIDE) -> FloatArray:
    """An alpha, (side, side): a disc whose edge is ``2 * soft`` pixels wide."""
    ys, xs = np.mgrid[:side, :side]
    alpha: FloatArray = np.clip((radius - np.hypot(xs - x, ys - y)) / (2 * soft) + 0.5, 0, 1).astype(np.float32)
    return alpha


def logits_of(mask: FloatArray) -> FloatArray:
    """A mask, 0..1, as a tracker gives it."""
    m = np.clip(mask, 1e-3, 1 - 1e-3)
    return np.log(m / (1 - m)).astype(np.float32)


def heights_of(*masks: FloatArray) -> Heights:
    return Heights.of({p: logits_of(m) for p, m in enumerate(masks)})


def texture(seed: int, height: int, width: int, sigma: float = 3.0) -> Any:
    """Smooth noise, (height, width) 0..1."""
    noise = np.random.default_rng(seed).random((height, width)).astype(np.float32)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), sigma), None, 0.0, 1.0, cv2.NORM_MINMAX)


def displaced(alpha: FloatArray, seed: int) -> Any:
    """An outline that is off by a pixel or two, differently at each place."""
    height, width = alpha.shape
    shift = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 1, (height, width, 2)).astype(np.float32), (0, 0), 4)
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    shift *= 1.5 / shift.std()
    return cv2.remap(alpha, xs + shift[..., 0], ys + shift[..., 1], cv2.INTER_LINEAR)


def light(values: Any) -> Any:
    """sRGB as light (IEC 61966-2-1)."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def encoded(values: Any) -> Any:
    """Light as sRGB."""
    return np.where(values <= 0.0031308, values * 12.92, 1.055 * np.maximum(values, 0) ** (1 / 2.4) - 0.055)


def disc_scene(eye_size: int = 1536) -> tuple[RgbEye, FloatArray]:
    """A bright disc with a soft rim on a dark ground, as a picture of an eye and as its true alpha."""
    y, x = np.mgrid[:eye_size, :eye_size] + 0.5
    distance = np.hypot(x - eye_size * 0.52, y - eye_size * 0.5) - eye_size * 0.08
    alpha = np.clip(0.5 - distance / 6, 0, 1).astype(np.float32)
    colour = alpha[..., None] * np.array([0.9, 0.7, 0.5]) + (1 - alpha[..., None]) * np.array([0.1, 0.2, 0.3])
    return RgbEye((colour * 65535).astype(np.uint16), (0, 0), eye_size, eye_size), alpha


def error_in_disc_scene(refiner: Refiner) -> float:
    """Mean absolute error of a matte in `disc_scene` whose mask is blurred and a little off, as a network gives it."""
    eye, alpha = disc_scene()
    projection = Equirectangular(eye.width, eye.height)
    window = Window(direction_from_angles(0.06, 0.0), 45, 0, 256)
    grid = window.grid(projection)
    small = cv2.remap(alpha, grid[..., 0] - 0.5, grid[..., 1] - 0.5, cv2.INTER_LINEAR)
    mask = np.roll(cv2.GaussianBlur((small > 0.5).astype(np.float32), (0, 0), 2), 2, axis=1)
    patch = paste(refine(refiner, eye.sample(grid).guide, mask), np.ones_like(mask), window, eye, projection)
    assert patch is not None
    out = np.zeros_like(alpha)
    out[patch.rect.slices] = patch.alpha
    return float(np.abs(out - alpha).mean())
