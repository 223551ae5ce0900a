"""Names for the kinds of array that flow through the program, and how values that hold them show themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, fields, is_dataclass

import numpy as np
import numpy.typing as npt

#: Of any kind, as memories hold them.
Array = npt.NDArray[np.generic]
FloatArray = npt.NDArray[np.floating]
HalfArray = npt.NDArray[np.float16]
ByteArray = npt.NDArray[np.uint8]
BoolArray = npt.NDArray[np.bool_]


def shapes_repr(value: object) -> str:
    """A dataclass as text, with the kind and the shape of arrays in place of their numbers.

    ``Patch(rect=Rect(x0=0, y0=0, x1=40, y1=30), alpha=float32 (30, 40), confidence=float32 (30, 40))``: what a value that flows
    through the program shows of itself in logs, errors and debuggers. Fields with ``repr=False`` are left out.
    """
    return f"{type(value).__name__}({', '.join(f'{f.name}={_shown(getattr(value, f.name))}' for f in _fields(value))})"


def _fields(value: object) -> list[Field[object]]:
    if not is_dataclass(value) or isinstance(value, type):
        raise TypeError(f"shapes_repr shows instances of dataclasses, not {type(value).__name__}")
    return [f for f in fields(value) if f.repr]


def _shown(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape}"
    if type(value).__module__.startswith("torch") and hasattr(value, "dtype"):
        return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"  # type: ignore[attr-defined]
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{k!r}: {_shown(v)}' for k, v in value.items())}}}"
    return repr(value)
