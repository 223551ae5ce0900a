"""From a window back to the plate: alpha and confidence at full resolution, in the pixels that the person needs."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.planes import interleaved
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.sample import sample
from vr180_ofx.imaging.warp import inverse_affine, warp_affine
from vr180_ofx.matte.contract import Refined
from vr180_ofx.matte.parameters import MATTE, PasteParameters
from vr180_ofx.matte.patch import Patch
from vr180_ofx.media.contract import EyeImage, Guide
from vr180_ofx.vr180.projection import Projection
from vr180_ofx.vr180.window import Window


def paste(
    refined: Refined, confidence: FloatArray, window: Window, eye: EyeImage, projection: Projection, *,
    parameters: PasteParameters = MATTE.paste,
) -> Patch | None:  # fmt: skip
    """Evaluates the refined alpha on the plate's own pixels.

    confidence: (h, w) 0..1, as the coefficients. window: what they lie in. projection: of ``eye``, and of its size. Returns None
    when nothing of the person lies in the picture.
    """
    rect = support(refined, window, projection)
    if rect.empty:
        return None
    grid = _coefficient_grid(refined, window, projection, rect)
    coefficients = refined.coefficients
    guide = eye.guide(rect)
    # four channels are looked up three times as fast as three
    smooth = interleaved([coefficients[..., 0], coefficients[..., 3], confidence.astype(np.float32), coefficients[..., 3]])
    at = sample(smooth, grid, border=(0.0, 0.0, 1.0, 0.0))
    alpha = at[..., 0] * guide.luma
    alpha += at[..., 1]
    if coefficients[..., 1].any() and guide.matrix.any():
        alpha += _chroma_term(coefficients, grid, guide)
    if refined.gain != 1:
        alpha -= 0.5
        alpha *= np.float32(refined.gain)
        alpha += 0.5
    np.clip(alpha, 0, 1, out=alpha)
    if _reaches_border(refined, parameters.fade):
        _fade(alpha, grid, coefficients.shape[:2], parameters.fade)
    return Patch(rect, alpha, np.ascontiguousarray(np.clip(at[..., 2], 0, 1)))


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
    """The rows and the columns of the coefficients where alpha can be above 0."""
    # a constant alpha, or a dependence on luma: nothing else makes alpha without one of these
    some = (refined.coefficients[..., 3] != 0) | (refined.coefficients[..., 0] != 0)
    return np.flatnonzero(some.any(axis=1)), np.flatnonzero(some.any(axis=0))


def _coefficient_grid(refined: Refined, window: Window, projection: Projection, rect: Rect) -> FloatArray:
    """Where the coefficients of the pixels of ``rect`` lie, (rect.height, rect.width, 2) float32 continuous pixels of theirs."""
    left, top, scale = refined.at(window.size)
    grid = window.inverse_map(projection, rect)
    if left or top:
        grid -= np.array([left, top], np.float32)
    if scale != 1:
        grid *= np.float32(scale)
    # the sum of floats is NaN when any of them is, and costs half of asking each
    if not math.isfinite(float(grid.sum())):
        grid = np.where(np.isnan(grid), np.float32(-1e4), grid)
    return grid


def _chroma_term(coefficients: FloatArray, grid: FloatArray, guide: Guide) -> FloatArray:
    """What colour differences add to alpha: computed at the resolution that they are stored in, (h, w) at the one of luma."""
    height, width = guide.luma.shape
    identity = guide.chroma.shape[:2] == (height, width)
    if not identity:
        grid = warp_affine(grid, inverse_affine(guide.matrix), (guide.chroma.shape[1], guide.chroma.shape[0]), border="edge")
    c = sample(interleaved([coefficients[..., k] for k in (1, 2, 1, 2)]), grid)
    term: FloatArray = c[..., 0] * guide.chroma[..., 0]
    term += c[..., 1] * guide.chroma[..., 1]
    if not identity:
        term = warp_affine(term, guide.matrix, (width, height), border="edge")
    return term


def _reaches_border(refined: Refined, fade: float) -> bool:
    rows, columns = _occupied(refined)
    height, width = refined.coefficients.shape[:2]
    room = math.ceil(fade * max(height, width)) + 1
    near = (rows[0], columns[0], height - 1 - rows[-1], width - 1 - columns[-1]) if rows.size else ()
    return any(v < room for v in near)


def _fade(alpha: FloatArray, grid: FloatArray, shape: tuple[int, ...], fade: float) -> None:
    """Multiplies by a ramp at the border, so that nothing ends in a straight line."""
    height, width = shape
    edge = np.minimum(np.minimum(grid[..., 0], grid[..., 1]), np.minimum(width - grid[..., 0], height - grid[..., 1]))
    alpha *= np.clip(edge / np.float32(fade * max(height, width)), 0, 1)
