"""Tuned numbers as values."""

from dataclasses import fields, is_dataclass, replace

import pytest

from vr180_ofx.stereo.parameters import DISTANCE, RESIDUAL, STEREO, AgreementParameters


def changed(value):
    """Another value of the same kind."""
    if is_dataclass(value) and not isinstance(value, type):
        first = fields(value)[0].name
        return replace(value, **{first: changed(getattr(value, first))})
    return ((9.0, 9.0),) if isinstance(value, tuple) else value + 1


def test_every_number_is_in_the_identity():
    seen = {STEREO.identity(), DISTANCE.identity(), RESIDUAL.identity()}
    count = len(seen)
    for part in fields(STEREO):
        numbers = getattr(STEREO, part.name)
        for field in fields(numbers):
            other = replace(STEREO, **{part.name: replace(numbers, **{field.name: changed(getattr(numbers, field.name))})})
            seen.add(other.identity())
            count += 1
    for numbers in (DISTANCE, RESIDUAL):
        for field in fields(numbers):
            seen.add(replace(numbers, **{field.name: changed(getattr(numbers, field.name))}).identity())
            count += 1
    assert len(seen) == count


def test_too_few_samples_are_refused():
    with pytest.raises(ValueError, match="samples, coarse_samples and steps are 56, 1 and 7; each is at least 2"):
        AgreementParameters(coarse_samples=1)
