"""Scenes come from their seeds alone, and splits have what they should."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bench.generate import main_arguments, numbers_of, run
from bench.scenes.contract import Lamp, Prop
from bench.scenes.draw import SCENES, draw_scene, place_of
from bench.scenes.places import PLACES
from bench.scenes.shapes import ball, box, material, mesh
from bench.scenes.things import THINGS


@pytest.fixture(scope="module")
def split():
    return [draw_scene("dev", 1, n) for n in range(SCENES)]


def test_a_scene_is_its_seed(split):
    again = draw_scene("dev", 1, 4)
    assert again == split[4]
    assert json.loads(json.dumps(again.to_json()))["place_seed"] == again.place_seed
    assert draw_scene("dev", 2, 4) != again
    assert draw_scene("test", 1, 4).place_seed != again.place_seed


def test_a_split_has_all_that_is_hard(split):
    people = sorted(len(s.cast) for s in split)
    assert people.count(0) == 6
    assert people[-3:] == [4, 5, 6]
    places = [s.place for s in split]
    assert all(places.count(name) == SCENES // len(PLACES) for name in PLACES)
    tags = {t for s in split for t in s.tags}
    assert {"nobody", "projection:fisheye", "projection:equirect", "light:hard_sun", "light:night", "mirror", "background:green"} <= tags
    assert {s.sensor.codec for s in split} == {"h264", "hevc"}
    assert all(0.03 <= s.rig.baseline_m <= 0.12 for s in split)


def test_tags_say_what_is_there(split):
    for scene in split:
        assert f"people:{len(scene.cast)}" in scene.tags
        assert ("nobody" in scene.tags) == (not scene.cast)
        assert {f"motion:{m.person.motion}" for m in scene.cast} <= set(scene.tags)


def test_people_stand_on_free_ground(split):
    for scene in split:
        place = place_of(scene)
        for member in scene.cast:
            if member.person.motion in ("walk", "run"):
                continue
            x, z = member.course.places[0]
            assert z < -0.3, (scene.name, x, z)
            assert np.hypot(x, z) < 12
            assert place.free[0] - 2 <= x <= place.free[1] + 2


@pytest.mark.parametrize("name", PLACES)
def test_places_are_drawn_anew_and_whole(name):
    place = PLACES[name](np.random.default_rng(5))
    assert [p.mesh.name for p in place.props] == [p.mesh.name for p in PLACES[name](np.random.default_rng(5)).props]
    assert len({p.mesh.name for p in place.props}) == len(place.props)
    assert all(np.isfinite(p.mesh.vertices).all() for p in place.props)
    assert place.licences
    assert all("CC0" in words for words in place.licences)


@pytest.mark.parametrize("name", THINGS)
def test_things_stand_on_the_ground(name):
    make, radius = THINGS[name]
    parts = make(np.random.default_rng(3))
    points = np.concatenate([p.vertices[0] for p in parts])
    assert -0.25 < points[:, 1].min() < 0.35, name
    assert points[:, 1].max() < 12
    assert radius > 0


def test_solids_look_outwards():
    for points, faces in (box((1, 2, 3)), ball((1, 2, 3))):
        a, b, c = (points[faces[:, k]].astype(float) for k in range(3))
        volume = np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6
        assert volume == pytest.approx(6 if len(points) == 24 else np.pi, rel=0.03)


def test_lamps_shine_at_their_target():
    pose = Lamp("spot", 1.0, (1.0, 4.0, 0.0), (0.0, 0.0, -3.0)).pose()
    np.testing.assert_allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-12)
    ahead = -pose[:3, 2]
    np.testing.assert_allclose(ahead, np.array([-1, -4, -3]) / np.sqrt(26))


def test_what_swings_keeps_its_foot():
    prop = Prop(mesh("x", box((1, 2, 1), (0, 1, 0)), material((0.5, 0.5, 0.5))), role="mover", swing_m=0.3, swing_hz=1.0)
    places = prop.at(np.array([0.0, 0.25]))
    moved = places[1] - places[0]
    assert np.abs(moved[prop.mesh.vertices[0, :, 1] < 0.01]).max() < 1e-6
    assert moved[:, 0].max() == pytest.approx(0.3, abs=1e-6)


@pytest.mark.parametrize(("words", "numbers"), [("0-3", [0, 1, 2, 3]), ("7,1,1", [1, 7]), ("2", [2])])
def test_numbers_of_scenes(words, numbers):
    assert numbers_of(words) == numbers


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["blind"], "--seed"),
        (["dev", "--scenes", "x"], "--scenes is 'x'"),
        (["dev", "--scenes", "24"], "scenes 0 to 23"),
        (["dev", "--size", "100"], "--size is 100"),
        (["dev", "--frames", "0"], "--frames is 0"),
        (["dev", "--assets", "/nowhere/at/all"], "/nowhere/at/all"),
    ],
)
def test_what_cannot_be_generated_is_said(given, said, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(main_arguments([*given, "-o", str(out)])) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()
