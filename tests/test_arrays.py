"""How values that hold arrays show themselves."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from vr180_ofx.arrays import shapes_repr


@dataclass(frozen=True, slots=True)
class Value:
    name: str
    alpha: np.ndarray
    more: dict[int, np.ndarray]
    hidden: int = field(default=0, repr=False)

    def __repr__(self) -> str:
        return shapes_repr(self)


def test_arrays_are_shown_by_shape_and_kind():
    value = Value("left", np.zeros((3, 4), np.float32), {1: np.zeros(2, np.uint8)})
    assert repr(value) == "Value(name='left', alpha=float32 (3, 4), more={1: uint8 (2,)})"
    # within others, too
    assert repr([value]).startswith("[Value(name='left'")


def test_what_is_no_value_is_refused():
    for wrong in (3, Value):
        with pytest.raises(TypeError, match="instances of dataclasses"):
            shapes_repr(wrong)


def test_tensors_are_shown_as_arrays_are():
    torch = pytest.importorskip("torch")
    value = Value("left", torch.zeros(3, 4), {1: torch.zeros(2, dtype=torch.uint8)})
    assert repr(value) == "Value(name='left', alpha=float32 (3, 4), more={1: uint8 (2,)})"
