"""What PNG and video outputs show: eyes put together, alpha over a colour, foreground."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vr180_ofx.arrays import FloatArray
from vr180_ofx.engine.frame import Frame
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.contract import EyeImage, SourceFrame
from vr180_ofx.output.colour import Foreground
from vr180_ofx.vr180.layout import Layout

Pixels = npt.NDArray[np.generic]


def plate(eye: EyeImage, width: int, height: int) -> FloatArray:
    """The whole eye at the matte's size, (height, width, 3) sRGB 0..1, whatever the plate's own encoding is."""
    if (eye.width, eye.height) != (width, height):
        eye = eye.reduced(max(1, round(eye.width / width)))
    return eye.region(Rect(0, 0, eye.width, eye.height))


def over_colour(frame: Frame, source: SourceFrame, colour: tuple[int, int, int], foreground: Foreground) -> dict[str, FloatArray]:
    """Each eye over a plain colour, (h, w, 3) 0..1: the foreground's own colour, so that no rim of the old background stays."""
    out = {}
    backdrop = np.array(colour, np.float32) / 255
    for view, matte in frame.views.items():
        picture = np.empty((matte.height, matte.width, 3), np.float32)
        picture[:] = backdrop
        rect = matte.bounds
        if not rect.empty:
            rgb, alpha = _foreground(source.eyes[view], matte.width, rect, matte.alpha[rect.slices], foreground)
            picture[rect.slices] = rgb * alpha[..., None] + backdrop * (1 - alpha[..., None])
        out[view] = picture
    return out


def rgba(frame: Frame, source: SourceFrame, foreground: Foreground | None) -> dict[str, FloatArray]:
    """Each eye as unpremultiplied RGBA, (h, w, 4) 0..1.

    foreground: colour only where there are people, with the background's share taken out; None: the plate as it is.
    """
    out = {}
    for view, matte in frame.views.items():
        picture = np.zeros((matte.height, matte.width, 4), np.float32)
        alpha = matte.alpha
        picture[..., 3] = alpha
        rect = matte.bounds
        if foreground is None:
            picture[..., :3] = plate(source.eyes[view], matte.width, matte.height)
        elif not rect.empty:
            rgb, part = _foreground(source.eyes[view], matte.width, rect, alpha[rect.slices], foreground)
            rgb[part <= 0] = 0
            picture[(*rect.slices, slice(0, 3))] = rgb
        out[view] = picture
    return out


def _foreground(eye: EyeImage, width: int, rect: Rect, alpha: FloatArray, foreground: Foreground) -> tuple[FloatArray, FloatArray]:
    if eye.width != width:
        eye = eye.reduced(max(1, round(eye.width / width)))
    return np.clip(foreground(eye.region(rect), alpha), 0, 1), alpha


def together(eyes: dict[str, FloatArray], layout: Layout) -> FloatArray:
    """Both eyes in one picture as the source had them (side by side, or one above the other, swapped or not)."""
    views = list(layout.views)
    if len(views) == 1:
        return eyes[views[0]]
    if layout.swap_eyes:
        views.reverse()
    return np.concatenate([eyes[v] for v in views], axis=0 if layout.name == "tb" else 1)
