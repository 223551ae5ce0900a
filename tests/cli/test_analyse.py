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
