"""NumPy's names for what PyTorch does, as far as stages use them. See `imaging.either.namespace`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

float32 = torch.float32
float16 = torch.float16
uint8 = torch.uint8
bool_ = torch.bool
int32 = torch.int32

log1p = torch.log1p
exp, log, sqrt, hypot, floor, ceil, arctan2 = torch.exp, torch.log, torch.sqrt, torch.hypot, torch.floor, torch.ceil, torch.atan2
sin, cos, tan, arctan, square, sign = torch.sin, torch.cos, torch.tan, torch.atan, torch.square, torch.sign
isnan, isfinite, zeros_like, ones_like, full_like = torch.isnan, torch.isfinite, torch.zeros_like, torch.ones_like, torch.full_like
abs = torch.abs
logical_and, logical_or, logical_not = torch.logical_and, torch.logical_or, torch.logical_not


def clip(values: Tensor, low: Any, high: Any, *, out: Tensor | None = None) -> Tensor:
    """low, high: numbers or tensors; None: no bound."""
    return torch.clamp(values, low, high, out=out)


def maximum(a: Any, b: Any, *, out: Tensor | None = None) -> Tensor:
    """Of tensors, or of a tensor and a number."""
    return _with_number(torch.maximum, "min", a, b, out)


def minimum(a: Any, b: Any, *, out: Tensor | None = None) -> Tensor:
    """As `maximum`."""
    return _with_number(torch.minimum, "max", a, b, out)


def _with_number(function: Any, bound: str, a: Any, b: Any, out: Tensor | None) -> Tensor:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        made: Tensor = function(a, b, out=out)
        return made
    tensor, number = (a, b) if isinstance(a, Tensor) else (b, a)
    return torch.clamp(tensor, **{bound: float(number)}, out=out)


def where(condition: Tensor, a: Any, b: Any) -> Tensor:
    """a, b: tensors or numbers; of two numbers the result is float32."""
    made = torch.where(condition, a, b)
    return made if isinstance(a, Tensor) or isinstance(b, Tensor) else made.to(torch.float32)


def stack(arrays: Sequence[Tensor], axis: int = 0) -> Tensor:
    return torch.stack(list(arrays), dim=axis)


def concatenate(arrays: Sequence[Tensor], axis: int = 0) -> Tensor:
    return torch.cat(list(arrays), dim=axis)


def astype(values: Tensor, kind: torch.dtype, *, copy: bool = True) -> Tensor:
    """In another type."""
    return values.to(kind, copy=copy)


def argmin(values: Tensor, axis: int) -> Tensor:
    """Of several that are least the first one."""
    return values.argmin(dim=axis)


def take_along_axis(values: Tensor, index: Tensor, axis: int) -> Tensor:
    return values.gather(axis, index)


def broadcast_to(values: Tensor, shape: Sequence[int]) -> Tensor:
    return values.expand(tuple(shape))


def copyto(there: Tensor, values: Tensor, *, where: Tensor) -> None:
    """In place, where the mask is set."""
    torch.where(where, values, there, out=there) if there.is_contiguous() else there.copy_(torch.where(where, values, there))


def ascontiguousarray(values: Tensor) -> Tensor:
    return values.contiguous()


def nan_to_num(values: Tensor, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    return torch.nan_to_num(values, nan, posinf, neginf)


def max(values: Tensor, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """axis: None for the largest of all."""
    return values.max() if axis is None else values.amax(axis, keepdim=keepdims)


def copy(values: Tensor) -> Tensor:
    return values.clone()
