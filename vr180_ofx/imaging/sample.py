"""Pictures looked up where a map says."""

from __future__ import annotations

import cv2
import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.either import either
from vr180_ofx.imaging.opencv import INTERPOLATION, Border, Interpolation, Values, border_of

#: A place that is nowhere, in pixels: far outside of any picture.
_NOWHERE = -1e4


@either
def sample(
    values: Values,
    places: FloatArray,
    *,
    border: Border = 0.0,
    interpolation: Interpolation = "linear",
    origin: tuple[float, float] | None = None,
    pixel: tuple[float, float] | None = None,
    centre: float = 0.5,
) -> Values:
    """``values`` at ``places``.

    values: (h, w) or (h, w, c), uint8, uint16 or float32, at most 32767 pixels a side. A result of integers is rounded.
    places: (..., n, 2) of any float type: (x, y) in continuous pixels; NaN is outside. They are not changed.
    border: what lies outside; between the outermost pixels and it values are interpolated. With "edge" NaN is the first pixel.
    origin: the place where the first pixel begins, (0, 0) by default. pixel: (x, y) how large a pixel is in units of ``places``.
    centre: of the first pixel, in pixels from where it begins; 0 when places are pixel indices.

    The index of a pixel is ((place - origin) / pixel - centre), reckoned in the type of ``places`` and in this order.

    Returns (..., n) or (..., n, c).
    """
    at = _indices(places, origin, pixel, centre)
    # of one row or of many grids: looked up as one picture
    flat = at if at.ndim == 3 else at.reshape(-1, *at.shape[-2:])
    out = cv2.remap(values, flat, None, INTERPOLATION[interpolation], **border_of(border))
    made: Values = out if at.ndim == 3 else out.reshape(*at.shape[:-1], *values.shape[2:])
    return made


def _indices(
    places: FloatArray, origin: tuple[float, float] | None, pixel: tuple[float, float] | None, centre: float
) -> FloatArray:  # fmt: skip
    """Pixel indices, float32, an array of their own without NaN."""
    kind = places.dtype.type
    if origin is None and pixel is None:
        # in rows, however the places lie
        at = np.subtract(places, kind(centre), order="C") if centre else places.copy()
    else:
        # rows of x, y, x, y: NumPy is eight times as slow at a pair for each place
        rows = places.reshape(-1, 2 * places.shape[-2])
        count = places.shape[-2]
        line = rows - np.tile(np.array(origin or (0, 0), kind), count)
        if pixel is not None:
            line /= np.tile(np.array(pixel, kind), count) if pixel[0] != pixel[1] else kind(pixel[0])
        if centre:
            line -= kind(centre)
        at = line.reshape(places.shape)
    at = at.astype(np.float32, copy=False)
    # what a NaN becomes as a whole number is each processor's own affair
    cv2.patchNaNs(at, _NOWHERE)
    return at
