"""The truth is the floor, and each known damage is seen by the measure that is there for it, the more the larger it is."""

import json

import numpy as np
import pytest

from bench.methods.truths import DAMAGES, write_truth
from bench.score.measures import MEASURES
from bench.score.results import assembled
from bench.score.scene import find_scenes, score_scene, tags_of
from tests.bench.scenes import FRAMES, SIDE, video
from vr180_ofx.errors import MediaError

#: Half floats between 1/2 and 1 lie 2^-11 apart.
HALF = 2.0**-12


@pytest.fixture(scope="module")
def scored(scenes, tmp_path_factory):
    """(damage, amount) -> the score of the scene with two people; ("", 0): the truth itself."""
    root, out = tmp_path_factory.mktemp("damages"), {}
    for name, change, amount in [("", None, 0.0), *((n, d.change, a) for n, d in DAMAGES.items() for a in used(n, d))]:
        folder = root / f"{name}{amount}"
        write_truth(scenes / "two", folder, *(() if change is None else (change, amount)))
        out[name, amount] = score_scene(scenes / "two", folder)
    return out


def used(name, damage):
    """Two amounts of each, to be quick; and those that other tests look at."""
    return (
        (2, 4) if name in ("shift", "eye-shift") else (0.5, 1) if name in ("ghost", "missed") else (damage.amounts[0], damage.amounts[-1])
    )


def value(scene, name):
    total, weight = MEASURES[name].part(name, scene)
    return total / weight


def test_the_truth_is_the_floor(scored):
    """16 bits, written as half floats and read back."""
    truth = scored["", 0.0]
    m, c = truth["measures"], truth["counts"]
    assert m["iou"] == 1 and m["mad"] <= HALF and m["mse"] <= HALF**2 and m["band_mad"] <= HALF and m["dtssd"] <= 100 * 2 * HALF
    assert abs(m["stereo_error"] - m["stereo_error_of_the_truth"]) <= 2 * HALF and m["stereo_error_of_the_truth"] < 0.03
    assert c["must_find"] == c["found"] == 2 * 2 * FRAMES and c["missed"] == c["ghosts"] == c["switches"] == c["eyes_disagree"] == 0
    assert truth["frames_missing"] == [] and c["false_area"] == 0 and c["shared_layers"] == 0


@pytest.mark.parametrize("name", DAMAGES)
def test_a_larger_damage_scores_worse(scored, name):
    damage = DAMAGES[name]
    values = [value(scored[key], damage.seen) for key in [("", 0.0), *((name, a) for a in used(name, damage))]]
    sign = -1 if MEASURES[damage.seen].better == "high" else 1
    assert (np.diff(values) * sign > 0).all(), values


def test_damages_are_told_apart(scored):
    """Who is called what is no matter of pixels; an eye that is off is worse in stereo than both that are; a ghost is not an edge."""
    truth, swap, ghost = scored["", 0.0], scored["swap", 1], scored["ghost", 1]
    assert swap["measures"] == truth["measures"] and swap["counts"]["switches"] == 2 * 2 and swap["counts"]["steps"] == 2 * 2 * (FRAMES - 1)
    assert scored["eye-shift", 2]["measures"]["stereo_error"] > 2 * scored["shift", 2]["measures"]["stereo_error"]
    assert scored["eye-shift", 2]["measures"]["mad"] < 0.7 * scored["shift", 2]["measures"]["mad"]
    assert ghost["measures"]["band_mad"] == pytest.approx(truth["measures"]["band_mad"]) and ghost["counts"]["ghosts"] == 2 * FRAMES
    assert scored["missed", 0.5]["counts"]["missed"] == FRAMES and scored["missed", 0.5]["counts"]["ghosts"] == 0


def test_frames_that_were_not_written_count_as_empty(scored):
    half = scored["dropped", 0.5]
    assert half["frames_missing"] == [1, 3, 5] and half["measures"]["iou"] == pytest.approx(0.5) and half["counts"]["missed"] == 2 * FRAMES


def test_a_scene_with_nobody_is_scored_by_ghosts_alone(scenes, tmp_path):
    write_truth(scenes / "empty", tmp_path / "well")
    well = score_scene(scenes / "empty", tmp_path / "well")
    assert well["nobody"] and well["measures"]["iou"] is None and well["counts"]["ghosts"] == 0 and well["measures"]["mad"] == 0
    write_truth(scenes / "empty", tmp_path / "ghosts", DAMAGES["ghost"].change, 0.5)
    ghosts = score_scene(scenes / "empty", tmp_path / "ghosts")
    assert ghosts["counts"]["ghosts"] == FRAMES and value(ghosts, "ghosts") == 0.5 and ghosts["measures"]["mad"] > 0


def test_a_method_that_wrote_nothing_found_nobody(scenes):
    none = score_scene(scenes / "one", None)
    assert none["measures"]["iou"] == 0 and none["counts"]["found"] == 0 and none["frames_missing"] == list(range(FRAMES))


def test_where_and_how_large_people_are(scored):
    """An ellipse of 24 pixels of 128 up and down is 48 * 180 / 128 degrees high."""
    first = next(s for s in scored["", 0.0]["sightings"] if (s["person"], s["view"], s["frame"]) == (1, "left", 0))
    assert first["size_degrees"] == pytest.approx(67.5, abs=2) and first["angle_degrees"] == pytest.approx((64 - 40) * 180 / 128, abs=1)
    groups = assembled({"name": "truth"}, {"two": scored["", 0.0]})
    assert sum(g["sightings"] for g in groups["by_angle"]) == sum(g["sightings"] for g in groups["by_size"]) == 4 * FRAMES
    assert groups["by_tag"]["calm"]["iou"]["value"] == 1


def test_scenes_are_found_and_named(scenes, tmp_path):
    assert list(find_scenes(scenes)) == ["empty", "one", "two"] and list(find_scenes(scenes / "one")) == ["one"]
    (tmp_path / ".two.work").mkdir()
    (tmp_path / ".two.work" / "gt_person1.mkv").touch()
    with pytest.raises(MediaError, match="has no scene three; it has empty, one, two"):
        find_scenes(scenes, ["three"])
    with pytest.raises(MediaError, match="holds no scenes"):
        find_scenes(tmp_path)
    assert tags_of({"tags": {"hair": ["long", "loose"], "night": True, "fog": False, "count": 2}}) == [
        "count:2",
        "hair:long",
        "hair:loose",
        "night",
    ]


def test_at_a_lens_rim_people_have_a_size_too(tmp_path):
    """Of a body that the lens cuts off, the corners of its box show nothing."""
    folder = tmp_path / "rim"
    folder.mkdir()
    ys, xs = np.mgrid[0:SIDE, 0:SIDE] + 0.5
    inside = (np.hypot(xs - SIDE / 2, ys - SIDE / 2) < SIDE / 2 - 1) & (xs > 100) & (np.abs(ys - SIDE / 2) < 40)
    both = np.concatenate([inside, inside], axis=1) * np.uint16(65535)
    video(folder / "gt_person1.mkv", [both] * 2, "gray16le")
    (folder / "scene.json").write_text(json.dumps({"layout": "sbs", "projection": "equidistant fisheye", "fov_degrees": 180}))
    sightings = score_scene(folder, None)["sightings"]
    assert all(60 < s["angle_degrees"] < 90 and 60 < s["size_degrees"] < 120 for s in sightings) and len(sightings) == 4
