import json

import numpy as np
import pytest

from vr180_ofx.engine.plans import analyse
from vr180_ofx.errors import PlanError
from vr180_ofx.media.open import open_clip
from vr180_ofx.people.plan import Plan


@pytest.fixture(scope="module")
def planned(people_clip):
    with open_clip(people_clip) as clip:
        yield clip, analyse(clip)


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


def edited(plan, change):
    data = json.loads(plan.to_json())
    change(data)
    return data


def test_a_person_is_excluded_and_renamed(planned):
    clip, plan = planned
    data = edited(plan, lambda d: d["people"][0].update(exclude=True) or d["people"][1].update(name="Ada_2"))
    changed = Plan.from_data(data, clip)
    assert [p.name for p in changed.active] == ["Ada_2"] and changed.digest() != plan.digest()


def test_a_person_is_added_by_boxes_alone(planned):
    clip, plan = planned
    new = {"id": 7, "name": "extra", "views": {"left": {"2": {"box": [100, 200, 160, 330]}, "6": {"box": [120, 200, 180, 330]}}}}
    changed = Plan.from_data(edited(plan, lambda d: d["people"].append(new)), clip)
    track = changed.track(changed.people[2], "left")
    assert sorted(track.bodies) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9][: max(track.bodies) + 1] and track.has(4)
    x = clip.projection.project(np.array(track.bodies[4].direction))[0]
    assert 125 < x < 155


def test_a_moved_box_wins_over_its_old_landmarks(planned):
    clip, plan = planned

    def move(d):
        row = d["people"][0]["views"]["left"]["0"]
        row["box"] = [20, 200, 80, 330]

    changed = Plan.from_data(edited(plan, move), clip)
    x, _ = clip.projection.project(np.array(changed.people[0].views["left"][0].body.direction))
    assert 40 < x < 60


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.update(format="x"), "not a plan"),
        (lambda d: d.update(version=9), "version 9"),
        (lambda d: d["clip"].update(frames=3), "10 frames"),
        (lambda d: d.update(shots=[[0, 3]]), "the last shot ends at frame 3"),
        (lambda d: d["people"][0].update(name="2nd"), "a letter first"),
        (lambda d: d["people"][0].update(id="one"), "number from 1"),
        (lambda d: d["people"][0].update(colour=3), "the key 'colour'"),
        (lambda d: d["people"][1].update(id=1), "ids are unique"),
        (lambda d: d["people"][1].update(name="person01"), "must differ"),
        (lambda d: d["people"][0]["views"].update(middle={}), "'middle'; this clip has left, right"),
        (lambda d: d["people"][0]["views"]["left"].update({"99": {"box": [1, 2, 3, 4]}}), "numbers from 0 to 9"),
        (lambda d: d["people"][0]["views"]["left"].update({"3": {"box": [5, 2, 3, 4]}}), "left < right"),
        (lambda d: d["people"][0]["views"]["left"].update({"3": {"box": [900, 2, 950, 4]}}), "outside the eye's picture"),
        (lambda d: d["people"][0]["views"]["left"].update({"3": {"boxes": []}}), "needs a box"),
    ],
)
def test_mistakes_in_a_plan_say_where(planned, change, words):
    clip, plan = planned
    with pytest.raises(PlanError, match=words):
        Plan.from_data(edited(plan, change), clip)


def test_files_that_are_no_plans(planned, tmp_path):
    clip, _ = planned
    (tmp_path / "a.json").write_text("{")
    for name, words in (("a.json", "not JSON"), ("no.json", "does not exist")):
        with pytest.raises(PlanError, match=words):
            Plan.load(tmp_path / name, clip)
