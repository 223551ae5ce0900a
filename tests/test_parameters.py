"""The hash by which caches know tuned numbers."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest

from vr180_ofx.parameters import identity_of


@dataclass(frozen=True)
class Inner:
    radius_px: int = 7
    curve: tuple[tuple[float, ...], tuple[float, ...]] = ((0.0, 1.0), (0.2, 0.4))


@dataclass(frozen=True)
class Outer:
    epsilon: float = 2e-5
    inner: Inner = Inner()
    name: str | None = None


@dataclass(frozen=True)
class Twin:
    epsilon: float = 2e-5
    inner: Inner = Inner()
    name: str | None = None


def test_equal_values_are_known_by_one_hash_in_every_process():
    assert identity_of(Outer()) == identity_of(Outer(2e-5, Inner(7))) == identity_of(Outer(float(np.float64(2e-5))))
    assert identity_of(Outer(np.float64(2e-5))) == identity_of(Outer())
    code = (
        "from dataclasses import dataclass\nfrom vr180_ofx.parameters import identity_of\n"
        "@dataclass(frozen=True)\nclass Inner:\n    radius_px: int = 7\n    curve: tuple = ((0.0, 1.0), (0.2, 0.4))\n"
        "print(identity_of(Inner()))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == identity_of(Inner())


@pytest.mark.parametrize(
    "other",
    [
        Outer(float(np.nextafter(2e-5, 1))), Outer(inner=Inner(8)), Outer(inner=Inner(curve=((0.0, 1.0), (0.2, 0.5)))), Outer(name="a"),
        Outer(name="None"), Twin(),
    ],
)  # fmt: skip
def test_another_value_anywhere_is_another_hash(other):
    assert identity_of(other) != identity_of(Outer())
    assert identity_of(other, Outer()) != identity_of(Outer(), other)
    assert identity_of(replace(other)) == identity_of(other)


def test_what_has_no_text_of_its_own_is_refused():
    with pytest.raises(TypeError, match="parameters hold ndarray"):
        identity_of(Outer(name=np.zeros(3)))  # type: ignore[arg-type]
