"""Rays of a pixel and pixels of a point, for both kinds of eye. Axes y up; a camera looks along its own -z, x to its right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Kind = Literal["equirect", "fisheye", "flat"]


@dataclass(frozen=True, slots=True)
class Eye:
    """One eye's picture: ``size`` pixels square over ``degrees`` both ways; a fisheye's angle from the axis grows evenly (equidistant);
    flat is an ordinary camera.

    pose: (4, 4) from camera to world, metres.
    """

    kind: Kind
    size: int
    degrees: float
    pose: Floats

    def rays(self) -> Floats:
        """Unit directions (size, size, 3) in world axes through the centres of pixels."""
        half = np.radians(self.degrees) / 2
        middle = (np.arange(self.size) + 0.5) / self.size * 2 - 1
        across, up = np.meshgrid(middle * half, -middle * half)
        if self.kind == "equirect":
            local = np.stack([np.cos(up) * np.sin(across), np.sin(up), -np.cos(up) * np.cos(across)], axis=-1)
        elif self.kind == "flat":
            scale = np.tan(half) / half
            local = np.stack([across * scale, up * scale, -np.ones_like(across)], axis=-1)
            local /= np.linalg.norm(local, axis=-1, keepdims=True)
        else:
            angle = np.hypot(across, up)
            part = np.sinc(angle / np.pi)
            local = np.stack([across * part, up * part, -np.cos(angle)], axis=-1)
        return local @ self.pose[:3, :3].T

    def places(self, points: Floats) -> tuple[Floats, Floats]:
        """Pixel coordinates (..., 2) of world points (..., 3), pixel centres at n + 0.5, and distances (...) along the ray, metres."""
        local = (np.asarray(points, np.float64) - self.pose[:3, 3]) @ self.pose[:3, :3]
        x, y, z = local[..., 0], local[..., 1], -local[..., 2]
        far = np.linalg.norm(local, axis=-1)
        half = np.radians(self.degrees) / 2
        if self.kind == "equirect":
            across, up = np.arctan2(x, z), np.arcsin(np.clip(y / np.maximum(far, 1e-12), -1, 1))
        elif self.kind == "flat":
            ahead = np.maximum(z, 1e-6) * np.tan(half) / half
            across, up = x / ahead, y / ahead
        else:
            angle = np.arctan2(np.hypot(x, y), z)
            scale = angle / np.maximum(np.hypot(x, y), 1e-12)
            across, up = x * scale, y * scale
        pixels = np.stack([(across / half + 1) / 2, (1 - up / half) / 2], axis=-1) * self.size
        return pixels, far

    def angles(self) -> Floats:
        """Degrees (size, size) between each pixel's ray and the optical axis."""
        forward = -self.pose[:3, 2]
        return np.asarray(np.degrees(np.arccos(np.clip(self.rays() @ forward, -1, 1))))
