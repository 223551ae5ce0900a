"""Rendering from the command line."""

import json

import av
import numpy as np
import pytest

from tests.cli.conftest import cli
from tests.conftest import DEMO, make_clip
from tests.media.pictures import write


def test_a_config_file_says_everything(capsys, people_clip, tmp_path):
    config = tmp_path / "job.yaml"
    config.write_text(
        f"video_path: {people_clip}\nframes: 1-2\noutput:\n  path: {tmp_path / 'out'}\n  format: alpha\ndebugging:\n  save_detection_visualization: true\n"
    )
    assert cli(capsys, "render", "--config", str(config))[0] == 0
    assert len(list((tmp_path / "out").glob("people.0*.png"))) == 2 and (tmp_path / "out" / "people.people.png").exists()


def test_a_render_without_weights_says_how_to_get_them(capsys, people_clip, tmp_path, monkeypatch):
    monkeypatch.setenv("VR180_OFX_WEIGHTS", str(tmp_path / "none"))
    monkeypatch.setenv("VR180_OFX_CACHE", str(tmp_path / "cache"))
    status, _, err = cli(capsys, "render", str(people_clip), "-o", str(tmp_path / "out"))
    assert status == 4 and "vr180-ofx weights pull" in err


def test_a_wrong_colour_space_is_said_before_the_clip_is_looked_at(capsys, tmp_path):
    words = ["render", str(tmp_path / "absent.mp4"), "-o", str(tmp_path / "out"), "--output-colorspace", "ACESgc"]
    status, _, said = cli(capsys, *words)
    assert status == 2 and "output.colorspace is 'ACESgc'" in " ".join(said.split()) and not (tmp_path / "out").exists()


def test_what_would_be_refused_in_the_end_is_refused_before_people_are_looked_for(capsys, people_clip, tmp_path, monkeypatch):
    monkeypatch.setenv("VR180_OFX_CACHE", str(tmp_path / "cache"))
    file, film = tmp_path / "file", tmp_path / "film.mp4"
    file.write_bytes(b"")
    film.write_bytes(people_clip.read_bytes())
    out = ["-o", str(tmp_path / "out")]
    for words, what in (
        (["-o", str(file)], "is a file; the output is a folder"),
        ([*out, "--preview", str(tmp_path / "look.exr")], "which ends in .mp4 or .mov"),
        (["--preview", str(film)], "is there, and no preview"),
        (["--preview", str(people_clip)], "is the clip itself"),
        (["--preview", str(file / "look.mp4")], "is a file; the output is a folder"),
        ([*out, "--frames", "11-12"], "the clip has frames 1 to 10"),
        ([*out, "--layout", "mono", "--eye", "left"], "has one picture alone"),
        (["--preview", str(tmp_path / "look.mp4"), "--layout", "mono", "--eye", "left"], "has one picture alone"),
        ([*out, "--cryptomatte", "--format", "alpha"], "ids fit into EXR files alone"),
    ):
        status, _, said = cli(capsys, "render", str(people_clip), *words)
        assert status == 2 and what in " ".join(said.split()) and "{'" not in said, said
    assert sorted(p.name for p in tmp_path.iterdir() if p.name != "cache") == ["file", "film.mp4"] and not list(
        tmp_path.glob("cache/plans/*")
    )
    assert film.read_bytes() == people_clip.read_bytes()


def test_a_render_that_came_to_nothing_leaves_the_folder_to_the_next_one(capsys, tmp_path):
    """A name that was mistyped is mended, and the same folder taken."""
    words = ["render", str(DEMO), "-o", str(tmp_path), "--frames", "1"]
    (tmp_path / "bad.png").write_bytes(b"no picture")
    status, _, said = cli(capsys, *words, "--garbage", str(tmp_path / "bad.png"))
    assert status == 3 and "1 frame not made, 1" in said and "0 frames written" in said
    status, _, said = cli(capsys, *words)
    assert status == 0 and "1 frame written" in said
    assert cli(capsys, *words, "--edge-size", "1")[0] == 2


@pytest.mark.parametrize("command", ["render", "matte"])
@pytest.mark.parametrize("missing", ["absent.png", "absent.%04d.exr", "absent_%V.png"])
def test_pictures_of_mattes_that_are_not_there_are_said_before_anything_runs(capsys, tmp_path, monkeypatch, command, missing):
    monkeypatch.setenv("VR180_OFX_CACHE", str(tmp_path / "cache"))
    status, _, said = cli(capsys, command, str(DEMO), "-o", str(tmp_path / "all" / "out"), "--garbage", str(tmp_path / missing))
    assert status == 3 and "mattes.garbage is" in said and "there is no such file, and none fits it" in " ".join(said.split()), said
    assert not (tmp_path / "all").exists() and not list(tmp_path.glob("cache/plans/*"))


def test_a_render_with_its_profile(capsys, tmp_path):
    trace, log = tmp_path / "trace.json", tmp_path / "log.jsonl"
    words = ["render", str(DEMO), "-o", str(tmp_path / "out"), "--frames", "1-4", "--trace", str(trace), "--resource-log", str(log)]
    # asked for on the command line, it wins over the setting
    status, _, said = cli(capsys, *words, "--profile", "--set", "performance.profile_enabled=false")
    assert status == 0 and "ms a call" in said and "track" in said and "of" in said and log.exists()
    names = {e["name"] for e in json.loads(trace.read_text())["traceEvents"]}
    assert {"track", "refine", "write", "decode", "CPU percent", "memory MB"} <= names


def test_a_render_without_a_profile(capsys, tmp_path):
    words = ["render", str(DEMO), "-o", str(tmp_path / "out"), "--frames", "1-2", "--json"]
    status, said, _ = cli(capsys, *words, "--set", "performance.profile_enabled=false")
    assert status == 0 and json.loads(said)["stages"] == {} and json.loads(said)["written"] == 2


def test_what_is_not_as_its_pictures_seem_is_said(capsys, tmp_path):
    """In words, in the report, in the files and, when that is asked for, by the exit status."""
    odd = make_clip(tmp_path / "i.mkv", 2, options={"x264-params": "tff=1"}, size=(512, 256))
    status, printed, _ = cli(capsys, "render", str(odd), "-o", str(tmp_path / "out"), "--json", "--strict")
    report = json.loads(printed)
    assert status == 6 and "interlaced" in report["warnings"][0] and report["warnings"][0] in report["notes"]
    status, printed, _ = cli(capsys, "inspect", str(tmp_path / "out" / "i.0001.exr"), "--json")
    assert "interlaced" in json.loads(printed)["parts"][0]["metadata"]["vr180ofx:source_notes"]
    status, _, said = cli(capsys, "render", str(odd), "-o", str(tmp_path / "out"))
    assert status == 0 and "it is interlaced" in said


def test_half_a_picture_is_no_frame(capsys, tmp_path):
    """Of half a JPEG a matte was made, with status 0."""
    rng = np.random.default_rng(3)
    for n in range(3):
        write(tmp_path / f"p.{n:04d}.jpg", rng.integers(0, 255, (256, 512, 3), np.uint8))
    bad = tmp_path / "p.0001.jpg"
    bad.write_bytes(bad.read_bytes()[: bad.stat().st_size // 2])
    status, printed, _ = cli(capsys, "render", str(tmp_path / "p.%04d.jpg"), "-o", str(tmp_path / "out"), "--json")
    assert status == 3 and json.loads(printed)["missing"] == [1] and json.loads(printed)["written"] == 2


@pytest.mark.slow
def test_some_frames_are_analysed_with_what_they_need_and_it_is_said(capsys, people_clip, tmp_path, monkeypatch):
    monkeypatch.setenv("VR180_OFX_CACHE", str(tmp_path / "cache"))
    with av.open(str(people_clip)) as source:
        people = [f.to_ndarray(format="rgb24") for f in source.decode(video=0)]
    clip = str(make_clip(tmp_path / "slow.mkv", 10, rate=2, codec="ffv1", size=(1024, 512), pictures=lambda n: people[n]))
    words = ["render", clip, "-o", str(tmp_path / "out"), "--detect-every", "1", "--start-frame", "1001", "--format", "alpha"]
    status, _, said = cli(capsys, *words, "--frames", "1006")
    assert status == 0 and "analysing 1003-1009 for 1006" in said and said.count("people were looked for in frames 1003-1009 alone") == 1
    assert [p.name for p in (tmp_path / "out").glob("*.png")] == ["slow.1006.png"]
    status, _, said = cli(capsys, *words, "--frames", "1006")
    assert status == 0 and "plan: made earlier for slow.mkv, from /" in said and "analysing 1" not in said and "1 were there" in said
    # another part has another plan
    status, _, said = cli(capsys, *words, "--frames", "1005-1006")
    assert status == 2 and "another clip, plan" in said and "frames 1002 to 1009 alone" in said and "analyse slow.mkv' first" in said
    # unless the whole clip has one
    assert cli(capsys, "analyse", clip, "-o", str(tmp_path / "p.json"), "--detect-every", "1")[0] == 0
    status, _, said = cli(capsys, *words, "--frames", "1005-1006", "--overwrite")
    assert status == 0 and "analysing" not in said and "alone" not in said
