"""The YOLO detector: real ultralytics, a network of random weights, no network connection, nothing in the user's home."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ultralytics", reason="the extra yolo is not installed")

from vr180_ofx.engine.models import DETECTORS, Models
from vr180_ofx.errors import SettingsError
from vr180_ofx.people.yolo import Yolo, _candidate
from vr180_ofx.settings import Settings
from vr180_ofx.vr180.body import body_from_box
from vr180_ofx.vr180.projection import make_projection
from vr180_ofx.vr180.window import Window, direction_from_angles

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """yolov8n with random weights, saved as ultralytics does."""
    import torch

    from vr180_ofx.people.yolo import _ultralytics

    torch.manual_seed(0)
    model = _ultralytics().YOLO("yolov8n.yaml", verbose=False)
    model.model.names = {0: "person", 1: "bicycle"} | {k: f"thing{k}" for k in range(2, 80)}
    path = tmp_path_factory.mktemp("yolo") / "random.pt"
    model.save(path)
    return path


def test_a_model_file_is_loaded_and_looks(weights):
    detector = Models.of(Settings(detection={"model": str(weights), "confidence_threshold": 0.01})).load_detector()
    assert isinstance(detector, Yolo) and detector.size == 640
    window = Window((0, 0, 1), 60, 0, 640)
    image = np.random.default_rng(0).random((640, 640, 3)).astype(np.float32)
    assert all(0.01 <= c.score <= 1 for c in detector.find(image, window, 0.005))


def test_the_threshold_of_the_settings_is_the_least(weights):
    """What the search would accept is not accepted when the user wants to be surer."""
    image = np.random.default_rng(0).random((640, 640, 3)).astype(np.float32)
    window = Window((0, 0, 1), 60, 0, 640)
    low = Yolo(weights, 1e-5).find(image, window, 1e-5)
    assert low and not Yolo(weights, 0.999).find(image, window, 1e-5)
    assert Settings().detection.confidence_threshold == 0.7


def test_a_box_becomes_the_body_that_fills_it():
    """The same body, whether the box is given in a window or in the eye's picture."""
    projection = make_projection("equirect180", 2048, 2048, None)
    window = Window(direction_from_angles(0.3, -0.1), 50, 0, 640)
    body = _candidate(np.array([280.0, 160.0, 360.0, 480.0]), 0.9, window).body
    corners = projection.project(window.directions(np.array([[280.0, 160], [360, 160], [280, 480], [360, 480]])))
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    other = body_from_box((float(x0), float(y0), float(x1), float(y1)), projection)
    assert body.longitude == pytest.approx(other.longitude, abs=0.01) and body.reach == pytest.approx(other.reach, rel=0.05)
    assert abs(body.roll) < 0.1
    assert abs(_candidate(np.array([100.0, 300, 400, 400]), 0.9, window).body.roll) > 1.2  # lying


def test_what_is_wrong_is_said(tmp_path, weights):
    with pytest.raises(SettingsError, match="weights pull yolov8n"):
        Yolo(tmp_path / "nothing.pt", 0.7)
    (tmp_path / "bad.pt").write_bytes(b"not a model")
    with pytest.raises(SettingsError, match="not a detection model"):
        Yolo(tmp_path / "bad.pt", 0.7)
    with pytest.raises(SettingsError, match=", ".join(DETECTORS)):
        Models.of(Settings(detection={"model": "yolov99"})).load_detector()
    from vr180_ofx.errors import WeightsError

    with pytest.raises(WeightsError, match="weights pull yolov8m"):
        Models.of(Settings(detection={"model": "yolov8m"})).load_detector()


def test_a_model_without_people_is_refused(tmp_path):
    from vr180_ofx.people.yolo import _ultralytics

    model = _ultralytics().YOLO("yolov8n.yaml", verbose=False)
    model.model.names = {k: f"thing{k}" for k in range(80)}
    model.save(tmp_path / "things.pt")
    with pytest.raises(SettingsError, match="no class 'person'; it knows thing0"):
        Yolo(tmp_path / "things.pt", 0.7)


@pytest.mark.slow
def test_no_connection_is_made_and_nothing_is_left_in_the_home(weights, tmp_path):
    """In a process of its own, whose home is empty and whose every attempt to connect is written down."""
    code = f"""
import socket, sys
tried = []
def note(*a, **k):
    tried.append(a)
    raise OSError("no network here")
socket.getaddrinfo = note
socket.socket.connect = note
import numpy as np
from pathlib import Path
from vr180_ofx.people.yolo import Yolo
from vr180_ofx.vr180.window import Window
Yolo(Path({str(weights)!r}), 0.7).find(np.zeros((640, 640, 3), np.float32), Window((0, 0, 1), 60, 0, 640), 0.5)
print(len(tried), tried[:2])
"""
    home = tmp_path / "home"
    home.mkdir()
    env = {"HOME": str(home), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "0 []\n"
    left = [p for p in home.rglob("*") if p.is_file()]
    assert not left, left


def test_it_is_not_imported_unless_chosen():
    code = "import sys, vr180_ofx.people.contract, vr180_ofx.people.analyse, vr180_ofx.cli.main; print(any(m.startswith(('ultralytics', 'torch', 'sam2')) for m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == "False\n"


def test_without_the_package_the_message_says_what_to_install(weights, monkeypatch):
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    with pytest.raises(SettingsError, match=r"AGPL-3.0; install it with: pip install 'vr180-ofx\[yolo\]'"):
        Yolo(weights, 0.7)
