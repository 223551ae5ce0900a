"""The plan as a value: who is there, in which shot, how far away, and what mattes depend on."""

import dataclasses
import json
import struct

import pytest

from vr180_ofx.engine.plans import analyse
from vr180_ofx.people.person import Entry, Person
from vr180_ofx.people.plan import Plan
from vr180_ofx.vr180.body import Body
from vr180_ofx.vr180.projection import Equirectangular

EYE = Equirectangular(1024, 1024)


def entry(longitude, **more):
    return Entry(Body(longitude, -0.2, 0.4), (400.0, 400.0, 500.0, 600.0), 0.9, **more)


def person(number, frames=(0, 2, 4), **more):
    views = {v: {n: entry(0.01 * n) for n in frames} for v in ("left", "right")}
    return Person(number, f"person{number:02d}", views, **more)


def plan_of(*people, frames=10, **more):
    known = dict(clip={}, shots=((0, frames - 1),), people=people, projection=EYE, fps=24.0, views=("left", "right"), frames=frames)
    return Plan(**known | more)


def test_two_people_in_both_eyes_in_every_frame(planned):
    clip, plan = planned
    assert [p.name for p in plan.people] == ["person01", "person02"]
    for n in range(len(clip)):
        assert [len(plan.present(n, v)) for v in plan.views] == [2, 2]
    for p in plan.people:
        left, right = (plan.track(p, v).bodies[5] for v in plan.views)
        assert abs(left.latitude - right.latitude) < 0.03
        # the right eye sees them further left: 64 mm apart, two to four metres away
        assert 0.01 < left.longitude - right.longitude < 0.06


def test_the_analysis_is_deterministic(planned):
    clip, plan = planned
    assert analyse(clip).to_json() == plan.to_json()


def test_a_plan_read_back_gives_the_same_windows_to_the_last_bit(planned, tmp_path):
    clip, plan = planned
    plan.save(tmp_path / "p.json")
    again = Plan.load(tmp_path / "p.json", clip)
    assert again.to_json() == plan.to_json() and again.digest() == plan.digest()
    for p, q in zip(plan.people, again.people, strict=True):
        for v in plan.views:
            assert plan.track(p, v).bodies == again.track(q, v).bodies


def test_what_is_changed_is_another_plan():
    plan = plan_of(person(1), person(2))
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan.people = ()
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan.people[0].name = "anna"
    fewer = dataclasses.replace(plan, people=(dataclasses.replace(plan.people[0], exclude=True), plan.people[1]))
    assert [p.id for p in fewer.active] == [2] and [p.id for p in plan.active] == [1, 2]
    assert fewer.digest() != plan.digest() and fewer.facts(3) != plan.facts(3)
    assert [p.id for p in plan.present(3, "left")] == [1, 2] and [p.id for p in fewer.present(3, "left")] == [2]


def test_the_digest_knows_what_decides_mattes_and_nothing_else():
    plan = plan_of(person(1))
    assert dataclasses.replace(plan, notes=("told",), settings_digest="x").digest() == plan.digest()
    for change in (
        {"people": ()},
        {"people": (person(1, (0, 2, 5)),)},
        {"people": (person(1, shifts={0: 0.02}),)},
        {"shots": ((0, 4), (5, 9))},
    ):
        assert dataclasses.replace(plan, **change).digest() != plan.digest(), change


def test_facts_are_all_that_mattes_depend_on():
    """Numbers are laid out as the keys of what was rendered before have them."""
    hidden = Person(3, "c", {"left": {0: entry(0.5, occluders=(1,))}}, shifts={0: 0.032})
    plan = plan_of(hidden, frames=1)
    box, body = (400.0, 400.0, 500.0, 600.0), plan.track(hidden, "left").bodies[0]
    numbers = (body.longitude, body.latitude, body.reach, body.roll, *box, 0.9, 0.032)
    assert plan.facts(0) == b"left|" + struct.pack("<i10d?i", 3, *numbers, True, 1)
    renamed = dataclasses.replace(plan, people=(dataclasses.replace(hidden, name="anna"),))
    assert renamed.facts(0) == plan.facts(0)
    assert dataclasses.replace(plan, people=(dataclasses.replace(hidden, shifts={}),)).facts(0) != plan.facts(0)


def test_shots_and_distances():
    plan = plan_of(person(1, shifts={0: 0.02, 8: 0.04}), shots=((0, 3), (4, 9)), clip={"interocular_m": 0.06})
    assert [plan.shot_of(n) for n in (0, 3, 4, 9)] == [(0, 3), (0, 3), (4, 9), (4, 9)]
    assert plan.distance_m(plan.people[0], 4) == pytest.approx(0.06 / 0.03)
    assert plan.distance_m(person(2), 4) is None
    # nobody is followed across a cut
    assert sorted(plan.track(plan.people[0], "left").anchors) == [0, 4]


def test_nobody_is_a_plan_too(bare):
    plan = Plan.of_nobody(bare)
    assert plan.people == () and plan.shots == ((0, 9),) and plan.facts(3) == b""
    assert Plan.from_data(json.loads(plan.to_json()), bare).digest() == plan.digest()


def test_what_a_plan_looks_like_in_a_debugger():
    plan = plan_of(person(1), person(2))
    assert repr(plan) == "Plan(10 frames, 1 shots, left+right: person01, person02)"
    assert repr(plan.people[0]) == "Person(1, 'person01', 3 entries in left, 3 entries in right)"
    assert repr(plan.track(plan.people[0], "left")) == "Track(5 frames from 0)"
