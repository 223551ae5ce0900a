"""Arrays of NumPy, or of PyTorch on any device: stages run on either, on what the pictures that they are given are.

Nothing is chosen here: planes that were decoded to a graphics card are tensors there, what is made of them is, too, and nothing comes
down but what is asked for by `host`. Plain numbers in formulas are Python's, which take the type of the array that they meet; those of
NumPy (``np.float32(2)``) would pull a tensor down. See docs/decisions/0075.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, TypeVar

import numpy as np

from vr180_ofx.arrays import Array

Function = TypeVar("Function", bound=Callable[..., Any])


def is_tensor(values: object) -> bool:
    """Whether it is PyTorch's, on whichever device. PyTorch is not loaded to find that out."""
    return not isinstance(values, np.ndarray) and type(values).__module__.startswith("torch")


def either(function: Function) -> Function:
    """For functions of this room: tensors go to the function of the same name in `on_torch`'s module of the same name.

    The first argument decides; of a sequence of arrays its first one. The rest of the arrays are of the same kind.
    """

    @functools.wraps(function)
    def chosen(values: Any, *others: Any, **words: Any) -> Any:
        first = values[0] if isinstance(values, list | tuple) and values else values
        return (_on_torch(function) if is_tensor(first) else function)(values, *others, **words)

    return chosen  # type: ignore[return-value]


@functools.cache
def _on_torch(function: Callable[..., Any]) -> Callable[..., Any]:
    module = function.__module__.rpartition(".")[2]
    found: Callable[..., Any] = getattr(import_module(f"vr180_ofx.imaging.on_torch.{module}"), function.__name__)
    return found


def namespace(values: object) -> Any:
    """The functions that work on arrays of this kind, under NumPy's names: NumPy itself, or `on_torch.namespace`."""
    return import_module("vr180_ofx.imaging.on_torch.namespace") if is_tensor(values) else np


def host(values: Any) -> Any:
    """As NumPy's array. Of a tensor on a graphics card: waits for it, and brings it down; see `on_torch.transfer` for many at once."""
    return values.detach().cpu().numpy() if is_tensor(values) else values


def hosts(*arrays: Any) -> list[Any]:
    """As `host`, of several of either kind at once: one transfer, and one wait."""
    tensors = [a for a in arrays if is_tensor(a)]
    if not tensors:
        return list(arrays)
    found = iter(import_module("vr180_ofx.imaging.on_torch.transfer").to_host(tensors))
    return [next(found) if is_tensor(a) else a for a in arrays]


def beside(values: Array, like: object) -> Any:
    """An array as one of the kind of ``like``, on the same device: small things that were computed on the host, or remembered."""
    if not is_tensor(like):
        return host(values)
    if is_tensor(values):
        return values.to(like.device)  # type: ignore[attr-defined]
    import torch

    # PyTorch knows no read-only arrays, and has no use for strides that are negative
    own = np.ascontiguousarray(values) if values.flags.writeable else values.copy()
    return torch.from_numpy(own).to(like.device, non_blocking=True)  # type: ignore[attr-defined]


def as_float(values: Any) -> Any:
    """As float32; itself when it is that already."""
    return values.float() if is_tensor(values) else values.astype(np.float32, copy=False)


def zeros(shape: Sequence[int], like: object) -> Any:
    """float32, of the kind of ``like``, on the same device."""
    return like.new_zeros(tuple(shape), dtype=namespace(like).float32) if is_tensor(like) else np.zeros(shape, np.float32)  # type: ignore[attr-defined]


def on_planes(function: Callable[..., Any], values: Any, *others: Any, **words: Any) -> Any:
    """A function of this room of a picture, (h, w), or of several at once, tensors, (n, h, w): as channels of one."""
    if values.ndim == 2:
        return function(values, *others, **words)
    return function(values.permute(1, 2, 0), *others, **words).permute(2, 0, 1)


def worth_it(mask: Any) -> bool:
    """Whether what is done where a mask is set need be done: unless nothing of it is. Of tensors always, as asking waits for the card."""
    return is_tensor(mask) or bool(mask.any())


def same_kind(arrays: Sequence[object]) -> bool:
    """Whether all are NumPy's, or all are tensors."""
    return len({is_tensor(a) for a in arrays}) < 2
