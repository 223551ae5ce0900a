"""Windows of single people: what is planned, and one that is really rendered."""

from __future__ import annotations

import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.scenes.places import PLACES
from bench.stills import add_arguments, camera, run
from tests.bench.environment import PYTHON, ROOT


def arguments(*words):
    import argparse

    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize("words", [("--count", "0"), ("--size", "100"), ("--threads", "0")])
def test_what_cannot_be_rendered_is_said(words, tmp_path, capsys):
    assert run(arguments("-o", str(tmp_path / "out"), *words)) == 2
    assert words[1] in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_cameras_see_the_person_from_free_ground():
    rng = np.random.default_rng(4)
    place = PLACES["room"](np.random.default_rng(2))
    points = np.stack(np.meshgrid([-0.2, 0.2], [0, 1.7], [-2.2, -1.8]), -1).reshape(-1, 3)
    seen = 0
    for _ in range(40):
        eye, (x0, y0, x1, y1) = camera(rng, points, place, 128)
        assert 0 <= x0 < x1 <= 128
        assert 0 <= y0 < y1 <= 128
        assert eye.pose[1, 3] > 0.2
        seen += (x1 - x0) * (y1 - y0) > 128
        ahead = -eye.pose[:3, 2] @ (points.mean(0) - eye.pose[:3, 3])
        assert ahead > 0
    assert seen > 35


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not PYTHON.exists(), reason="bpy is not there: `make setup-bench` makes .venv-bench")
def test_a_window_is_rendered(tmp_path: Path):
    command = [str(PYTHON), "-m", "bench", "stills", "-o", str(tmp_path), "--count", "1", "--size", "96"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    alpha = np.asarray(cv2.imread(str(tmp_path / "alpha" / "000000.png"), cv2.IMREAD_UNCHANGED))
    assert alpha.dtype == np.uint16
    assert alpha.max() == 65535
    assert 0.005 < np.mean(alpha > 32768) < 0.95
    for name in ("picture", "foreground"):
        assert np.asarray(cv2.imread(str(tmp_path / name / "000000.png"))).shape == (96, 96, 3)
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert said == ""
