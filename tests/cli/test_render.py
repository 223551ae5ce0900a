"""Rendering from the command line."""

import json

from tests.cli.conftest import cli
from tests.conftest import DEMO


def test_a_config_file_says_everything(capsys, people_clip, tmp_path):
    config = tmp_path / "job.yaml"
    config.write_text(
        f"video_path: {people_clip}\nframes: 0-1\noutput:\n  path: {tmp_path / 'out'}\n  format: alpha\ndebugging:\n  save_detection_visualization: true\n"
    )
    assert cli(capsys, "render", "--config", str(config))[0] == 0
    assert len(list((tmp_path / "out").glob("people.0*.png"))) == 2 and (tmp_path / "out" / "people.people.png").exists()


def test_a_render_without_weights_says_how_to_get_them(capsys, people_clip, tmp_path, monkeypatch):
    monkeypatch.setenv("VR180_OFX_WEIGHTS", str(tmp_path / "none"))
    monkeypatch.setenv("VR180_OFX_CACHE", str(tmp_path / "cache"))
    status, _, err = cli(capsys, "render", str(people_clip), "-o", str(tmp_path / "out"))
    assert status == 4 and "vr180-ofx weights pull" in err


def test_a_render_with_its_profile(capsys, tmp_path):
    trace, log = tmp_path / "trace.json", tmp_path / "log.jsonl"
    words = ["render", str(DEMO), "-o", str(tmp_path / "out"), "--frames", "0-3", "--trace", str(trace), "--resource-log", str(log)]
    # asked for on the command line, it wins over the setting
    status, _, said = cli(capsys, *words, "--profile", "--set", "performance.profile_enabled=false")
    assert status == 0 and "ms a call" in said and "track" in said and "of" in said and log.exists()
    names = {e["name"] for e in json.loads(trace.read_text())["traceEvents"]}
    assert {"track", "refine", "write", "decode", "CPU percent", "memory MB"} <= names


def test_a_render_without_a_profile(capsys, tmp_path):
    words = ["render", str(DEMO), "-o", str(tmp_path / "out"), "--frames", "0-1", "--json"]
    status, said, _ = cli(capsys, *words, "--set", "performance.profile_enabled=false")
    assert status == 0 and json.loads(said)["stages"] == {} and json.loads(said)["written"] == 2
