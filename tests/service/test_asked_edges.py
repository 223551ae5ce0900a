"""Edge controls in the address of a frame: what is taken, and what is refused in words."""

from __future__ import annotations

import pytest

from vr180_ofx.errors import ServiceError, SettingsError
from vr180_ofx.service.requested import asked_edges


def test_an_object_with_keys_of_the_section_is_taken_and_nothing_else_added():
    assert asked_edges(None) == {} and asked_edges("{}") == {}
    assert asked_edges('{"size": -1.5, "unit": "milliradians", "keep_motion_blur": true}') == {
        "size": -1.5, "unit": "milliradians", "keep_motion_blur": True,
    }  # fmt: skip


@pytest.mark.parametrize("text", ["[1]", "3", '"size"', "null", "{", "", '{"size": NaN}', "{" * 3000, '{"size": 1e999}'])
def test_what_is_no_object_of_numbers_is_refused(text):
    with pytest.raises((ServiceError, SettingsError)) as error:
        asked_edges(text)
    assert "edges" in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"sise": 1}', "size"),
        ('{"size": 20.5}', "edges.size"),
        ('{"size": [1]}', "edges.size"),
        ('{"unit": "inches"}', "milliradians"),
        ('{"white_clip": 0.5}', "edges.white_clip"),
    ],
)
def test_what_there_is_not_and_what_is_not_allowed_is_named(text, said):
    with pytest.raises(SettingsError) as error:
        asked_edges(text)
    assert said in str(error.value)
