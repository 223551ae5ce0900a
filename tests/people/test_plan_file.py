"""The plan as a file: what is written is read, and whatever else somebody writes is answered in words."""

import copy
import json
import math
from itertools import islice

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import settings as hyp
from hypothesis import strategies as st

from vr180_ofx.errors import PlanError
from vr180_ofx.people.person import Entry, Person
from vr180_ofx.people.plan import Plan
from vr180_ofx.people.plan_file import FORMAT, VERSION
from vr180_ofx.vr180.body import Body, box_of

#: As a person writes one, with all that can be said.
DOCUMENT = {
    "format": FORMAT,
    "version": VERSION,
    "about": "whatever",
    "clip": {
        "path": "people.mp4", "frames": 10, "fps": 24.0, "views": ["left", "right"], "eye_size": [512, 512], "layout": "sbs",
        "interocular_m": 0.064, "alignment_degrees": {"pitch": 0.1, "yaw": -0.2, "roll": 0.0},
    },
    "settings": "0123abcd",
    "shots": [[0, 5], [6, 9]],
    "notes": ["nobody was looked for"],
    "people": [
        {
            "id": 1, "name": "person01", "exclude": False, "shot": 0, "distance_m": [[0, 2.5], [4, 2.6]],
            "views": {
                "left": {
                    "0": {"box": [100.0, 200.0, 160.0, 330.0], "hips": [130.0, 260.0], "top": [131.0, 195.0], "score": 0.9, "source": "found"},
                    "4": {"box": [104.0, 200.0, 164.0, 330.0], "behind": [2], "score": 0.9, "source": "tracked"},
                },
                "right": {"0": {"box": [95.0, 200.0, 155.0, 330.0]}},
            },
        },
        {"id": 2, "name": "anna", "views": {"left": {"2": {"box": [220, 210, 290, 340]}}}},
    ],
}  # fmt: skip


def changed(change):
    data = copy.deepcopy(DOCUMENT)
    change(data)
    return data


def test_what_is_written_is_read(bare, tmp_path):
    plan = Plan.from_data(DOCUMENT, bare)
    assert [(p.id, p.name, p.exclude, p.shot) for p in plan.people] == [(1, "person01", False, 0), (2, "anna", False, 0)]
    first = plan.people[0].views["left"]
    assert first[0].source == "found" and first[4].occluders == (2,) and first[0].score == 0.9
    assert plan.people[0].shifts[4] == pytest.approx(0.064 / 2.6)
    assert plan.shots == ((0, 5), (6, 9)) and math.degrees(plan.alignment.yaw) == pytest.approx(-0.2)
    plan.save(tmp_path / "plan.json")
    assert (tmp_path / "plan.json").read_text() == plan.to_json() == Plan.load(tmp_path / "plan.json", bare).to_json()


def test_a_box_is_one_line_and_behind_is_the_word(bare):
    text = Plan.from_data(DOCUMENT, bare).to_json()
    line = next(line for line in text.splitlines() if '"4": {' in line)
    row = json.loads(line.strip().rstrip(",").split(":", 1)[1])
    assert row["behind"] == [2] and set(row) == {"box", "hips", "top", "behind", "score", "source"}
    assert list(json.loads(text)) == ["format", "version", "about", "clip", "settings", "shots", "notes", "people"]
    # facts about the clip are kept as they were, known or not
    extra = changed(lambda d: d["clip"].update(camera={"serial": [1, None, "x"]}))
    assert json.loads(Plan.from_data(extra, bare).to_json())["clip"] == extra["clip"]


entries = st.builds(
    lambda body, score, source, behind: (body, score, source, behind),
    st.builds(Body, st.floats(-0.6, 0.6), st.floats(-0.6, 0.6), st.floats(0.1, 0.8), st.floats(-1, 1)),
    st.floats(0, 1), st.sampled_from(["found", "tracked", "edited", "other_eye"]), st.lists(st.integers(1, 9999), max_size=3),
)  # fmt: skip


@hyp(max_examples=25)
@given(st.dictionaries(st.integers(0, 9), entries, max_size=5), st.dictionaries(st.integers(0, 9), st.floats(0.0001, 1), max_size=4))
def test_any_plan_survives_its_file(bare, rows, shifts):
    """Boxes to a hundredth of a pixel, and from then on to the byte."""
    made = {n: Entry(b, box_of(b, bare.projection), score, source, tuple(behind)) for n, (b, score, source, behind) in rows.items()}
    person = Person(7, "somebody", {"left": made}, exclude=True, shifts=shifts)
    plan = Plan(
        clip={"interocular_m": 0.064}, shots=((0, 9),), people=(person,), projection=bare.projection, fps=24.0, views=bare.views, frames=10
    )
    again = Plan.from_data(json.loads(plan.to_json()), bare)
    for n, entry in again.people[0].views["left"].items():
        assert entry.occluders == made[n].occluders and entry.source == made[n].source
        assert entry.box == pytest.approx(made[n].box, abs=0.006) and entry.body.angle_to(made[n].body) < 1e-3
    assert again.people[0].shifts == pytest.approx(shifts, rel=0.6 if shifts and max(shifts.values()) > 0.9 else 0.3, abs=1e-3)
    assert Plan.from_data(json.loads(again.to_json()), bare).to_json() == again.to_json()


def test_a_person_is_added_by_boxes_alone(bare):
    new = {"id": 7, "name": "extra", "views": {"left": {"1": {"box": [100, 200, 160, 330]}, "5": {"box": [120, 200, 180, 330]}}}}
    plan = Plan.from_data(changed(lambda d: d["people"].append(new)), bare)
    track = plan.track(plan.people[2], "left")
    assert sorted(track.bodies) == [0, 1, 2, 3, 4, 5] and plan.people[2].views["left"][1].source == "edited"
    x = bare.projection.project(np.array(track.bodies[3].direction))[0]
    assert 125 < x < 155


def test_a_name_is_made_of_the_number(bare):
    plan = Plan.from_data(changed(lambda d: d["people"][1].pop("name")), bare)
    assert plan.people[1].name == "person02"


def test_a_moved_box_wins_over_its_old_landmarks(bare):
    def move(d):
        d["people"][0]["views"]["left"]["0"]["box"] = [20, 200, 80, 330]

    entry = Plan.from_data(changed(move), bare).people[0].views["left"][0]
    x, _ = bare.projection.project(np.array(entry.body.direction))
    assert 40 < x < 60 and entry.source == "edited"


def left(d):
    return d["people"][0]["views"]["left"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.update(format="x"), "not a plan"),
        (lambda d: d.update(version=9), "version 9"),
        (lambda d: d["clip"].update(frames=3), "made for a clip of 3 frames .* has 10 frames"),
        (lambda d: d.update(clip=[]), r"plan: clip is \[\]; it is an object of facts"),
        (lambda d: d["clip"].update(interocular_m="wide"), "clip.interocular_m is 'wide'; it is the distance of the eyes in metres"),
        (lambda d: d["clip"].update(alignment_degrees={"yaw": 40}), "clip.alignment_degrees is {'yaw': 40}; it has pitch, yaw, roll, from -10 to 10"),
        (lambda d: d.update(shots=[[0, 3]]), "the last shot ends at frame 3; the clip ends at 9"),
        (lambda d: d.update(shots=[[0, 3], [5, 9]]), r"the shot \[5, 9\] should begin at frame 4"),
        (lambda d: d.update(shots=[[0, 3, 9]]), r"plan: shots is \[\[0, 3, 9\]\]; it is a list of \[first, last\]"),
        (lambda d: d.update(notes="x"), "plan: notes is 'x'; it is a list of texts"),
        (lambda d: d.update(notes=["\ud800"]), r"plan: notes is \['.ud800'\]; it is a list of texts"),
        (lambda d: d["clip"].update(extra=["\ud800"]), "plan: clip is .*; it holds texts, finite numbers"),
        (lambda d: d["clip"].update(extra=json.loads("[" * 40 + "]" * 40)), "at most 16 in each other"),
        (lambda d: d.update(people={}), "plan: people is {}; it is a list of people"),
        (lambda d: d["people"].append(3), r"people\[2\] is 3; a person is an object with id, name and views"),
        (lambda d: d["people"][0].update(name="2nd"), r"people\[0\].name is '2nd'; .* a letter first"),
        (lambda d: d["people"][0].update(id="one"), r"people\[0\].id is 'one'; it is a number from 1 to 9999"),
        (lambda d: d["people"][0].pop("id"), r"people\[0\] is {.*}; a person is an object with id"),
        (lambda d: d["people"][0].update(colour=3), r"people\[0\] has the key 'colour'; allowed are id, name"),
        (lambda d: d["people"][0].update(exclude="no"), "exclude is 'no'; allowed are true and false"),
        (lambda d: d["people"][0].update(shot=-1), "shot is -1; it is the number of a shot"),
        (lambda d: d["people"][0].update(distance_m=[[0, 0]]), r"distance_m is \[\[0, 0\]\]; it is a list of \[frame, metres\]"),
        (lambda d: d["people"][0].update(distance_m=[[99, 2]]), r"distance_m has \[99, 2.0\]; .* frames from 0 to 9"),
        (lambda d: d["people"][1].update(id=1), r"people\[1\].id is 1, which another person has; ids are unique"),
        (lambda d: d["people"][1].update(name="person01"), "two people are called 'person01'; .* must differ"),
        (lambda d: d["people"][0]["views"].update(middle={}), "'middle'; this clip has left, right"),
        (lambda d: d["people"][0].update(views=[]), r"views is \[\]; it is an object of views"),
        (lambda d: left(d).update({"99": {"box": [1, 2, 3, 4]}}), "views.left has '99'; frames are numbers from 0 to 9"),
        (lambda d: left(d).update({"²": {"box": [1, 2, 3, 4]}}), "frames are numbers from 0 to 9"),
        (lambda d: left(d).update({"04": {"box": [1, 2, 3, 4]}}), "frame 4 is there twice"),
        (lambda d: left(d).update({"3": {"box": [5, 2, 3, 4]}}), r"left.3.box is \[5.0, 2.0, 3.0, 4.0\]; .* left < right"),
        (lambda d: left(d).update({"3": {"box": [900, 2, 950, 4]}}), r"outside the eye's picture of 512x512"),
        (lambda d: left(d).update({"3": {"boxes": []}}), "left.3 is {'boxes': .*}; it needs a box"),
        (lambda d: left(d).update({"3": {"box": [1, 2, 3]}}), r"left.3.box is \[1, 2, 3\]; it is \[left, top, right, bottom\]"),
        (lambda d: left(d).update({"3": {"box": [1, 2, 3, math.nan]}}), r"left.3.box is \[1, 2, 3, nan\]"),
        (lambda d: left(d).update({"3": {"box": [1, 2, 3, 1e300]}}), r"left.3.box is \[1, 2, 3, 1e\+300\]"),
        (lambda d: left(d)["0"].update(hips=7), r"left.0.hips is 7; it is \[x, y\]"),
        (lambda d: left(d)["0"].update(score=2), "left.0.score is 2; it lies between 0 and 1"),
        (lambda d: left(d)["0"].update(source=2), "left.0.source is 2; it is a text"),
        (lambda d: left(d)["0"].update(behind=2), "left.0.behind is 2; it is a list of the ids"),
        (lambda d: left(d)["0"].update(behind=[2**40]), "left.0.behind is .* it is a list of the ids"),
    ],
)  # fmt: skip
def test_mistakes_in_a_plan_say_where_and_what_is_allowed(bare, change, words):
    with pytest.raises(PlanError, match=words):
        Plan.from_data(changed(change), bare)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"{", "is not JSON"),
        (b"\xff\xfe\xfa", "is not UTF-8"),
        (b"[" * 100_000, "nests deeper"),
        (b'{"version": NaN}', "has NaN, which is no number"),
        (b'{"version": ' + b"9" * 5000 + b"}", "is not JSON"),
        (b"[]", "is not a plan of this program"),
    ],
)
def test_files_that_are_no_plans(bare, tmp_path, text, words):
    (tmp_path / "a.json").write_bytes(text)
    with pytest.raises(PlanError, match=words):
        Plan.load(tmp_path / "a.json", bare)


def test_files_that_are_not_there(bare, tmp_path):
    with pytest.raises(PlanError, match="does not exist"):
        Plan.load(tmp_path / "no.json", bare)
    with pytest.raises(PlanError, match="is a folder"):
        Plan.load(tmp_path, bare)
    with pytest.raises(PlanError, match="is no name of a file"):
        Plan.load("a\0b", bare)


# whatever somebody writes ------------------------------------------------------------------------------------------

#: Fixed layers and views of what is rendered, and words of the document itself.
NAMES = ["A", "R", "G", "B", "Z", "confidence", "left", "right", "main", "rgba", "everybody", "box", "id", "views", "person01", "anna", ""]
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=5), st.sampled_from(NAMES),
    st.sampled_from([10**400, -(10**400), 10**6000, 1e308, -0.0, math.nan, math.inf, "9" * 5000, "\ud800", "٣", "1e3", "0x1", b"x", {1, 2}]),
    st.builds(lambda: json.loads("[" * 400 + "]" * 400)), st.builds(lambda: [0] * 100_000),
    st.builds(lambda: {str(k): {} for k in range(3000)}), st.lists(st.floats(), max_size=5),
    st.recursive(st.none() | st.integers() | st.text(max_size=3), lambda s: st.lists(s, max_size=3) | st.dictionaries(st.text(max_size=3), s, max_size=3), max_leaves=5),
)  # fmt: skip


def places(value, path=()):
    """The places in a document; of what is long or deep, the first ones."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in islice(items, 12 if len(path) < 9 else 0):
        yield from places(inner, (*path, key))


def mutate(data, draw):
    """One place is replaced, taken away, doubled, renamed, or given something beside it."""
    path = draw(st.sampled_from(list(places(data))))
    if not path:
        return draw(ODD)
    parent = data
    for key in path[:-1]:
        parent = parent[key]
    how = draw(st.sampled_from(["replace", "replace", "remove", "double", "rename", "wrap"]))
    inner = parent[path[-1]]
    if how == "replace":
        parent[path[-1]] = draw(ODD)
    elif how == "remove":
        del parent[path[-1]]
    elif how == "wrap":
        parent[path[-1]] = draw(st.sampled_from([lambda: [inner], lambda: {"box": inner}, lambda: [inner, inner]]))()
    elif isinstance(parent, list):
        parent.append(copy.copy(inner))
    elif how == "double":
        parent[draw(st.sampled_from(["1", "04", *NAMES]))] = copy.copy(inner)
    else:
        parent[draw(st.sampled_from(NAMES) | st.text(max_size=3) | st.integers(-3, 12).map(str) | st.integers(0, 3))] = parent.pop(path[-1])
    return data


@hyp(max_examples=400)
@given(st.data(), st.integers(1, 3))
def test_whatever_is_written_is_a_plan_or_a_plan_error(bare, data, times):
    """And a plan that was taken can be used, written, and read again."""
    document = copy.deepcopy(DOCUMENT)
    for _ in range(times):
        if isinstance(document, dict):
            document = mutate(document, data.draw)
    check(bare, document)


@pytest.mark.parametrize("name", NAMES)
def test_names_of_layers_and_views_break_nothing(bare, name):
    check(bare, changed(lambda d: d["people"][0].update(name=name)))
    check(bare, changed(lambda d: d["people"][0]["views"].update({name: {}})))


def check(clip, document):
    try:
        plan = Plan.from_data(document, clip)
    except PlanError as error:
        assert 0 < len(str(error).encode()) < 2000
        return
    text = plan.to_json()
    assert text.encode() and Plan.from_data(json.loads(text), clip).to_json() == text
    assert len({p.id for p in plan.people}) == len({p.name for p in plan.people}) == len(plan.people)
    for n in range(plan.frames):
        assert isinstance(plan.facts(n), bytes)
        for view in plan.views:
            for p in plan.present(n, view):
                assert all(math.isfinite(v) for v in (*plan.track(p, view).boxes[n], *plan.window(p, view, n, 64).direction))
    assert plan.digest() and plan.alignment and plan.interocular_m > 0


@hyp(max_examples=100)
@given(
    st.lists(st.floats() | st.integers() | st.text(max_size=3), max_size=5),
    st.lists(st.floats(), max_size=3),
    st.lists(st.floats(), max_size=3),
)
@example([0, 0, 512, 512], [1e308, -1e308], [1e308, 1e308])
@example([511, 511, 1e6, 1e6], [0, 0], [0, 0])
@example([-1e6, -1e6, 1e6, 1e6], [0, 0], [0, 1e-300])
def test_any_box_and_any_landmarks(bare, box, hips, top):
    check(bare, changed(lambda d: left(d).update({"3": {"box": box, "hips": hips, "top": top}})))
