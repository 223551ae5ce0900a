"""Corrections in words: what a user types, what is in the file then, and what is said."""

import json
import os
import shutil

import cv2
import numpy as np
import pytest

from tests.cli.conftest import cli
from vr180_ofx.errors import PlanError
from vr180_ofx.media.open import open_clip
from vr180_ofx.people.plan import Plan


@pytest.fixture(scope="module")
def analysed(tmp_path_factory, people_clip):
    """A folder with the clip and its plan, made by the command."""
    folder = tmp_path_factory.mktemp("edit")
    clip = folder / "clip.mp4"
    shutil.copy(people_clip, clip)
    from vr180_ofx.cli.main import main

    assert main(["analyse", str(clip), "-o", str(folder / "clip.plan.json"), "--json"]) == 0
    return folder


@pytest.fixture
def plan(analysed, tmp_path):
    """The plan, of which each test has its own, beside its clip."""
    for name in ("clip.mp4", "clip.plan.json"):
        shutil.copy(analysed / name, tmp_path / name)
    return tmp_path / "clip.plan.json"


def people(path):
    return {p["name"]: p for p in json.loads(path.read_text())["people"]}


def edit(capsys, plan, *words):
    status, _, said = cli(capsys, "edit", str(plan), *words)
    return status, said


def test_who_is_there_is_shown_in_output_numbers(capsys, plan):
    before = plan.read_bytes()
    status, said = edit(capsys, plan)
    assert status == 0 and "1 person01: frames 1-10" in said and "2 person02: frames 1-10" in said
    assert "frames 1001-1010" in edit(capsys, plan, "show", "--start-frame", "1001")[1]
    status, out, _ = cli(capsys, "edit", str(plan), "--json")
    assert json.loads(out)["people"][0]["frames"] == {"left": "1-10", "right": "1-10"}
    assert plan.read_bytes() == before and not plan.with_name("clip.plan.json.bak").exists()


def test_several_operations_without_the_clip_and_back(capsys, plan):
    """What needs no pixels works where the clip is not at hand."""
    os.remove(plan.with_name("clip.mp4"))
    before = plan.read_bytes()
    status, said = edit(
        capsys, plan, "split", "person02", "--at", "5", "--name", "Bo", "then", "rename", "1", "ada", "then", "exclude", "BO"
    )
    assert status == 0, said
    made = people(plan)
    assert set(made) == {"ada", "person02", "Bo"} and made["Bo"]["exclude"]
    # frame 5 is the fifth one
    assert min(map(int, made["Bo"]["views"]["left"])) >= 4 > max(map(int, made["person02"]["views"]["left"]))
    assert "marked as absent" not in edit(capsys, plan)[1]
    assert "person01 is ada now" in said and "+ Bo: frames 5-10, excluded" in said and "undo" in said
    status, said = edit(capsys, plan, "merge", "Bo", "--into", "person02", "then", "include", "person02")
    assert status == 0 and "- Bo is no more" in said and people(plan)["person02"]["views"] == json.loads(before)["people"][1]["views"]
    assert edit(capsys, plan, "undo")[0] == 0 and "Bo" in people(plan)
    assert edit(capsys, plan, "undo")[0] == 0 and "Bo" not in people(plan)


def test_a_dry_run_and_another_file_leave_the_plan_alone(capsys, plan, tmp_path):
    before = plan.read_bytes()
    status, said = edit(capsys, plan, "-n", "remove", "person01")
    assert status == 0 and "- person01 is no more" in said and "would be written" in said
    other = tmp_path / "other.json"
    status, out, _ = cli(capsys, "edit", str(plan), "remove", "person01", "-o", str(other), "--json")
    assert status == 0 and [p["name"] for p in json.loads(out)["people"]] == ["person02"] and list(people(other)) == ["person02"]
    assert plan.read_bytes() == before and not plan.with_name("clip.plan.json.bak").exists()


@pytest.mark.slow
def test_absent_means_no_matte_there_and_present_takes_it_back(capsys, plan, tmp_path):
    """Frames 4 and 5 lie between entries; without the mark they would be bridged."""
    import numpy as np

    from vr180_ofx.engine.server import FrameServer

    assert edit(capsys, plan, "absent", "person01", "4-5", "--eye", "left")[0] == 0
    assert people(plan)["person01"]["absent"] == {"left": [[3, 4]]}
    with open_clip(plan.with_name("clip.mp4")) as clip, FrameServer(clip, Plan.load(plan, clip), clip.settings) as server:
        for n, there in ((2, True), (3, False), (4, False), (5, True)):
            views = server.request(n).result().views
            layers = {view: {x.name for x in views[view].layers if np.asarray(x.alpha).max() > 0.5} for view in clip.views}
            assert ("person01" in layers["left"]) == there, (n, layers)
            assert "person01" in layers["right"] and "person02" in layers["left"]
    assert "marked as absent in the left eye: 4-5" in edit(capsys, plan)[1]
    assert edit(capsys, plan, "present", "person01")[0] == 0
    assert "absent" not in people(plan)["person01"]


def test_a_part_of_somebodys_time_is_removed_for_good(capsys, plan):
    status, said = edit(capsys, plan, "remove", "person01", "--frames", "4-5,9-10")
    assert status == 0 and "frames 1-3, 6-8" in said
    assert not {3, 4, 8, 9} & set(map(int, people(plan)["person01"]["views"]["left"]))


def test_a_box_is_moved_and_somebody_added_without_looking(capsys, plan):
    status, said = edit(
        capsys,
        plan,
        "move",
        "person01",
        "--box",
        "100,120,180,300@3:right",
        "then",
        "add",
        "--box",
        "10,10,60,110@2",
        "--no-follow",
        "--name",
        "cy",
    )
    assert status == 0, said
    made = people(plan)
    assert made["person01"]["views"]["right"]["2"]["source"] == "edited" and made["cy"]["views"]["left"]["1"]["box"] == [10, 10, 60, 110]


def test_points_are_set_and_taken_away_in_words(capsys, plan):
    box = people(plan)["person01"]["views"]["right"]["4"]["box"]
    x, y = round((box[0] + box[2]) / 2), round((box[1] + box[3]) / 2)
    status, said = edit(capsys, plan, "point", "person01", f"+{x},{y}", f"-{x + 50},{y}", "@5:right")
    assert status == 0, said
    assert people(plan)["person01"]["points"] == {"right": {"4": {"plus": [[x, y]], "minus": [[x + 50, y]]}}}
    assert edit(capsys, plan, "unpoint", "person01", "@5:right")[0] == 0 and "points" not in people(plan)["person01"]
    for words, wrong in (
        (("point", "person01", "@5"), "at least one"),
        (("point", "person01", "+1,2"), "--at"),
        (("point", "person01", "+1", "@5"), "+1"),
        (("add", "--point", "1,2@3", "--box", "1,2,3,4@3"), "one of the two"),
        (("add", "--point", "1,2@3", "--minus", "1,2@4"), "one frame of one eye"),
    ):
        status, said = edit(capsys, plan, *words)
        assert status == 2 or status == 3, said
        assert wrong in said


def test_a_painted_matte_is_named_and_taken_away_in_words(capsys, plan, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    white = np.full((512, 512), 255, np.uint8)
    assert cv2.imwrite("mine.png", white) and cv2.imwrite("small.png", white[:50])
    (tmp_path / "text.png").write_text("no picture")
    status, said = edit(capsys, plan, "paint", "person01", "mine.png", "@5:right")
    assert status == 0 and "frames that change: 1-10" in said
    assert people(plan)["person01"]["paint"] == {"right": {"4": str(tmp_path / "mine.png")}}
    assert edit(capsys, plan, "unpaint", "person01", "@5:right")[0] == 0 and "paint" not in people(plan)["person01"]
    before = plan.read_bytes()
    for words, wrong in (
        (("paint", "person01", "none.png", "@5"), "none.png does not exist"),
        (("paint", "person01", "small.png", "@5"), "is 512x50; a painted matte is as large as one eye's picture, 512x512"),
        (("paint", "person01", "text.png", "@5"), "not an image"),
        (("paint", "person01", "mine.png"), "--at"),
        (("paint", "person01", "mine.png", "@5:top"), "this clip has left, right"),
        (("paint", "person09", "mine.png", "@5"), "there is no person"),
        (("unpaint", "person01"), "has no painted matte"),
    ):
        status, said = edit(capsys, plan, *words)
        assert status in (2, 3) and wrong in said, (words, said)
    assert plan.read_bytes() == before


@pytest.mark.slow
def test_who_is_added_is_followed_in_the_clip_that_the_plan_remembers(capsys, plan, tmp_path, monkeypatch):
    """From another folder, since what the plan remembers is seen from its own."""
    box = ",".join(str(v) for v in people(plan)["person02"]["views"]["left"]["4"]["box"])
    assert edit(capsys, plan, "remove", "person02")[0] == 0
    monkeypatch.chdir("/")
    status, said = edit(capsys, plan, "add", "--box", f"{box}@5:left", "--name", "ben")
    assert status == 0, said
    assert len(people(plan)["ben"]["views"]["right"]) >= 3
    # the clip is gone: said, and nothing is written
    os.rename(tmp_path / "clip.mp4", tmp_path / "elsewhere.mp4")
    before = plan.read_bytes()
    status, said = edit(capsys, plan, "add", "--box", f"{box}@5:left")
    assert status == 3 and "--clip" in said and str(tmp_path / "clip.mp4") in said and plan.read_bytes() == before
    assert edit(capsys, plan, "add", "--box", f"{box}@5:left", "--clip", str(tmp_path / "elsewhere.mp4"), "--seconds", "0.1")[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["exclude", "persn01"], "did you mean person01"),
        (["exclude", "7"], "the plan has 1 (person01), 2 (zoe)"),
        (["dance"], "allowed are split, merge"),
        (["split", "person01"], "--at"),
        (["split", "person01", "--at", "11"], "split person01 --at 11: frame is 11; this clip has frames 1 to 10"),
        (["split", "person01", "--at", "0"], "frames 1 to 10"),
        (["split", "person01", "--at", "1"], "not there on both sides of frame 1"),
        (["split", "person01", "--at", "x"], "the frame is 'x'"),
        (["rename", "person01", "1st"], "a letter first"),
        (["rename", "person01", "zoe"], "two people are called"),
        (["merge", "1", "--into", "person01"], "into themselves"),
        (["absent", "person01", "9-99"], "last is 99; this clip has frames 1 to 10"),
        (["absent", "person01", "5-2"], "comes after"),
        (["absent", "person01", "2-3", "--eye", "third"], "left, right"),
        (["move", "person01", "--box", "1,2,3@4"], "left,top,right,bottom@FRAME"),
        (["move", "person01", "--box", "1,2,3,4"], "left,top,right,bottom@FRAME"),
        (["move", "person01", "--box", "1,2,nan,4@4"], "left < right"),
        (["move", "person01", "--box", "1,2,30,40@4:up"], "left, right"),
        (["then"], "stands between two operations"),
        (["exclude", "person01", "then"], "stands between two operations"),
        (["exclude", "person01", "--start-frame", "x"], "invalid int"),
        (["undo"], "nothing is undone"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(capsys, plan, words, said):
    before = plan.read_bytes()
    status, heard = (
        edit(capsys, plan, "rename", "person02", "zoe", "then", *words) if words[0] not in ("then", "undo") else edit(capsys, plan, *words)
    )
    assert status == 2 and said in heard, heard
    assert plan.read_bytes() == before and sorted(p.name for p in plan.parent.iterdir()) == ["clip.mp4", "clip.plan.json"]


def test_who_may_be_two_people_is_named_until_it_is_settled(capsys, plan, tmp_path):
    """In the plan, at the end of a render, and as an exit status of `--strict`."""
    data = json.loads(plan.read_text())
    data["people"][1]["doubts"] = [{"frame": 4}]
    plan.write_text(json.dumps(data))
    asked = f"person02 may be two people from frame 5 on: vr180-ofx edit {plan} split person02 --at 5"
    assert asked in edit(capsys, plan)[1]
    words = ["render", str(plan.with_name("clip.mp4")), "-o", str(tmp_path / "out"), "--plan", str(plan), "--frames", "1-2", "--strict"]
    status, out, _ = cli(capsys, *words, "--json")
    report = json.loads(out)
    assert status == 6 and any("person02 may be two people from frame 5 on" in w for w in report["warnings"] and report["notes"])
    status, said = edit(capsys, plan, "confirm", "person02")
    assert status == 0 and "may be two" not in edit(capsys, plan)[1]
    # what decides no pixel makes no frame again
    status, out, _ = cli(capsys, *words, "--json")
    assert status == 0 and json.loads(out)["kept"] == 2


def test_plans_that_are_none(capsys, tmp_path):
    missing, broken, odd = tmp_path / "no.json", tmp_path / "broken.json", tmp_path / "odd.json"
    broken.write_text("{")
    odd.write_text(json.dumps({"format": "vr180-ofx plan", "version": 1, "clip": {"path": "x.mp4", "frames": 3}}))
    assert edit(capsys, missing, "exclude", "1")[0] == 2 and edit(capsys, broken, "exclude", "1")[0] == 2
    status, said = edit(capsys, odd, "exclude", "1")
    assert status == 3 and "--clip" in said


def test_an_operation_that_is_mistyped_is_suggested_and_explained_without_a_plan(capsys, tmp_path):
    from vr180_ofx.cli.edit_words import parse_words

    with pytest.raises(PlanError, match=r"'exlude' is no operation \(did you mean exclude\?\); allowed are split"):
        parse_words(["exlude", "person01"], 1, ("left", "right"))
    status, said, _ = cli(capsys, "edit", str(tmp_path / "none.json"), "split", "--help")
    assert status == 0 and "vr180-ofx edit PLAN split" in said


def test_edges_of_a_person_and_of_all(capsys, plan):
    os.remove(plan.with_name("clip.mp4"))
    status, said = edit(capsys, plan, "edges", "person02", "feather=3", "size=0@2", "size=-2.5@6", "then", "edges", "all", "despeckle=40")
    assert status == 0 and "edges feather=3 size=0@2 size=-2.5@6" in said and "everybody, edges despeckle=40" in said
    assert people(plan)["person02"]["edges"] == {"feather": 3.0, "size": [[1, 0.0], [5, -2.5]]}
    assert json.loads(plan.read_text())["edges"] == {"despeckle": 40.0}
    status, said = edit(capsys, plan)
    assert status == 0 and "person02: frames 1-10, edges feather=3" in said and "everybody, edges despeckle=40" in said
    status, said = edit(capsys, plan, "edges", "person02", "size=none", "keep_motion_blur=on")
    assert status == 0 and people(plan)["person02"]["edges"] == {"feather": 3.0, "keep_motion_blur": True}
    before = plan.read_bytes()
    for words, why in (
        (("edges", "person02", "feather"), "NAME=VALUE@FRAME"), (("edges", "person02", "feather=3", "feather=4"), "has one value"),
        (("edges", "person02", "size=none@3"), "size=none takes all of it back"), (("edges", "person02", "size=3@99"), "frames 1 to 10"),
        (("edges", "person02", "softnes=1"), "did you mean softness?"), (("edges", "person02"), "NAME=VALUE"),
    ):  # fmt: skip
        status, said = edit(capsys, plan, *words)
        assert status == 2 and why in said, said
    assert plan.read_bytes() == before
