"""What the eyes owe each other, as a value."""

from dataclasses import replace

import pytest

from tests.stereo.scenes import consistency
from vr180_ofx.stereo.parameters import CorrectionParameters, StereoParameters
from vr180_ofx.vr180.alignment import Alignment


def test_what_decides_results_is_in_the_identity():
    one = consistency()
    others = [
        replace(one, mode="joint"), replace(one, threshold=0.7), replace(one, method="ensemble"), replace(one, reference="right"),
        replace(one, alignment=Alignment(0.01)), replace(one, parameters=StereoParameters(correction=CorrectionParameters(at_odds=0.6))),
    ]  # fmt: skip
    identities = [c.identity() for c in (one, *others)]
    assert len(set(identities)) == len(identities) and consistency().identity() == one.identity()


def test_words_and_numbers_that_mean_nothing_are_refused():
    for wrong, said in (
        ({"method": "guess"}, "method is 'guess'"),
        ({"reference": "middle"}, "reference"),
        ({"threshold": 1.5}, "threshold is 1.5"),
    ):
        with pytest.raises(ValueError, match=said):
            replace(consistency(), **wrong)


def test_modes():
    assert replace(consistency(), mode="joint").joint
    assert not any(replace(consistency(), mode=mode).joint for mode in ("master_slave", "reference_eye"))
