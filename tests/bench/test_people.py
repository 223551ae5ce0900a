"""People: the same from the same seed in another process, whole geometry, feet on the ground, sizes that two cores can render."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("scipy", reason="scipy is of the benchmark's environment: make setup-bench")
from bench import __main__ as bench
from bench.people import Course, DataMissing, Person, draw_person, make_actor
from bench.people.base_mesh import data_folder
from bench.people.contract import MOTIONS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _data():
    try:
        data_folder()
    except DataMissing as missing:
        pytest.skip(str(missing))


def digest(body) -> str:
    """Of all arrays of a body."""
    sha = hashlib.sha256()
    for mesh in body.meshes:
        for values in (mesh.vertices, mesh.faces, mesh.texture, mesh.tint):
            sha.update(b"" if values is None else np.ascontiguousarray(values).tobytes())
    for strands in body.strands:
        sha.update(strands.points.tobytes() + strands.radius.tobytes())
    return sha.hexdigest()


COURSE = Course((-1.0, 0.5, 2.0), ((0.0, 0.0), (0.3, 1.5), (1.2, 2.4)), (0.2, 0.5, 1.4))


@pytest.mark.slow
def test_another_process_makes_the_same_bits():
    program = (
        "import numpy as np; from tests.bench.test_people import COURSE, digest; from bench.people import draw_person, make_actor;"
        "print(digest(make_actor(draw_person(11, motion='walk', hair='long')).at(np.array([0.25, 0.5]), COURSE)))"
    )
    runs = {subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout for _ in range(2)}
    assert len(runs) == 1 and len(runs.pop().strip()) == 64


def test_a_time_gives_the_same_whatever_else_is_asked():
    actor = make_actor(draw_person(4, motion="walk", hair="short"))
    together = actor.at(np.array([0.1, 0.4, 0.9]), COURSE)
    alone = actor.at(np.array([0.4]), COURSE)
    for a, b in zip(together.meshes, alone.meshes, strict=True):
        np.testing.assert_array_equal(a.vertices[1], b.vertices[0])
    for c, d in zip(together.strands, alone.strands, strict=True):
        np.testing.assert_array_equal(c.points[1], d.points[0])


def test_a_description_read_from_json_makes_the_same_person():
    person = draw_person(9)
    again = Person.from_json(person.to_json())
    assert again == person


@pytest.mark.slow
@pytest.mark.parametrize("motion", MOTIONS)
def test_bodies_are_whole(motion):
    body = make_actor(draw_person(21, motion=motion)).at(np.arange(8) / 5, Course())
    assert body.faces <= 60_000 and body.strand_points <= 40_000
    low, high = body.bounds()
    assert np.isfinite(low).all() and np.isfinite(high).all()
    # nobody sinks into the ground; who does not jump or run touches it
    assert low[:, 1].min() > -0.08
    if motion not in ("jump", "run"):
        assert low[:, 1].max() < 0.05
    assert (high - low).max() < 2.6


def test_planted_feet_do_not_slide():
    """Of walkers: a foot's ball that is on the ground at two times a fiftieth of a second apart is in the same place."""
    actor = make_actor(draw_person(5, motion="walk", hair="none"))
    times = np.arange(60) / 50
    body = actor.at(times, Course((-2.0, 3.0), ((0.0, -2.5), (0.0, 3.5)), (0.0, 0.0)))
    ball = body.skeleton[:, body.joints.index("toe2-1.L")].astype(np.float64)
    moved = np.linalg.norm(np.diff(ball, axis=0), axis=1)
    down = np.maximum(ball[1:, 1], ball[:-1, 1]) < ball[:, 1].min() + 0.012
    assert down.sum() > 10
    assert np.median(moved[down]) < 0.002
    assert moved.max() > 0.02


@pytest.mark.slow
def test_a_beard_and_long_hair_keep_within_the_points():
    person = replace(draw_person(6, years=(30, 40), motion="stand", hair="long", held=""), beard_m=0.1)
    body = make_actor(person).at(np.array([0.0]), Course())
    assert {strands.name for strands in body.strands} == {"hair", "face hair"}
    assert 20_000 < body.strand_points <= 40_000


def test_what_a_person_cannot_be_is_said():
    person = draw_person(6)
    with pytest.raises(ValueError, match="'grin'; allowed are '', 'smile'"):
        make_actor(replace(person, expression="grin"))
    with pytest.raises(ValueError, match="'toga'; allowed are plain"):
        draw_person(6, outfit="toga")
    with pytest.raises(ValueError, match="assets=True"):
        draw_person(6, outfit="suit")
    with pytest.raises(DataMissing, match="--assets"):
        make_actor(draw_person(6, outfit="suit", assets=True))


def test_pictures_show_who_was_asked_for(tmp_path):
    """Somebody before grey: the skin's and the clothes' colours fill the middle, and the upper corners stay empty."""
    output = tmp_path / "people.png"
    assert (
        bench.main(["people", "--seed", "3", "--count", "1", "--motion", "stand", "--hair", "none", "--size", "160", "-o", str(output)])
        == 0
    )
    shown = cv2.imread(str(output))
    assert shown is not None and shown.shape[:2] == (160, 6 * 160)
    assert (shown[40:140, 70:90] != 200).any(axis=2).mean() > 0.5
    assert (shown[:40, :30] == 200).all()
    assert bench.main(["people", "--hair", "mullet", "-o", str(output)]) == 2
