"""From linear light to the numbers of a file: softness of the lens, exposure, noise, transfer.

Colours are linear light with BT.709's primaries; 1.0 is the sensor's white.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.scenes.contract import Sensor

Floats = NDArray[np.float32]

#: BT.2087, linear BT.709 to BT.2020
TO_BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]], np.float32)
#: BT.2408: diffuse white of HLG at 75 % of the signal is this share of the scene's peak
HLG_WHITE = 0.265
#: what foreground.mkv and background.mkv hold: (linear / peak) to this power; near the eye's steps, so 16 bits lose nothing
COLOUR_POWER = 1 / 2.4
COLOUR_PEAK = 8.0


def softened(picture: Floats, angles: NDArray[np.float64], sigma_at_rim: float) -> Floats:
    """A picture (h, w, n) as a lens gives it that loses sharpness with the square of the angle from its axis (field curvature).

    sigma_at_rim: pixels at 90 degrees. Between four blurred copies it is mixed linearly.
    """
    if sigma_at_rim <= 0:
        return picture
    levels = np.linspace(0, 1, 4) * sigma_at_rim
    stack = [picture] + [np.asarray(cv2.GaussianBlur(picture, (0, 0), float(s), borderType=cv2.BORDER_REPLICATE)) for s in levels[1:]]
    shaped = [np.atleast_3d(p) for p in stack]
    where = np.clip((angles / 90) ** 2, 0, 1) * (len(levels) - 1)
    out = np.zeros_like(shaped[0])
    for k, level in enumerate(shaped):
        out += level * np.clip(1 - np.abs(where - k), 0, 1).astype(np.float32)[..., None]
    return np.asarray(out.reshape(picture.shape), np.float32)


def exposure_for(picture: Floats) -> float:
    """Gain that exposes a picture (h, w, 3) well: its logarithmic mean becomes 0.18, as a light meter has it, but what a
    twentieth of it outshines (a lamp, the sun's side of the sky) stays below 0.7, so a dark stage stays dark."""
    luminance = np.maximum(picture @ np.array([0.2126, 0.7152, 0.0722], np.float32), 1e-5)
    middle, top = float(np.exp(np.log(luminance).mean())), float(np.quantile(luminance, 0.95))
    return min(0.18 / middle, 0.7 / top)


def gains(sensor: Sensor, eye: int, time_s: float) -> Floats:
    """Gain of each channel (3,) in one eye at one time: exposure, warmth and the flicker of lamps."""
    beat = 1 - sensor.flicker * (0.5 - 0.5 * np.cos(2 * np.pi * sensor.flicker_hz * time_s))
    warm = sensor.warmth[eye]
    return np.asarray(2.0 ** sensor.exposure_ev[eye] * beat * np.array([warm, 1.0, 1 / warm]), np.float32)


def exposed(light: Floats, sensor: Sensor, rng: np.random.Generator) -> Floats:
    """What the sensor counted, as light 0..1: shot and read noise, clipped at white."""
    electrons = np.maximum(light, 0) * sensor.full_well
    noise = rng.standard_normal(light.shape, np.float32)
    counted = electrons + noise * np.sqrt(electrons + sensor.read_noise**2)
    return np.asarray(np.clip(counted / sensor.full_well, 0, 1), np.float32)


def signal(light: Floats, transfer: str) -> Floats:
    """Light 0..1 as a video signal 0..1: BT.709's curve, or ARIB STD-B67 with the primaries of BT.2020."""
    if transfer == "hlg":
        scene = np.clip(light @ TO_BT2020.T, 0, 1) * HLG_WHITE
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        low = np.sqrt(3 * scene)
        high = a * np.log(np.maximum(12 * scene - b, 1e-9)) + c
        return np.asarray(np.where(scene <= 1 / 12, low, high), np.float32)
    return np.asarray(np.where(light < 0.018, 4.5 * light, 1.099 * np.maximum(light, 1e-9) ** 0.45 - 0.099), np.float32)


def light_of(values: Floats, transfer: str) -> Floats:
    """``signal``'s inverse."""
    if transfer == "hlg":
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(values <= 0.5, values**2 / 3, (np.exp((values - c) / a) + b) / 12)
        return np.asarray((scene / HLG_WHITE) @ np.linalg.inv(TO_BT2020).T, np.float32)
    return np.asarray(np.where(values < 0.081, values / 4.5, ((values + 0.099) / 1.099) ** (1 / 0.45)), np.float32)


def coded(light: Floats) -> NDArray[np.uint16]:
    """Linear light as 16-bit codes of foreground.mkv and background.mkv."""
    return np.asarray(np.rint(np.clip(light / COLOUR_PEAK, 0, 1) ** COLOUR_POWER * 65535), np.uint16)


def decoded(codes: NDArray[np.uint16]) -> Floats:
    """``coded``'s inverse."""
    return np.asarray((codes / np.float32(65535)) ** np.float32(1 / COLOUR_POWER) * COLOUR_PEAK, np.float32)
