"""Scenes really rendered, in the benchmark's own environment (`make setup-bench`)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import pytest

from bench.check import check_scene
from tests.bench.environment import PYTHON, ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not PYTHON.exists(), reason="bpy is not there: `make setup-bench` makes .venv-bench"),
]
#: a runner in a street; nobody
SOMEBODY, NOBODY = 19, 11


def generate(out, scenes, *, wait=True):
    words = ["generate", "dev", "-o", str(out), "--scenes", scenes, "--size", "96", "--frames", "2"]
    process = subprocess.Popen(
        [str(PYTHON), "-m", "bench", *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    if not wait:
        return process
    said, error = process.communicate()
    assert process.returncode == 0, error
    return said


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("made")
    said = generate(out, f"{SOMEBODY},{NOBODY}")
    assert len([json.loads(line) for line in said.splitlines()]) == 2
    return out


def test_scenes_are_right(made):
    for number in (SOMEBODY, NOBODY):
        found = check_scene(made / f"scene{number:02d}")
        assert found.wrong == []
    scene = json.loads((made / f"scene{SOMEBODY:02d}" / "scene.json").read_text())
    person = scene["people"][0]
    assert len(person["distance_m"]) == 2
    assert all(0.2 < v <= 1 for view in ("left", "right") for v in person["visible"][view])
    assert not list((made / f"scene{NOBODY:02d}").glob("gt_person*"))
    assert not list(made.glob(".*"))


def test_what_was_killed_is_gone_on_with_to_the_same_bytes(made, tmp_path):
    process = generate(tmp_path, str(SOMEBODY), wait=False)
    name = f"scene{SOMEBODY:02d}"
    films = tmp_path / f".{name}.work" / "films"
    until = time.monotonic() + 900
    while len(list(films.glob("*.exr"))) < 4:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < until
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / name).exists()
    before = {p.name: p.stat().st_mtime_ns for p in films.glob("*.exr") if p.name != "partial.exr"}
    assert len(before) >= 4
    generate(tmp_path, str(SOMEBODY))
    assert (tmp_path / name / "truth.json").read_bytes() == (made / name / "truth.json").read_bytes()
    assert (tmp_path / name / "clip.mp4").read_bytes() == (made / name / "clip.mp4").read_bytes()
    assert "is there" in generate(tmp_path, str(SOMEBODY))
