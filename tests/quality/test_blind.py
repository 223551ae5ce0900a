"""Without a truth: every measure ranks mattes that were damaged on purpose below the truth, and says nothing against the truth."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest

from tests.conftest import shared_clip
from tests.quality.damage import DAMAGES, untouched
from tests.stereo.scenes import DEMO
from vr180_ofx.cli.main import main
from vr180_ofx.media.open import open_clip
from vr180_ofx.output.jumps import Row, jumps
from vr180_ofx.quality.blind import METRICS, Judge, holes
from vr180_ofx.quality.truth import Truth

FRAMES = 4


def judged(scene, damage, limits=None):
    truth, frames, plates = scene
    worker = Judge(truth.projection, limits)
    for n, (frame, eyes) in enumerate(zip(frames, plates, strict=True)):
        worker.add(n, {v: {f"p{k}": damage(a, n, v) for k, a in own.items()} for v, own in frame.people.items()}, eyes)
    return worker.finish()


def scene_of(folder, clip_path, count):
    truth = Truth(folder)
    frames = [f for f, _ in zip(truth.frames(), range(count), strict=False)]
    with open_clip(clip_path) as clip:
        return truth, frames, [clip.frame(n).eyes for n in range(count)]


@pytest.fixture(scope="module")
def scene():
    return scene_of(DEMO / "truth", DEMO / "walk3d.mp4", FRAMES)


@pytest.fixture(scope="module")
def truth_judged(scene):
    return judged(scene, untouched)


def ranks(truth_judged, judgement, metric):
    """Whether a damage is seen: worse than the truth on average and at its worst, and above the limit."""
    mine, best = judgement.summary()[metric], truth_judged.summary()[metric]
    assert mine["mean"] > 1.5 * best["mean"] and mine["worst"] > 1.5 * best["worst"], (metric, mine, best)
    assert metric in {w["metric"] for w in judgement.warnings()}


def test_nothing_is_said_against_the_truth(truth_judged):
    assert truth_judged.warnings() == [] and set(truth_judged.summary()) == set(METRICS)


@pytest.mark.parametrize("damage", list(DAMAGES), ids=lambda d: d.__name__)
def test_every_damage_is_seen(scene, truth_judged, damage):
    ranks(truth_judged, judged(scene, damage), DAMAGES[damage])


@pytest.mark.slow
def test_every_damage_is_seen_on_real_people():
    clip = shared_clip("vr180/duo_2k/clip.mp4")
    scene = scene_of(clip.parent, clip, 8)
    best = judged(scene, untouched)
    assert best.warnings() == []
    for damage, metric in DAMAGES.items():
        ranks(best, judged(scene, damage), metric)


def test_warnings_name_the_person_the_eye_and_the_frames(scene):
    found = judged(scene, next(d for d in DAMAGES if d.__name__ == "lost_for_a_frame"))
    first = found.warnings()[0]
    assert first["frames"] == [2] and first["view"] in ("left", "right") and first["metric"] in ("jump", "flicker")
    assert judged(scene, untouched, {"softness": 0.1}).warnings()[0]["metric"] == "softness"


def test_without_the_picture_the_rest_is_measured(scene):
    truth, frames, _ = scene
    worker = Judge(truth.projection)
    for n, frame in enumerate(frames):
        worker.add(n, {v: {f"p{k}": a for k, a in own.items()} for v, own in frame.people.items()}, None)
    assert set(worker.finish().summary()) == set(METRICS) - {"flicker", "stereo"}


def test_holes_and_pieces():
    alpha = np.zeros((100, 100), np.float32)
    alpha[20:80, 20:80] = 1
    assert holes(alpha) == 0 and holes(np.zeros((9, 9), np.float32)) == 0
    alpha[40:50, 40:50] = 0
    assert holes(alpha) == pytest.approx(100 / 3500)
    alpha[90:95, 90:95] = 1
    assert holes(alpha) == pytest.approx(125 / 3525)
    # somebody else, or the other leg: no speck
    alpha[20:80, 85:99] = 1
    assert holes(alpha) == pytest.approx(125 / 4345, rel=0.05)


def test_growing_is_no_jump():
    rows = [Row(n, "left", "a", 1000 * 1.05**n) for n in range(20)]
    assert max(v for _, v in jumps(rows, 1024)) < 0.12
    rows[8] = Row(8, "left", "a", 300.0)
    assert [r.frame for r, v in jumps(rows, 1024) if v > 0.35] == [8]


def test_the_command_line(tmp_path, capsys):
    out, page = tmp_path / "out", tmp_path / "page.html"
    numbers = ["--start-frame", "1001", "--frames", "1001-1003"]
    assert main(["render", str(DEMO / "walk3d.mp4"), "-o", str(out), *numbers, "--strict", "--json"]) == 0
    capsys.readouterr()
    # the render says which clip it was made of
    assert main(["evaluate", str(out), "--no-reference", "--json", "--report", str(page), "--strict", "--limit", "softness=0.5"]) == 6
    data = json.loads(capsys.readouterr().out)
    assert (
        data["limits"]["softness"] == 0.5
        and data["warnings"][0]["metric"] == "softness"
        and set(data["summary"]) >= set(METRICS) - {"jump"}
        and len(data["rows"]) >= 12
    )
    # by the numbers of the files, from which it knows which frames of the clip they show
    assert {r["frame"] for r in data["rows"]} == {1001, 1002, 1003} == set(data["warnings"][0]["frames"])
    text = page.read_text()
    # one file that needs nothing else
    assert not re.search(r"""(src|href)=['"](?!data:)""", text) and "http" not in text and text.count("<svg") >= 5
    assert text.count("data:image/jpeg;base64,") >= 7
    assert main(["evaluate", str(out), "--no-reference", "--limit", "beauty=1"]) == 2
    assert "jaggedness" in capsys.readouterr().err
    assert main(["evaluate", str(out), "--no-reference", "--start-frame", "90"]) == 3
    assert "--start-frame" in capsys.readouterr().err
    assert main(["evaluate", str(out), "--no-reference", "--limit", "holes=nan"]) == 2


@pytest.mark.slow
def test_the_page_in_a_browser(tmp_path):
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("Chromium is not installed")
    out, page = tmp_path / "out", tmp_path / "page.html"
    clip = shared_clip("vr180/duo_2k/clip.mp4")
    assert main(["render", str(clip), "-o", str(out), "--frames", "1-12"]) == 0
    assert main(["evaluate", str(out), "--no-reference", "--report", str(page)]) == 0
    options = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1100,3000"]
    subprocess.run([*options, f"--screenshot={tmp_path / 'page.png'}", page.as_uri()], check=True, capture_output=True, timeout=120)
    import cv2

    seen = cv2.imread(str(tmp_path / "page.png"))
    assert seen is not None and seen.shape[0] == 3000 and len(np.unique(seen.reshape(-1, 3), axis=0)) > 5000
    dom = subprocess.run([*options, "--dump-dom", page.as_uri()], check=True, capture_output=True, timeout=120, text=True).stdout
    assert dom.count("<svg") >= 5 and dom.count("<polyline") > 10 and "Worth a look" in dom
