import json

from tests.cli.conftest import cli


def test_a_machine_on_which_everything_is_there(capsys):
    status, said, _ = cli(capsys, "doctor", "--json")
    checks = {c["what"]: c for c in json.loads(said)}
    assert status == 0 and all(c["ok"] or c["optional"] for c in checks.values())
    assert checks["default networks"]["detail"] == "run; nobody is seen in an empty picture"
    assert cli(capsys, "doctor")[0] == 0


def test_what_is_missing_is_said_with_what_to_do(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("VR180_OFX_WEIGHTS", str(tmp_path / "none"))
    status, said, _ = cli(capsys, "doctor", "--json")
    wrong = {c["what"]: c["detail"] for c in json.loads(said) if not c["ok"] and not c["optional"]}
    assert status == 4 and {"weights blazepose_detector", "weights blazepose_segmenter", "default networks"} <= set(wrong)
    assert all("weights pull" in detail for detail in wrong.values())
