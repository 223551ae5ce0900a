"""Many tensors brought down at once: one transfer, and one wait, however small they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


def to_host(tensors: Sequence[Tensor]) -> list[npt.NDArray[Any]]:
    """As arrays of NumPy. Those that lie on the host already share their memory with what comes back; others wait for their device."""
    if all(t.device.type == "cpu" for t in tensors):
        return [t.detach().numpy() for t in tensors]
    return unpacked(packed(tensors).cpu(), tensors)


def packed(tensors: Sequence[Tensor]) -> Tensor:
    """Their bytes in a row, on their device; the widest types first, so that each lies where its type may."""
    return torch.cat([tensors[i].contiguous().reshape(-1).view(torch.uint8) for i in _widest_first(tensors)])


def unpacked(data: Tensor, like: Sequence[Tensor]) -> list[npt.NDArray[Any]]:
    """Undoes `packed`. data: on the host. like: what was packed, or tensors of the same types and shapes."""
    values, begin = data.numpy(), 0
    found: dict[int, npt.NDArray[Any]] = {}
    for i in _widest_first(like):
        end = begin + like[i].nbytes
        kind = torch.empty(0, dtype=like[i].dtype).numpy().dtype
        found[i] = values[begin:end].view(kind).reshape(tuple(like[i].shape))
        begin = end
    return [found[i] for i in range(len(like))]


def _widest_first(tensors: Sequence[Tensor]) -> list[int]:
    order: list[int] = np.argsort([-t.element_size() for t in tensors], kind="stable").tolist()
    return order
