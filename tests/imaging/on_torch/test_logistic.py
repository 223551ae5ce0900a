import numpy as np
import pytest

from tests.imaging.on_torch.both import differs
from vr180_ofx.imaging.logistic import logit, sigmoid

pytest.importorskip("torch")


def test_both_ways():
    x = np.linspace(-50, 50, 401, dtype=np.float32)[None]
    assert differs(sigmoid, x) < 2e-7
    assert differs(logit, np.linspace(0, 1, 401, dtype=np.float32)[None]) < 5e-6
