import numpy as np
import pytest

from tests.imaging.on_torch.both import differs, picture, tensor
from vr180_ofx.imaging.matching import semi_global_shift

pytest.importorskip("torch")


def test_shifts_are_the_hosts():
    left = picture((40, 64), np.uint8)
    right = np.roll(left, -4, axis=1)
    assert differs(semi_global_shift, left, right, -8, 8, twin=[tensor(right), -8, 8]) == 0
