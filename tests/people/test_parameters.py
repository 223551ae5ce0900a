"""Tuned numbers, and what is known by them."""

import dataclasses

import pytest

from vr180_ofx.engine.plans import plan_path
from vr180_ofx.people import parameters
from vr180_ofx.people.parameters import PLAN, PlanParameters
from vr180_ofx.settings import Settings


def changes(value, path=()):
    """Every number of it, each as a copy in which it is another."""
    for f in dataclasses.fields(value):
        old = getattr(value, f.name)
        if dataclasses.is_dataclass(old):
            for name, new in changes(old):
                yield f"{f.name}.{name}", dataclasses.replace(value, **{f.name: new})
        else:
            new = (old[0] + 1, *old[1:]) if isinstance(old, tuple) else old + 1
            yield f.name, dataclasses.replace(value, **{f.name: new})


def test_each_number_is_a_part_of_the_identity():
    seen = {PLAN.identity(): "as they are"}
    for name, changed in changes(PLAN):
        assert changed.identity() not in seen, f"{name} gives the identity of {seen[changed.identity()]}"
        seen[changed.identity()] = name
    assert len(seen) > 60 and PlanParameters().identity() == PLAN.identity()


def test_a_plan_of_other_numbers_is_another_plan(bare, monkeypatch):
    settings = Settings()
    kept = plan_path(bare, settings)
    assert kept == plan_path(bare, settings) and plan_path(bare, settings, corrected=True) != kept
    monkeypatch.setattr("vr180_ofx.engine.plans.PLAN", dataclasses.replace(PLAN, candidate_score=0.6))
    assert plan_path(bare, settings) != kept


def test_every_number_says_what_it_is():
    for name, kind in vars(parameters).items():
        if isinstance(kind, type) and name.endswith("Parameters"):
            for f in dataclasses.fields(kind):
                nested = dataclasses.is_dataclass(getattr(kind(), f.name))
                assert nested or f.name in (kind.__doc__ or ""), f"{name}.{f.name} is not in its docstring"


def test_numbers_are_never_changed_in_place():
    with pytest.raises(dataclasses.FrozenInstanceError):
        PLAN.side = 512  # type: ignore[misc]
