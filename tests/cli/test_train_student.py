"""vr180-ofx train pack and train student-file: what they make, and what they refuse."""

import json

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")

from safetensors.torch import save_file

from vr180_ofx.cli.main import main
from vr180_ofx.errors import ExitStatus
from vr180_ofx.matte.student.compiled import CompiledStudent
from vr180_ofx.matte.student.network import Student


def test_a_file_for_the_program_of_trained_weights(tmp_path, capsys):
    save_file(Student().state_dict(), tmp_path / "weights.safetensors")
    words = ["train", "student-file", str(tmp_path / "weights.safetensors"), "-o", str(tmp_path / "s.safetensors"), "--json"]
    assert main(words) == ExitStatus.DONE
    assert json.loads(capsys.readouterr().out)["bytes"] == (tmp_path / "s.safetensors").stat().st_size
    assert CompiledStudent(tmp_path / "s.safetensors").identity().startswith("student:")


@pytest.mark.parametrize("what", ["missing", "text", "foreign"])
def test_other_weights_are_refused(tmp_path, capsys, what):
    path = tmp_path / "weights.safetensors"
    if what == "text":
        path.write_text("nothing")
    if what == "foreign":
        state = Student().state_dict()
        state.pop("trust")
        save_file(state, path)
    assert main(["train", "student-file", str(path), "-o", str(tmp_path / "s.safetensors")]) in (ExitStatus.USAGE, ExitStatus.RESOURCES)
    said = capsys.readouterr().err
    assert "weights.safetensors" in said and "Traceback" not in said and not (tmp_path / "s.safetensors").exists()


@pytest.mark.parametrize(("words", "said"), [(["--most-mb", "-1"], "--most-mb is -1"), ([], "people.jsonl")])
def test_a_pack_of_nothing_is_refused(tmp_path, capsys, words, said):
    assert main(["train", "pack", str(tmp_path), "-o", str(tmp_path / "p.safetensors"), *words]) != ExitStatus.DONE
    assert said in " ".join(capsys.readouterr().err.split()) and not (tmp_path / "p.safetensors").exists()
