"""The command line as a user meets it: exit statuses and words."""

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import make_clip
from vr180_ofx.cli.main import main


def cli(capsys, *words):
    try:
        status = main(list(words))
    except SystemExit as stop:
        status = stop.code
    out = capsys.readouterr()
    assert "Traceback" not in out.err and "should not happen" not in out.err, out.err
    return status, out.out, out.err


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["render", "no.mp4", "-o", "OUT"], 3, "does not exist"),
        (["render", "CLIP"], 2, "no output folder"),
        (["render", "-o", "OUT"], 2, "no clip was named"),
        (["render", "CLIP", "-o", "OUT", "--set", "processing.chunksize=3"], 2, "did you mean 'processing.chunk_size'"),
        (["render", "CLIP", "-o", "OUT", "--format", "gif"], 2, "output.format is 'gif'"),
        (["render", "CLIP", "-o", "OUT", "--frames", "90"], 2, "the clip has frames 0..4"),
        (["render", "CLIP", "-o", "OUT", "--frames", "x"], 2, "ranges counted from 0"),
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


def test_analyse_edit_render_inspect(capsys, people_clip, tmp_path):
    plan, sheet, out = tmp_path / "plan.json", tmp_path / "sheet.png", tmp_path / "out"
    status, said, _ = cli(capsys, "analyse", str(people_clip), "-o", str(plan), "--preview", str(sheet), "--json")
    assert status == 0 and [p["name"] for p in json.loads(said)["people"]] == ["person01", "person02"]
    assert sheet.stat().st_size > 50_000
    data = json.loads(plan.read_text())
    data["people"][1]["exclude"] = True
    data["people"][0]["name"] = "Ada"
    plan.write_text(json.dumps(data))
    status, said, err = cli(capsys, "render", str(people_clip), "-o", str(out), "--plan", str(plan), "--frames", "0-2", "--json")
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


def test_inspect_a_clip(capsys, people_clip):
    status, said, _ = cli(capsys, "inspect", str(people_clip), "--json")
    assert status == 0 and json.loads(said)["layout"] == "sbs" and json.loads(said)["audio"] == ["aac 48000 Hz"]


def test_a_config_file_says_everything(capsys, people_clip, tmp_path):
    config = tmp_path / "job.yaml"
    config.write_text(
        f"video_path: {people_clip}\nframes: 0-1\noutput:\n  path: {tmp_path / 'out'}\n  format: alpha\ndebugging:\n  save_detection_visualization: true\n"
    )
    assert cli(capsys, "render", "--config", str(config))[0] == 0
    assert len(list((tmp_path / "out").glob("people.0*.png"))) == 2 and (tmp_path / "out" / "people.people.png").exists()


def test_weights_and_doctor(capsys, tmp_path, monkeypatch):
    assert cli(capsys, "weights", "verify")[0] == 0
    status, said, _ = cli(capsys, "weights", "list", "--json")
    rows = {w["name"]: w for w in json.loads(said)["weights"]}
    assert status == 0 and all(len(w["sha256"]) == (0 if name.startswith("rvm_") else 64) for name, w in rows.items())
    assert rows["blazepose_detector"]["state"] == rows["blazepose_segmenter"]["state"] == "ok" and "sam2.1_b+" in rows
    status, said, _ = cli(capsys, "doctor", "--json")
    assert status == 0 and all(c["ok"] or c.get("optional") for c in json.loads(said))
    monkeypatch.setenv("VR180_OFX_WEIGHTS", str(tmp_path / "none"))
    status, said, _ = cli(capsys, "doctor", "--json")
    assert status == 4 and any("weights pull" in c["detail"] for c in json.loads(said))
    assert cli(capsys, "weights", "verify")[0] == 4


def test_a_render_without_weights_says_how_to_get_them(capsys, people_clip, tmp_path, monkeypatch):
    monkeypatch.setenv("VR180_OFX_WEIGHTS", str(tmp_path / "none"))
    monkeypatch.setenv("VR180_OFX_CACHE", str(tmp_path / "cache"))
    status, _, err = cli(capsys, "render", str(people_clip), "-o", str(tmp_path / "out"))
    assert status == 4 and "vr180-ofx weights pull" in err


def test_help_is_quick_and_complete(capsys):
    for command in ("render", "analyse", "weights", "inspect", "evaluate", "doctor", "demo"):
        status, said, _ = cli(capsys, command, "--help")
        assert status == 0 and "usage" in said
    done = subprocess.run(
        [sys.executable, "-c", "import sys, vr180_ofx; sys.exit('av' in sys.modules or 'cv2' in sys.modules)"], check=False
    )
    assert done.returncode == 0, "importing the package alone loads heavy libraries"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_permissions(capsys, people_clip, tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    assert cli(capsys, "render", str(people_clip), "-o", str(locked / "out"))[0] == 2
    secret = tmp_path / "s.mp4"
    secret.write_bytes(people_clip.read_bytes())
    secret.chmod(0)
    assert cli(capsys, "render", str(secret), "-o", str(tmp_path / "o"))[0] == 3


@pytest.mark.slow
def test_the_demo_reaches_its_marks(capsys, tmp_path):
    """The scores that the README promises, on the clip that everybody has."""
    status, said, _ = cli(capsys, "demo", "-o", str(tmp_path), "--json")
    d = json.loads(said)
    assert status == 0 and (tmp_path / "result.png").stat().st_size > 200_000
    o = d["overall"]
    assert o["iou"] >= 0.95 and o["mad"] <= 1.9e-3 and o["band_mad"] <= 0.07 and o["everybody_found"] == 1
    assert d["layers"] == ["person01", "person02"] and d["ghosts"] == []


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
