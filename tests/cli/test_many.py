"""Many clips in one command, for real."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import cli
from tests.conftest import make_clip


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    """Two small clips, and one that is none."""
    folder = tmp_path_factory.mktemp("day")
    make_clip(folder / "a.mp4", 2, size=(512, 256))
    make_clip(folder / "b.mkv", 3, size=(512, 256))
    (folder / "broken.mp4").write_text("no film")
    return folder


def test_a_folder_of_clips_one_of_which_is_damaged(capsys, day, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = Path("out")
    status, printed, said = cli(capsys, "render", str(day), "-o", str(out))
    assert status == 3 and not printed
    # the others were rendered, each into a folder of its own
    assert sorted(p.name for p in out.rglob("*.exr")) == ["a.0001.exr", "a.0002.exr", "b.0001.exr", "b.0002.exr", "b.0003.exr"]
    assert (out / "a" / "a.plan.json").exists() and "[2/3]" in said and "3 clips" in said
    rows = [" ".join(line.split()) for line in said.splitlines() if "│" in line]
    assert len(rows) == 3 and "2 of 2" in rows[0] and "done" in rows[0] and "3 of 3" in rows[1] and "failed" in rows[2]
    assert "broken.mp4" in rows[2] and said.count("not a video") == 2
    # and a second time nothing is made again
    status, printed, _ = cli(capsys, "render", str(day), "-o", str(out), "--json")
    clips = json.loads(printed)
    assert status == 3 and [c["state"] for c in clips] == ["done", "done", "failed"] and "broken.mp4" in clips[2]["error"]
    assert [c["report"] and (c["report"]["written"], c["report"]["kept"]) for c in clips] == [(0, 2), (0, 3), None]


def test_names_by_tokens(capsys, day, tmp_path):
    words = ["render", str(day / "a.mp4"), str(day / "b.mkv"), "-o", str(tmp_path / "{format}" / "{clip}-{ext}"), "--format", "alpha"]
    assert cli(capsys, *words)[0] == 0
    assert len(list((tmp_path / "alpha" / "a-mp4").glob("*.png"))) == 2 and len(list((tmp_path / "alpha" / "b-mkv").glob("*.png"))) == 3
    # one clip, too
    assert cli(capsys, "render", str(day / "a.mp4"), "-o", str(tmp_path / "{clip}"))[0] == 0 and (tmp_path / "a" / "a.0001.exr").exists()


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["DAY/a.mp4", "OTHER/a.mp4", "-o", "OUT"], 2, "written over each other"),
        (["DAY", "-o", "OUT/{shot}"], 2, "{shot} is no token; allowed are {clip}"),
        (["DAY", "-o", "OUT", "--plan", "p.json"], 2, "name them by tokens"),
        (["DAY", "-o", "OUT", "--trace", "t.json"], 2, "--trace is one file"),
        (["NOTHING", "-o", "OUT"], 3, "holds no videos and no images"),
        (["DAY"], 2, "no output folder"),
        (["DAY/a.mp4", "DAY/b.mkv", "-o", "OUT", "--frames", "90"], 2, "asks for frame 90"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_rendered(capsys, day, tmp_path, words, status, said):
    (tmp_path / "NOTHING").mkdir()
    (tmp_path / "OTHER").mkdir()
    shutil.copy(day / "a.mp4", tmp_path / "OTHER")
    put = {"DAY": str(day), "OUT": str(tmp_path / "out"), "OTHER": str(tmp_path / "OTHER"), "NOTHING": str(tmp_path / "NOTHING")}
    filled = [next((w.replace(k, v, 1) for k, v in put.items() if w.startswith(k)), w) for w in words]
    got, _, err = cli(capsys, "render", *filled)
    assert got == status and said in " ".join(err.split()) and not list(tmp_path.rglob("*.exr")), err


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals of that kind")
def test_an_interrupt_ends_all_and_the_same_command_goes_on(day, people_clip, tmp_path):
    clips = [str(day / "a.mp4"), str(people_clip), str(day / "b.mkv")]
    command = [sys.executable, "-m", "vr180_ofx", "render", *clips, "-o", str(tmp_path / "out"), "--json"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 100
    try:
        while not list((tmp_path / "out").rglob(f"{people_clip.stem}.0001.exr")) and child.poll() is None:
            assert time.monotonic() < end
            time.sleep(0.02)
        child.send_signal(signal.SIGINT)
        printed, said = child.communicate(timeout=60)
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    rows = json.loads(printed)
    assert child.returncode == 5 and [r["state"] for r in rows] == ["done", "interrupted", "not begun"] and "Traceback" not in said
    done = len(list((tmp_path / "out" / people_clip.stem).glob("*.exr")))
    assert 1 <= done < 10 and not (tmp_path / "out" / "b").exists()
    again = subprocess.run([*command, "--frames", "1-2"], capture_output=True, text=True, timeout=200)
    rows = json.loads(again.stdout)
    assert again.returncode == 0 and [r["state"] for r in rows] == ["done"] * 3 and rows[1]["report"]["kept"] >= 1
