"""A scene that is right passes; each damage is found."""

from __future__ import annotations

import hashlib
import json
import shutil

import numpy as np
import pytest

from bench.camera import develop
from bench.camera.files import Clip, TruthFile, read_truth
from bench.check import check_scene, sheet
from bench.produce import FORMAT, MARKS, shift_codes
from bench.scenes.contract import Sensor

SIZE, FRAMES, SHIFT = 64, 2, 3
SENSOR = Sensor((0.0, 0.0), (1.0, 1.0), 1e5, 1.0, "bt709", 10, "h264", 400.0)


def disc(x, radius=12.0):
    rows, columns = np.mgrid[0:SIZE, 0:SIZE] + 0.5
    return np.clip(radius + 0.5 - np.hypot(columns - x, rows - SIZE / 2), 0, 1).astype(np.float32)


def write(folder, name, frames, *, colour=False):
    with TruthFile(folder / name, 24, colour=colour) as file:
        for frame in frames:
            file.write(frame)
    return file.digest.hexdigest()


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """One person, the right eye's picture three pixels to the left of the left's; a gradient behind."""
    folder = tmp_path_factory.mktemp("check") / "scene00"
    folder.mkdir()
    alphas, disparities, fronts, backs, depths = [], [], [], [], []
    with Clip(folder / "clip.mp4", SENSOR, fps=24, width=2 * SIZE, height=SIZE) as clip:
        for n in range(FRAMES):
            eyes = [disc(30 + n), disc(30 + n - SHIFT)]
            alpha = np.concatenate(eyes, axis=1)
            shift = np.zeros((SIZE, 2 * SIZE, 2), np.float32)
            shift[:, :SIZE, 0], shift[:, SIZE:, 0] = -SHIFT, SHIFT
            front = np.full((SIZE, 2 * SIZE, 3), 0.5, np.float32) * np.array([1, 0.6, 0.4], np.float32)
            back = np.linspace(0.05, 0.4, 2 * SIZE, dtype=np.float32)[None, :, None] * np.ones((SIZE, 1, 3), np.float32)
            clip.write(develop.signal(front * alpha[..., None] + back * (1 - alpha[..., None]), "bt709"))
            alphas.append(np.rint(alpha * 65535).astype(np.uint16))
            disparities.append(shift_codes(shift, np.where(alpha > 0.5, 2, 0).astype(np.uint8)))
            depths.append(np.where(alpha > 0.5, 2000, 0).astype(np.uint16))
            fronts.append(develop.coded(front))
            backs.append(develop.coded(back))
    hashes = {name: write(folder, name, alphas) for name in ("gt_person1.mkv", "gt_everybody.mkv")}
    hashes["gt_held.mkv"] = write(folder, "gt_held.mkv", [np.zeros_like(a) for a in alphas])
    hashes["depth.mkv"] = write(folder, "depth.mkv", depths)
    for name, frames in (("disparity.mkv", disparities), ("flow.mkv", disparities), ("foreground.mkv", fronts), ("background.mkv", backs)):
        hashes[name] = write(folder, name, frames, colour=True)
    scene = {
        "format": FORMAT, "eye_size": SIZE, "frames": FRAMES, "tags": ["people:1"], "people": [{"name": "person1"}],
        "sensor": {"transfer": "bt709"},
    }  # fmt: skip
    (folder / "scene.json").write_text(json.dumps(scene))
    (folder / "truth.json").write_text(json.dumps({"format": FORMAT, "sha256_of_decoded_frames": hashes}))
    return folder


def rewritten(folder, name, change, *, colour=False):
    """A truth file changed, with its hash made right again: only the content is wrong."""
    frames = [change(f.copy()) for f in read_truth(folder / name)]
    hashes = json.loads((folder / "truth.json").read_text())
    hashes["sha256_of_decoded_frames"][name] = write(folder, name, frames, colour=colour)
    (folder / "truth.json").write_text(json.dumps(hashes))


@pytest.fixture
def bad(good, tmp_path):
    return shutil.copytree(good, tmp_path / "scene00")


def test_a_right_scene_passes_and_is_drawn(good, tmp_path):
    found = check_scene(good)
    assert found.wrong == []
    assert found.values["stereo"] < 1 / 255
    sheet(good, tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").read_bytes()[:4] == b"\x89PNG"


def test_a_changed_file_is_found(bad):
    frames = [f.copy() for f in read_truth(bad / "gt_person1.mkv")]
    frames[1][5, 5] += 1
    write(bad, "gt_person1.mkv", frames)
    assert any("SHA-256" in w for w in check_scene(bad).wrong)


def test_layers_that_do_not_add_up_are_found(bad):
    rewritten(bad, "gt_person1.mkv", lambda a: (a * 0.97).astype(np.uint16))
    assert any("add up" in w for w in check_scene(bad).wrong)


def test_held_things_outside_people_are_found(bad):
    def put(a):
        a[2:5, 2:5] = 40000
        return a

    rewritten(bad, "gt_held.mkv", put)
    assert any("held" in w for w in check_scene(bad).wrong)


def test_another_foreground_is_found(bad):
    rewritten(bad, "foreground.mkv", lambda c: (c * 0.8).astype(np.uint16), colour=True)
    assert any("foreground over background" in w for w in check_scene(bad).wrong)


def test_a_shifted_matte_is_found(bad):
    for name in ("gt_person1.mkv", "gt_everybody.mkv"):
        rewritten(bad, name, lambda a: np.roll(a, 3, axis=0))
    assert any("foreground over background" in w for w in check_scene(bad).wrong)


def test_a_wrong_disparity_is_found(bad):
    def double(codes):
        codes[..., 0] = np.where(codes[..., 2] == MARKS[2], 2 * (codes[..., 0].astype(int) - 32768) + 32768, 0)
        return codes

    rewritten(bad, "disparity.mkv", double, colour=True)
    assert any("disparity" in w for w in check_scene(bad).wrong)


def test_a_file_too_few_and_wrong_tags_are_found(bad):
    scene = json.loads((bad / "scene.json").read_text())
    (bad / "scene.json").write_text(json.dumps({**scene, "tags": ["nobody"]}))
    assert any("tags" in w for w in check_scene(bad).wrong)
    (bad / "flow.mkv").unlink()
    assert any("are needed" in w for w in check_scene(bad).wrong)
    (bad / "scene.json").write_text("{")
    assert any("cannot be read" in w for w in check_scene(bad).wrong)


def test_hashes_are_of_decoded_frames(good):
    said = json.loads((good / "truth.json").read_text())["sha256_of_decoded_frames"]["disparity.mkv"]
    assert said == hashlib.sha256(b"".join(f.tobytes() for f in read_truth(good / "disparity.mkv"))).hexdigest()
