import json
import re

import pytest

from tests.cli.conftest import cli
from tests.conftest import DEMO
from vr180_ofx.weights.store import path_of


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


@pytest.mark.slow
def test_better_mattes_are_one_line_that_can_be_copied(capsys, tmp_path, monkeypatch):
    """Without RVM's weights, whatever else was pulled here."""
    files = [path_of(name) for name in ("blazepose_detector", "blazepose_segmenter")]
    monkeypatch.setenv("VR180_OFX_WEIGHTS", str(tmp_path))
    for f in files:
        (tmp_path / f.name).symlink_to(f)
    status, said, _ = cli(capsys, "doctor")
    assert status == 0 and re.fullmatch(
        r"edges: guided filter; RVM \(GPL-3.0\) .*: .*weights pull rvm_mobilenetv3.*", said.splitlines()[-1]
    )
    check = json.loads(cli(capsys, "doctor", "--json")[1])[-1]
    assert check["what"] == "better mattes" and check["optional"] and not check["ok"]
    assert check["detail"] == said.splitlines()[-1]
    out = str(tmp_path / "out")
    status, _, said = cli(capsys, "render", str(DEMO), "-o", out, "--frames", "1")
    assert status == 0 and said.splitlines()[-1] == check["detail"]
    for more in (["--json"], ["--refiner", "guided", "--overwrite"]):
        assert "RVM" not in "".join(cli(capsys, "render", str(DEMO), "-o", out, "--frames", "1", *more)[1:])


def test_a_device_whose_pictures_come_out_wrong_is_no_device(monkeypatch):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    from vr180_ofx.cli.doctor import trial_of
    from vr180_ofx.engine import card

    check = trial_of("cpu")
    assert check.ok and check.what == "pictures on cpu" and check.detail.startswith("right")

    def failing(path, device):
        raise RuntimeError("CUDA error: no kernel image is available for execution on the device\nCompile with ...")

    monkeypatch.setattr(card, "trial", failing)
    check = trial_of("cpu")
    assert not check.ok and not check.optional and "no kernel image" in check.detail and "Compile" not in check.detail
