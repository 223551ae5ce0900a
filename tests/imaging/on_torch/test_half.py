import numpy as np
import pytest

from tests.imaging.on_torch.both import differs, picture, tensor
from vr180_ofx.imaging.either import host
from vr180_ofx.imaging.half import add_half, floats, half, least_half

pytest.importorskip("torch")


def test_bits_are_the_same():
    values = picture((23, 17)) * 2 - 1
    values[0, :3] = 0, -0.0, 1
    assert differs(half, values) == 0
    assert differs(floats, half(values)) == 0
    assert not np.signbit(host(half(tensor(values)))[0, 1])


@pytest.mark.parametrize("function", [add_half, least_half])
def test_sums_and_least_are_made_in_place(function):
    a, b = (half(np.maximum(picture((9, 7), seed=s) - 0.3, 0)) for s in (1, 2))
    total, twin = a.copy(), tensor(a)
    function(total, b)
    function(twin, tensor(b))
    assert np.array_equal(host(twin), total)
