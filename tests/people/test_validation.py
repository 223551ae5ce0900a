"""What is wrong with a document, in words."""

from typing import Annotated, ClassVar

import pytest
from pydantic import ConfigDict, Field

from vr180_ofx.errors import PlanError
from vr180_ofx.people.validation import Part, checked
from vr180_ofx.wording import short


class Dog(Part):
    model_config = ConfigDict(frozen=True, extra="forbid")
    what: ClassVar[str] = "a dog has legs"

    legs: Annotated[int, Field(ge=0, le=4)] = Field(description="it is a number from 0 to 4")
    name: str = Field("rex", description="it is a text")


def test_what_is_right_comes_back_typed():
    dog = checked(Dog, {"legs": 3}, "dogs[0].")
    assert (dog.legs, dog.name) == (3, "rex")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"legs": 5}, "dogs[0].legs is 5; it is a number from 0 to 4"),
        ({"legs": 4, "name": [1]}, "dogs[0].name is [1]; it is a text"),
        ({"legs": 4, "tail": 1}, "dogs[0] has the key 'tail'; allowed are legs, name"),
        ({"legs": 4, 7: 1}, "dogs[0] has the key '7'; allowed are legs, name"),
        ({}, "dogs[0] is {}; a dog has legs"),
        (None, "dogs[0] is None; a dog has legs"),
    ],
)
def test_what_is_wrong_is_said_with_place_value_and_what_is_allowed(value, said):
    with pytest.raises(PlanError) as info:
        checked(Dog, value, "dogs[0].")
    assert str(info.value) == said


def test_a_value_is_shown_in_short_however_long_and_deep_it_is():
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    for value in (deep, ["x" * 10**6] * 10**5, dict.fromkeys(range(10**4), deep), 10**5000, "\ud800" * 1000):
        assert len(short(value).encode()) < 1500
    assert short(3) == "3" and short("a") == "'a'" and short([1, 2]) == "[1, 2]" and short(2**4000) == "a number of 4001 bits"
