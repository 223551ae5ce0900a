"""Pictures as PyTorch's functions take them, and back; small arrays of the host on a device."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vr180_ofx.arrays import Array
from vr180_ofx.imaging.on_torch.cuda import is_recording, queue_of
from vr180_ofx.imaging.opencv import Mirror

#: PyTorch's words for `Mirror`; it has none for "symmetric".
_PADDING = {"reflect": "reflect", "edge": "replicate"}
_PEAK = {torch.uint8: 255, torch.uint16: 65535}


def planes_first(values: Tensor) -> Tensor:
    """(h, w), (h, w, c) or (n, h, w, c) as (n, c, h, w), in float32, or float64 if it is that. Nothing is moved."""
    given = values if values.dtype in (torch.float32, torch.float64) else values.to(torch.float32)
    if given.ndim == 2:
        return given[None, None]
    return given.permute(2, 0, 1)[None] if given.ndim == 3 else given.permute(0, 3, 1, 2)


def planes_last(made: Tensor, like: Tensor, *, beyond: bool = False) -> Tensor:
    """What was made of `planes_first`, in the shape and the type of ``like``; integers are rounded.

    beyond: numbers may lie outside of what integers hold.
    """
    if made.dtype != like.dtype:
        made = rounded(made, like.dtype, beyond=beyond)
    if like.ndim == 2:
        return made[0, 0]
    return made[0].permute(1, 2, 0) if like.ndim == 3 else made.permute(0, 2, 3, 1)


def rounded(values: Tensor, kind: torch.dtype, *, beyond: bool = False) -> Tensor:
    """In a type; of integers the nearest one, of two the even one."""
    if kind.is_floating_point:
        return values.to(kind)
    whole = torch.round(values)
    return (whole.clamp_(0, _PEAK[kind]) if beyond else whole).to(kind)


def grown(planes: Tensor, before: tuple[int, int], after: tuple[int, int], border: Mirror) -> Tensor:
    """(n, c, h, w) with more pixels before and after the picture's own, (across, down) each."""
    (left, top), (right, bottom) = before, after
    height, width = planes.shape[-2:]
    if not (left or top or right or bottom):
        return planes
    fits = border == "edge" or (border == "reflect" and max(left, right) < width and max(top, bottom) < height)
    if fits:
        return F.pad(planes, (left, right, top, bottom), _PADDING[border])
    for dim, sides, size in ((-1, (left, right), width), (-2, (top, bottom), height)):
        if any(sides):
            planes = planes.index_select(dim, kept(_mirror, size, sides, border, device=planes.device))
    return planes


def _mirror(size: int, sides: tuple[int, int], border: Mirror) -> Array:
    return np.pad(np.arange(size), sides, border)


def picked(values: Tensor, dim: int, index: Tensor) -> Tensor:
    """`index_select` of values of any type: it has none for most integers of 16 bits."""
    if values.dtype == torch.uint16:
        return values.view(torch.int16).index_select(dim, index).view(torch.uint16)
    return values.index_select(dim, index)


def constant(values: Array, device: torch.device) -> Tensor:
    """A small array on a device, sent there once and kept: for kernels and matrices that are the same in every frame."""
    return kept(_parsed, values.tobytes(), values.dtype.str, values.shape, device=device)


def _parsed(data: bytes, kind: str, shape: tuple[int, ...]) -> Array:
    return np.frombuffer(data, kind).reshape(shape).copy()


def kept(function: Callable[..., Array], *arguments: Any, device: torch.device) -> Tensor:
    """The array that a function makes of hashable arguments, on a device, made and sent there once. Nothing waits for it."""
    made = _kept(function, arguments, device, queue_of(device))
    if is_recording(device):
        _RECORDED[made.data_ptr()] = made
    return made


@lru_cache(1024)
def _kept(function: Callable[..., Array], arguments: tuple[Any, ...], device: torch.device, queue: int) -> Tensor:
    return torch.from_numpy(function(*arguments)).to(device, non_blocking=True)


#: What graphs read, which nobody may use for anything else.
_RECORDED: dict[int, Tensor] = {}


def in_one_type(function: Callable[..., Any], *values: Tensor) -> Any:
    """Calls a function that has no unsigned integers of 16 bits with ones of 32."""
    return function(*(v.to(torch.int32) if v.dtype == torch.uint16 else v for v in values))
