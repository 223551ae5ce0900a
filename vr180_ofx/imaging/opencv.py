"""The words of this room as OpenCV's numbers. Only modules of this room import this one."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

import cv2
import numpy as np

from vr180_ofx.arrays import Array

#: Values keep their type.
Values = TypeVar("Values", bound=Array)
Interpolation = Literal["nearest", "linear", "cubic"]
#: What lies outside of a picture: a number, one for each of up to four channels, or the picture's outermost pixels.
Border = float | tuple[float, ...] | Literal["edge"]
#: How a picture goes on beyond its sides, in NumPy's words (`numpy.pad`): "reflect" does not repeat the outermost pixel, "symmetric" does.
Mirror = Literal["reflect", "symmetric", "edge"]

INTERPOLATION = {"nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC, "area": cv2.INTER_AREA}
MIRROR = {"reflect": cv2.BORDER_REFLECT_101, "symmetric": cv2.BORDER_REFLECT, "edge": cv2.BORDER_REPLICATE}


def border_of(border: Border) -> dict[str, Any]:
    """The keyword arguments that OpenCV's warps take for a border."""
    if border == "edge":
        return {"borderMode": cv2.BORDER_REPLICATE}
    # one number is meant for all channels, and OpenCV takes it for the first one's
    return {"borderMode": cv2.BORDER_CONSTANT, "borderValue": border if isinstance(border, tuple) else (border,) * 4}


def raw(values: Array) -> Any:
    """Truth values as the bytes that they are, which OpenCV knows; all else as it is. Nothing is copied."""
    return values.view(np.uint8) if values.dtype == np.bool_ else values


def cooked(made: Any, like: Array) -> Any:
    """What was made of `raw` values, in the type of these."""
    return made.view(np.bool_) if like.dtype == np.bool_ else made
