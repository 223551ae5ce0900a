"""From a window back to the plate: alpha and confidence at full resolution, in the pixels that the person needs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.either import as_float, is_tensor, namespace, worth_it
from vr180_ofx.imaging.lattice import smooth_map
from vr180_ofx.imaging.parts import all_bounds
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

#: Where coefficients have no place: far outside of any.
_NOWHERE = -1e4


def paste(
    refined: Refined, confidence: FloatArray, window: Window, eye: EyeImage, projection: Projection, *,
    occupied: Rect | None = None, parameters: PasteParameters = MATTE.paste,
) -> Patch | None:  # fmt: skip
    """Evaluates the refined alpha on the plate's own pixels.

    confidence: (h, w) 0..1, as the coefficients. window: what they lie in. projection: of ``eye``, and of its size. occupied: see
    `occupied_parts`, where that was asked for already. Returns None when nothing of the person lies in the picture.
    """
    if occupied is None:
        (occupied,) = occupied_parts([refined])
    rect = support(refined, window, projection, occupied)
    if rect.empty:
        return None
    grid = _coefficient_grid(refined, window, projection, rect)
    coefficients = refined.coefficients
    xp = namespace(coefficients)
    guide = eye.guide(rect)
    # four channels are looked up three times as fast as three
    smooth = interleaved([coefficients[..., 0], coefficients[..., 3], as_float(confidence), coefficients[..., 3]])
    at = sample(smooth, grid, border=(0.0, 0.0, 1.0, 0.0))
    alpha = at[..., 0] * guide.luma
    alpha += at[..., 1]
    if refined.colour and guide.matrix.any() and worth_it(coefficients[..., 1]):
        alpha += _chroma_term(coefficients, grid, guide)
    if refined.gain != 1:
        alpha -= 0.5
        alpha *= refined.gain
        alpha += 0.5
    xp.clip(alpha, 0, 1, out=alpha)
    shape = coefficients.shape[:2]
    if _reaches_border(occupied, shape, parameters.fade):
        _fade(alpha, grid, shape, parameters.fade)
    return Patch(rect, alpha, xp.ascontiguousarray(xp.clip(at[..., 2], 0, 1)))


def occupied_parts(refined: Sequence[Refined]) -> list[Rect]:
    """The part of each one's coefficients where alpha can be above 0. Waits for tensors once."""
    # a constant alpha, or a dependence on luma: nothing else makes alpha without one of these
    return all_bounds([(r.coefficients[..., 3] != 0) | (r.coefficients[..., 0] != 0) for r in refined])


def support(refined: Refined, window: Window, projection: Projection, occupied: Rect) -> Rect:
    """The part of the eye's picture where the alpha can be above 0. occupied: see `occupied_parts`."""
    left, top, scale = refined.at(window.size)
    if occupied.empty:
        return Rect(0, 0, 0, 0)
    x0, x1 = left + (occupied.x0 - 1) / scale, left + (occupied.x1 + 1) / scale
    y0, y1 = top + (occupied.y0 - 1) / scale, top + (occupied.y1 + 1) / scale
    ticks = np.linspace(0, 1, 17)
    grid = np.stack(np.meshgrid(x0 + (x1 - x0) * ticks, y0 + (y1 - y0) * ticks), axis=-1)
    return Rect.around(projection.project(window.directions(grid)), 1).clipped(projection.width, projection.height)


def _coefficient_grid(refined: Refined, window: Window, projection: Projection, rect: Rect) -> FloatArray:
    """Where the coefficients of the pixels of ``rect`` lie, (rect.height, rect.width, 2) float32 continuous pixels of theirs."""
    left, top, scale = refined.at(window.size)
    if is_tensor(refined.coefficients):

        def places(p: FloatArray) -> FloatArray:
            own = (window.points(projection.unproject(p)) - (left, top)) * scale
            return np.where(np.isnan(own), _NOWHERE, own)

        # a lattice takes what the whole map would take several steps for
        return smooth_map(places, rect, like=refined.coefficients)
    grid = window.inverse_map(projection, rect)
    if left or top:
        grid -= np.array([left, top], np.float32)
    if scale != 1:
        grid *= np.float32(scale)
    # the sum of floats is NaN when any of them is, and costs half of asking each
    if not math.isfinite(float(grid.sum())):
        grid = np.where(np.isnan(grid), np.float32(_NOWHERE), grid)
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


def _reaches_border(occupied: Rect, shape: tuple[int, ...], fade: float) -> bool:
    height, width = shape
    room = math.ceil(fade * max(height, width)) + 1
    return any(v < room for v in (occupied.y0, occupied.x0, height - occupied.y1, width - occupied.x1))


def _fade(alpha: FloatArray, grid: FloatArray, shape: tuple[int, ...], fade: float) -> None:
    """Multiplies by a ramp at the border, so that nothing ends in a straight line."""
    height, width = shape
    xp = namespace(alpha)
    edge = xp.minimum(xp.minimum(grid[..., 0], grid[..., 1]), xp.minimum(width - grid[..., 0], height - grid[..., 1]))
    alpha *= xp.clip(edge / (fade * max(height, width)), 0, 1)
