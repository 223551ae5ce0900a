"""Analyse, edit the plan, render by it, look at what came of it."""

import json

from tests.cli.conftest import cli


def test_analyse_edit_render_inspect(capsys, people_clip, tmp_path):
    plan, sheet, out = tmp_path / "plan.json", tmp_path / "sheet.png", tmp_path / "out"
    status, said, _ = cli(capsys, "analyse", str(people_clip), "-o", str(plan), "--preview", str(sheet), "--json")
    assert status == 0 and [p["name"] for p in json.loads(said)["people"]] == ["person01", "person02"]
    assert sheet.stat().st_size > 50_000
    data = json.loads(plan.read_text())
    data["people"][1]["exclude"] = True
    data["people"][0]["name"] = "Ada"
    plan.write_text(json.dumps(data))
    status, said, err = cli(capsys, "render", str(people_clip), "-o", str(out), "--plan", str(plan), "--frames", "1-3", "--json")
    assert status == 0 and json.loads(said)["people"] == ["Ada"], err
    status, said, _ = cli(capsys, "inspect", str(out), "--json")
    facts = json.loads(said)
    sequence = next(s for s in facts["sequences"] if s["pattern"].endswith("#.exr"))
    assert sequence["frames"] == 3 and "Ada.A" in sequence["first"]["parts"][0]["channels"]
    assert cli(capsys, "inspect", str(out))[0] == 0
    broken = out / "people.0002.exr"
    broken.write_bytes(broken.read_bytes()[:3000])
    status, said, _ = cli(capsys, "inspect", str(out), "--json")
    assert status == 3 and json.loads(said)["damaged"] == ["people.0002.exr"]


def test_names_that_cannot_be_written_are_refused_before_people_are_looked_for(capsys, people_clip, tmp_path, monkeypatch):
    monkeypatch.setenv("VR180_OFX_CACHE", str(tmp_path / "cache"))
    for words, what in (
        (["-o", str(tmp_path / "none" / "plan.json")], "there is no folder"),
        (["-o", str(tmp_path)], "is a folder; name a file in it"),
        (["-o", str(tmp_path / "p.json"), "--preview", str(tmp_path / "p.exr")], "it is a picture that ends in .png"),
        (["-o", str(tmp_path / "p.json"), "--preview", str(tmp_path / "p.png"), "--at", "99"], "--at asks for frame 99"),
    ):
        status, _, said = cli(capsys, "analyse", str(people_clip), *words)
        assert status == 2 and what in " ".join(said.split()), said
    assert not list(tmp_path.glob("cache/plans/*")) and not list(tmp_path.glob("p.*"))
    # what only writing tells
    status, _, said = cli(capsys, "analyse", str(people_clip), "-o", "/proc/plan.json", "--frames", "1-2")
    assert status == 2 and "/proc/plan.json cannot be written: " in " ".join(said.split())


def test_a_plan_that_was_edited_is_kept_where_another_takes_its_place(capsys, people_clip, tmp_path):
    plan, kept = tmp_path / "plan.json", tmp_path / "plan.json.bak"
    words = ("analyse", str(people_clip), "-o", str(plan))
    assert cli(capsys, *words)[0] == 0 and not kept.exists()
    fresh = plan.read_bytes()
    # the same again replaces nothing
    assert cli(capsys, *words)[0] == 0 and not kept.exists()
    assert cli(capsys, "edit", str(plan), "rename", "person02", "anna")[0] == 0
    edited = plan.read_bytes()
    status, _, said = cli(capsys, *words)
    assert status == 0 and "held another plan, which is plan.json.bak now" in " ".join(said.split()), said
    assert plan.read_bytes() == fresh and kept.read_bytes() == edited
    assert cli(capsys, "edit", str(plan), "undo")[0] == 0 and plan.read_bytes() == edited
