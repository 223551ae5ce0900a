"""Where likenesses are, by the geometry of the scene; and ghosts that stand where they are not."""

import json
import math
import shutil

import numpy as np
import pytest

from bench.methods.truths import DAMAGES, write_truth
from bench.score.likenesses import HEIGHT, RADIUS, likenesses
from bench.score.scene import score_scene
from tests.bench.scenes import FRAMES
from vr180_ofx.imaging.parts import bounds
from vr180_ofx.quality.truth import Truth

RIG = {"height_m": 1.5, "baseline_m": 0.2}


def with_distractors(scenes, folder, distractors):
    """The scene with nobody in it, and these things."""
    shutil.copytree(scenes / "empty", folder)
    path = folder / "scene.json"
    said = json.loads(path.read_text())
    said["recipe"] = {"rig": RIG, "distractors": distractors}
    path.write_text(json.dumps(said))
    return folder


def test_a_likeness_is_where_its_place_is(scenes, tmp_path):
    """A mannequin four metres ahead, two to the right: lines from each eye to its axis, its foot and its top, in degrees."""
    truth = Truth(with_distractors(scenes, tmp_path / "one", [{"kind": "mannequin", "place": [2.0, -4.0]}]))
    width, height = truth.layout.eye_size
    for view, aside in (("left", -0.1), ("right", 0.1)):
        box = bounds(likenesses(truth)[view])
        middle = math.degrees(math.atan2(2.0 - aside, 4.0))
        half = math.degrees(math.asin(RADIUS / math.hypot(2.0 - aside, 4.0)))
        near = math.hypot(2.0 - aside, 4.0) - RADIUS
        lowest, highest = math.degrees(math.atan2(-1.5, near)), math.degrees(math.atan2(HEIGHT - 1.5, near))
        expected = [(middle - half) / 180 * width, (middle + half) / 180 * width, -highest / 180 * height, -lowest / 180 * height]
        found = [box.x0 - width / 2, box.x1 - width / 2, box.y0 - height / 2, box.y1 - height / 2]
        assert found == pytest.approx(expected, abs=2)


def test_pets_are_none_and_a_scene_without_a_recipe_has_none(scenes, tmp_path):
    pet = with_distractors(scenes, tmp_path / "pet", [{"kind": "pet", "place": [0.0, -3.0]}])
    for folder in (pet, scenes / "empty"):
        assert not any(mask.any() for mask in likenesses(Truth(folder)).values())
    # who stands in it sees nothing else
    inside = Truth(with_distractors(scenes, tmp_path / "in", [{"kind": "statue", "place": [0.1, -0.2]}]))
    assert all(mask.all() for mask in likenesses(inside).values())


def test_ghosts_on_likenesses_are_counted_apart(scenes, tmp_path):
    write_truth(scenes / "empty", tmp_path / "out", DAMAGES["ghost"].change, 0.5)
    counts = []
    for name, places in (("around", [[0.0, -0.1]]), ("elsewhere", [[0.0, -80.0]])):
        folder = with_distractors(scenes, tmp_path / name, [{"kind": "poster", "place": p} for p in places])
        scored = score_scene(folder, tmp_path / "out")
        counts.append((scored["counts"]["ghosts"], scored["counts"]["on_likenesses"]))
    assert counts == [(FRAMES, FRAMES), (FRAMES, 0)]
    assert np.sum([e["on_likenesses"] for e in scored["eyes"]]) == 0
