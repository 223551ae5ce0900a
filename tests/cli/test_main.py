"""The command line as a user meets it: exit statuses and words."""

import importlib
import os
import subprocess
import sys

import pytest

from tests.cli.conftest import cli
from tests.conftest import make_clip
from vr180_ofx.cli.main import COMMANDS, main
from vr180_ofx.errors import ExitStatus


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["render", "no.mp4", "-o", "OUT"], 3, "does not exist"),
        (["render", "CLIP"], 2, "no output folder"),
        (["render", "-o", "OUT"], 2, "no clip was named"),
        (["render", "CLIP", "-o", "OUT", "--set", "processing.chunksize=3"], 2, "did you mean 'processing.chunk_size'"),
        (["render", "CLIP", "-o", "OUT", "--format", "gif"], 2, "output.format is 'gif'"),
        (["render", "CLIP", "-o", "OUT", "--frames", "90"], 2, "the clip has frames 1 to 5"),
        (["render", "CLIP", "-o", "OUT", "--frames", "x"], 2, "ranges of output frame numbers"),
        (["render", "CLIP", "-o", "OUT", "--plan", "no.json"], 2, "does not exist"),
        (["render", "CLIP", "-o", "OUT", "--config", "no.yaml"], 2, "does not exist"),
        (["render", "CLIP", "-o", "OUT", "--set", "detection.model=yolov99"], 2, "detection.model is 'yolov99'"),
        (["render", "TEXT", "-o", "OUT"], 3, "not a video"),
        (["render", "CLIP", "-o", "TEXT"], 2, "is a file"),
        (["analyse", "EMPTY"], 3, "is empty"),
        (["inspect", "no.exr"], 3, "does not exist"),
        (["evaluate", "OUT", "--truth", "nowhere"], 3, "is not a folder"),
        (["weights", "pull", "nothing"], 4, "known are"),
        (["dance"], 2, "invalid choice"),
        (["render", "CLIP", "-o", "OUT", "--nonsense"], 2, "--help"),
    ],
)  # fmt: skip
def test_bad_input_gets_one_clear_message(capsys, tmp_path, monkeypatch, words, status, said):
    monkeypatch.chdir(tmp_path)
    places = {"CLIP": tmp_path / "c.mp4", "TEXT": tmp_path / "t.mp4", "EMPTY": tmp_path / "e.mp4", "OUT": tmp_path / "out"}
    if "CLIP" in words:
        make_clip(places["CLIP"], 5)
    places["TEXT"].write_text("not a film")
    places["EMPTY"].write_bytes(b"")
    got, _, err = cli(capsys, *[str(places.get(w, w)) for w in words])
    assert got == status and said in " ".join(err.split()), err
    assert not list((tmp_path / "out").glob("*.exr"))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(capsys, command):
    status, said, _ = cli(capsys, command, "--help")
    assert status == 0 and f"usage: vr180-ofx {command}" in said
    assert COMMANDS[command].split(";")[0].split(":")[0].lower() in " ".join(said.split()).lower()


def test_what_should_not_happen_is_called_so(capsys, monkeypatch):
    def broken(arguments):
        raise KeyError("a bug")

    monkeypatch.setattr(importlib.import_module("vr180_ofx.cli.doctor"), "run", broken)
    assert main(["doctor"]) == ExitStatus.BUG
    assert "an error that should not happen: KeyError: 'a bug'" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_permissions(capsys, people_clip, tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    assert cli(capsys, "render", str(people_clip), "-o", str(locked / "out"))[0] == 2
    secret = tmp_path / "s.mp4"
    secret.write_bytes(people_clip.read_bytes())
    secret.chmod(0)
    assert cli(capsys, "render", str(secret), "-o", str(tmp_path / "o"))[0] == 3


@pytest.mark.parametrize(
    ("absent", "words", "said"),
    [
        ("torch", ["render", "CLIP", "-o", "OUT", "--set", "matting.tracker=sam2.1_t"], "pip install 'vr180-ofx[sam2]'"),
        ("sam2", ["render", "CLIP", "-o", "OUT", "--set", "matting.tracker=sam2.1_t"], "pip install 'vr180-ofx[sam2]'"),
        ("torch", ["render", "CLIP", "-o", "OUT", "--set", "matting.tracker=sam2.1_t", "--set", "hardware.device=cuda"], "vr180-ofx[sam2]"),
    ],
)
def test_what_an_extra_brings_is_named_when_it_is_absent(tmp_path, absent, words, said):
    """In a process where the package cannot be imported, as if it were not installed."""
    weights = tmp_path / "w.pt"
    weights.write_bytes(b"")
    make_clip(tmp_path / "c.mp4", 3)
    words = [str({"CLIP": tmp_path / "c.mp4", "OUT": tmp_path / "out"}.get(w, w)) for w in words]
    if "render" in words:
        words += ["--set", f"matting.tracker_weights={weights}"]
    code = f"import sys; sys.modules[{absent!r}] = None; from vr180_ofx.cli.main import main; sys.exit(main({words!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert done.returncode == 2 and said in " ".join(done.stderr.split()), done.stderr


@pytest.mark.parametrize(("words", "status", "said"), [
    (["render", b"\xff.mp4", "-o", "o"], 2, "\\udcff.mp4 is not UTF-8; rename the file"),
    (["render", "a.mp4", "-o", b"\xe9"], 2, "is not UTF-8"),
    (["render", "--set", b"input.colorspace=\xff"], 2, "is not UTF-8"),
    (["inspect", "[/x].mp4"], 3, "[/x].mp4 does not exist"),
    (["inspect", b"a\x1b[31mb\x07.mp4"], 3, "a\\x1b[31mb\\x07.mp4 does not exist"),
    (["render", "a.mp4", "-o", "o", "--config", "[/x].yaml"], 2, "the config file [/x].yaml does not exist"),
    ([b"\x1b[31m"], 2, "invalid choice"),
])  # fmt: skip
def test_names_that_a_terminal_cannot_take(words, status, said, tmp_path):
    """In a real process: its arguments are bytes."""
    child = subprocess.run([sys.executable, "-m", "vr180_ofx", *words], cwd=tmp_path, capture_output=True)
    error = child.stderr.decode()
    assert child.returncode == status and said in error and "Traceback" not in error and "\x1b" not in error and not child.stdout, error
