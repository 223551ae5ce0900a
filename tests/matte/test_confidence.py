"""How far masks are believed."""

import numpy as np

from vr180_ofx.imaging.logistic import logit
from vr180_ofx.matte.confidence import confidences
from vr180_ofx.matte.parameters import ConfidenceParameters
from vr180_ofx.trackers.contract import Mask
from vr180_ofx.vr180.layout import LEFT, RIGHT


def bar(begin, end, score=1.0):
    """A mask that is all but sure: 1 in some columns, 0 elsewhere."""
    alpha = np.zeros((40, 100), np.float32)
    alpha[:, begin:end] = 1
    return Mask(logit(alpha), score)


def test_a_mask_of_one_eye_is_believed_where_it_is_sure():
    soft = Mask(np.linspace(-6, 6, 101, dtype=np.float32)[None, :], 0.8)
    made = confidences({(1, LEFT): soft})[1, LEFT]
    assert made.dtype == np.float32 and made[0, 50] < 0.01
    # |2 sigmoid(x) - 1| = tanh(|x| / 2), times the score
    assert np.allclose(made, 0.8 * np.tanh(np.abs(soft.logits) / 2), atol=1e-5)


def test_the_other_eye_may_be_moved_by_the_tolerance_and_no_further():
    mine = bar(30, 60)
    moved = {k: confidences({(1, LEFT): mine, (1, RIGHT): bar(30 + k, 60 + k)})[1, LEFT] for k in (0, 8, 9, 20)}
    assert moved[0].min() > 0.99 and moved[8].min() > 0.99
    assert [int((moved[k][5] < 0.1).sum()) for k in (9, 20)] == [2, 24]
    # along rows alone: what the other eye has one row lower is not the same
    higher, lower = (Mask(np.ascontiguousarray(bar(begin, begin + 40).logits.T), 1.0) for begin in (30, 31))
    assert np.flatnonzero(confidences({(1, LEFT): higher, (1, RIGHT): lower})[1, LEFT][:, 20] < 0.1).tolist() == [30, 70]
    # another number gives another tolerance
    narrow = confidences({(1, LEFT): mine, (1, RIGHT): bar(38, 68)}, ConfidenceParameters(depth_tolerance_px=3))[1, LEFT]
    assert int((narrow[5] < 0.1).sum()) == 10


def test_other_people_have_nothing_to_do_with_it():
    masks = {(1, LEFT): bar(30, 60), (2, RIGHT): bar(0, 10)}
    assert confidences(masks)[1, LEFT].min() > 0.99
