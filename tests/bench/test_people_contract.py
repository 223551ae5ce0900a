"""A person's description survives JSON; values that make no sense are refused in words."""

import json
from typing import Any, cast

import numpy as np
import pytest

from bench.people import Course, Garment, Hair, Material, Mesh, Pattern, Person

CLOTH = Material("cloth", (0.2, 0.3, 0.4), roughness=0.8, pattern=Pattern("stripes", 0.03, (0.9, 0.9, 0.9)))


def test_a_person_survives_json():
    person = Person(
        seed=7, phenotype=(("age", 0.6), ("weight", 0.25)), years=31.5, skin=(0.5, 0.3, 0.2), iris=(0.1, 0.2, 0.1),
        hair=Hair("long", 0.6, 0.1, 0.7, (0.02, 0.01, 0.005)), garments=(Garment("skirt", CLOTH, (("length", 0.5),)),), motion="walk",
        tempo=1.0, energy=0.8, held=(), expression="", detail_seed=99,
    )  # fmt: skip
    assert Person.from_json(json.loads(json.dumps(person.to_json()))) == person
    with pytest.raises(ValueError, match="lacks .*'years'"):
        Person.from_json({k: v for k, v in person.to_json().items() if k != "years"})


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Pattern(cast(Any, "tartan")), "'tartan'; allowed are plain"),
        (lambda: Pattern("dots", 0.0), "above 0"),
        (lambda: Material("m", (1.5, 0, 0)), "r is 1.5; allowed is 0 to 1"),
        (lambda: Course((0.0, 0.0), ((0, 0), (1, 0)), (0.0, 0.0)), "have to rise"),
        (lambda: Course((0.0,), (), (0.0,)), "0 places"),
        (
            lambda: Mesh(
                "m", "body", np.zeros((1, 2, 3), np.float32), np.array([[0, 1, 2]], np.int32), np.zeros((2, 3), np.float32), CLOTH
            ),
            "there are 2",
        ),
    ],
)
def test_nonsense_is_refused(make, said):
    with pytest.raises(ValueError, match=said):
        make()
