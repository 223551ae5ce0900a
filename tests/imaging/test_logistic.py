import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.imaging.logistic import logit, sigmoid


@given(st.floats(-29, 29))
def test_the_logistic_function(x):
    assert float(sigmoid(np.array(x))) == pytest.approx(1 / (1 + math.exp(-x)), rel=1e-9)


@given(st.floats(0.002, 0.998))
def test_logits_are_its_inverse(alpha):
    assert float(sigmoid(logit(np.array(alpha, np.float32)))) == pytest.approx(alpha, abs=1e-5)


def test_far_out_nothing_overflows():
    with np.errstate(all="raise"):
        assert sigmoid(np.array([-1e9, 1e9])).tolist() == pytest.approx([0, 1], abs=1e-12)
    ends = logit(np.array([0.0, 1.0], np.float32))
    assert ends.dtype == np.float32 and ends.tolist() == pytest.approx(
        [math.log(1e-3 / (1 - 1e-3)), -math.log(1e-3 / (1 - 1e-3))], rel=1e-4
    )
