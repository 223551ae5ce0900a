"""From a window back to the plate: alpha and confidence at full resolution, in the pixels the person needs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.contract import Refined, Refiner
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.vr180.projection import Projection
from vr180_ofx.vr180.window import Window

#: Beyond this many window pixels from the mask's edge nothing is refined: inside is 1, outside is 0.
BAND = 14
#: How far around a pixel refiners look, and a little more.
_REACH = 18
#: The outermost part of a window fades out, so that a person who reaches beyond it ends softly.
_FADE = 0.03


@dataclass(frozen=True, slots=True)
class Patch:
    """A rectangle of an eye: alpha and confidence, (height, width) float32, 0..1."""

    rect: Rect
    alpha: FloatArray
    confidence: FloatArray


def spread(patch: Patch, rect: Rect, around: float = 0.0) -> tuple[FloatArray, FloatArray]:
    """(alpha, confidence) of a patch in another rectangle: alpha 0, and confidence ``around``, where it has nothing to say."""
    alpha = np.zeros((rect.height, rect.width), np.float32)
    confidence = np.full((rect.height, rect.width), around, np.float32)
    common = rect.intersection(patch.rect)
    if not common.empty:
        own, there = (common.shifted(-r.x0, -r.y0).slices for r in (patch.rect, rect))
        alpha[there], confidence[there] = patch.alpha[own], patch.confidence[own]
    return alpha, confidence


def refine(refiner: Refiner, guide: FloatArray, mask: FloatArray) -> Refined:
    """What ``refiner`` makes of a window, where it has a say. guide: (n, n, 3); mask: (n, n) 0..1.

    Only the part of the window that holds the person and their surroundings is worked on: half of it as a rule.
    """
    whole = np.zeros((*mask.shape, 4), np.float32)
    x, y, w, h = cv2.boundingRect((mask > 0.5).astype(np.uint8))
    if w == 0:
        return Refined(whole)
    part = Rect(x, y, x + w, y + h).grown(BAND + _REACH).clipped(mask.shape[1], mask.shape[0]).slices
    made = restrict(refiner.refine(np.ascontiguousarray(guide[part]), np.ascontiguousarray(mask[part])), mask[part])
    whole[part] = made.coefficients
    return Refined(whole, made.gain)


def restrict(refined: Refined, mask: FloatArray) -> Refined:
    """Leaves the refiner its say near the mask's edge alone."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * BAND + 1, 2 * BAND + 1))
    inside = (mask > 0.5).astype(np.uint8)
    sure = cv2.erode((mask > 0.8).astype(np.uint8), kernel) > 0
    away = cv2.dilate(inside, kernel) == 0
    unsure = np.where(sure | away, np.float32(0), np.float32(1))
    coefficients = refined.coefficients * unsure[..., None]
    coefficients[..., 3] += sure
    return Refined(coefficients, refined.gain)


def support(refined: Refined, window: Window, projection: Projection) -> Rect:
    """The part of the eye's picture where the alpha can be above 0."""
    left, top, scale = refined.at(window.size)
    rows, columns = _occupied(refined)
    if rows.size == 0:
        return Rect(0, 0, 0, 0)
    x0, x1 = left + (columns[0] - 1) / scale, left + (columns[-1] + 2) / scale
    y0, y1 = top + (rows[0] - 1) / scale, top + (rows[-1] + 2) / scale
    ticks = np.linspace(0, 1, 17)
    grid = np.stack(np.meshgrid(x0 + (x1 - x0) * ticks, y0 + (y1 - y0) * ticks), axis=-1)
    return Rect.around(projection.project(window.directions(grid)), 1).clipped(projection.width, projection.height)


def _occupied(refined: Refined) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The rows and the columns of the window where alpha can be above 0."""
    # a constant alpha, or a dependence on luma: nothing else makes alpha without one of these
    some = (refined.coefficients[..., 3] != 0) | (refined.coefficients[..., 0] != 0)
    return np.flatnonzero(some.any(axis=1)), np.flatnonzero(some.any(axis=0))


def paste(refined: Refined, confidence: FloatArray, window: Window, eye: EyeImage, projection: Projection) -> Patch | None:
    """Evaluates the refined alpha on the plate's own pixels.

    confidence: (h, w) 0..1, as the coefficients. Returns None when nothing of the person lies in the picture.
    """
    rect = support(refined, window, projection)
    if rect.empty:
        return None
    left, top, scale = refined.at(window.size)
    grid = window.inverse_map(projection, rect)
    if left or top:
        grid -= np.array([left, top], np.float32)
    if scale != 1:
        grid *= np.float32(scale)
    # the sum of floats is NaN when any of them is, and costs half of asking each
    if not math.isfinite(float(grid.sum())):
        grid = np.where(np.isnan(grid), np.float32(-1e4), grid)
    guide = eye.guide(rect)
    coefficients = refined.coefficients
    flat = not coefficients[..., 1].any()
    # four channels are looked up three times as fast as three
    smooth = cv2.merge([coefficients[..., 0], coefficients[..., 3], confidence.astype(np.float32), coefficients[..., 3]])
    at = _lookup(smooth, grid, (0.0, 0.0, 1.0, 0.0))
    alpha = at[..., 0] * guide.luma
    alpha += at[..., 1]
    if not flat and guide.matrix.any():
        size = (guide.chroma.shape[1], guide.chroma.shape[0])
        identity = guide.chroma.shape[:2] == alpha.shape
        chroma_grid = (
            grid if identity else cv2.warpAffine(grid, guide.matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        )
        c = _lookup(cv2.merge([coefficients[..., k] for k in (1, 2, 1, 2)]), chroma_grid)
        term = c[..., 0] * guide.chroma[..., 0]
        term += c[..., 1] * guide.chroma[..., 1]
        if not identity:
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            term = cv2.warpAffine(term, guide.matrix, (alpha.shape[1], alpha.shape[0]), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        alpha += term
    if refined.gain != 1:
        alpha -= 0.5
        alpha *= np.float32(refined.gain)
        alpha += 0.5
    np.clip(alpha, 0, 1, out=alpha)
    if _reaches_border(refined):
        _fade(alpha, grid, coefficients.shape[:2])
    return Patch(rect, alpha, np.ascontiguousarray(np.clip(at[..., 2], 0, 1)))


def _lookup(values: FloatArray, grid: FloatArray, outside: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)) -> FloatArray:
    out: FloatArray = cv2.remap(values, grid - np.float32(0.5), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=outside)
    return out


def _reaches_border(refined: Refined) -> bool:
    rows, columns = _occupied(refined)
    height, width = refined.coefficients.shape[:2]
    room = math.ceil(_FADE * max(height, width)) + 1
    near = (rows[0], columns[0], height - 1 - rows[-1], width - 1 - columns[-1]) if rows.size else ()
    return any(v < room for v in near)


def _fade(alpha: FloatArray, grid: FloatArray, shape: tuple[int, ...]) -> None:
    """Multiplies by a ramp at the border, so that nothing ends in a straight line."""
    height, width = shape
    edge = np.minimum(np.minimum(grid[..., 0], grid[..., 1]), np.minimum(width - grid[..., 0], height - grid[..., 1]))
    alpha *= np.clip(edge / np.float32(_FADE * max(height, width)), 0, 1)
