"""A setting that does not say what it changes is none."""

from typing import Any

import pytest

from vr180_ofx.settings.traits import Section, Traits, setting


def test_traits_are_read_back():
    class Some(Section):
        number: int = setting(3, pixels="plan", http=("a", "b"), ge=1, description="A number.")
        plain: int = 4

    field = Some.model_fields["number"]
    assert Traits.of(field) == Traits("plan", ("a", "b"), True) and field.description == "A number." and Some().number == 3
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        Some(number=0)
    with pytest.raises(TypeError, match="does not say"):
        Traits.of(Some.model_fields["plain"])


@pytest.mark.parametrize("left_out", ["pixels", "http"])
def test_it_must_be_said(left_out):
    said: dict[str, Any] = {"pixels": "no", "http": False}
    del said[left_out]
    with pytest.raises(TypeError, match=left_out):
        setting(1, **said)
