import json

from tests.cli.conftest import cli


def test_weights_are_listed_and_verified(capsys, tmp_path, monkeypatch):
    assert cli(capsys, "weights", "verify")[0] == 0
    status, said, _ = cli(capsys, "weights", "list", "--json")
    rows = {w["name"]: w for w in json.loads(said)["weights"]}
    assert status == 0 and all(len(w["sha256"]) == (0 if name.startswith("rvm_") else 64) for name, w in rows.items())
    assert rows["blazepose_detector"]["state"] == rows["blazepose_segmenter"]["state"] == "ok" and "sam2.1_b+" in rows
    monkeypatch.setenv("VR180_OFX_WEIGHTS", str(tmp_path / "none"))
    assert cli(capsys, "weights", "verify")[0] == 4
