"""The parts that people are made of, held against closed forms: limbs, paths, cuts, shells, nets, clothes from files, distractors."""

import numpy as np
import pytest

pytest.importorskip("scipy", reason="scipy is of the benchmark's environment: make setup-bench")
from bench.people import Course, DataMissing, make_distractor
from bench.people.assets import read_asset
from bench.people.base_mesh import base_mesh, data_folder
from bench.people.cloth import Shell, clip
from bench.people.course import Path, steps
from bench.people.drape import chains, grid_times, simulate
from bench.people.limbs import two_bones, untwisted
from bench.people.regions import Figure
from bench.people.shape import rest_vertices, targets
from bench.people.shapes import ball, box, cuboid, cylinder, tube
from bench.people.skeleton import about, apply, from_to, product, turned, unit


@pytest.fixture
def _data():
    try:
        data_folder()
    except DataMissing as missing:
        pytest.skip(str(missing))


def test_two_bones_reach_what_is_in_reach():
    rng = np.random.default_rng(0)
    offset = unit(rng.normal(size=(50, 3))) * rng.uniform(0.15, 0.68, (50, 1))
    upper, lower, hinge = two_bones(offset, np.broadcast_to([0.1, 0.2, 1.0], (50, 3)), (0.4, 0.3))
    np.testing.assert_allclose(0.4 * upper + 0.3 * lower, offset, atol=1e-12)
    np.testing.assert_allclose(np.sum(hinge * offset, axis=1), 0, atol=1e-12)
    # what is too far is pointed at
    upper, lower, _ = two_bones(np.array([[0.0, -3.0, 0.0]]), np.array([[0.0, 0.0, 1.0]]), (0.4, 0.3))
    end = 0.4 * upper + 0.3 * lower
    assert np.linalg.norm(end) == pytest.approx(0.995 * 0.7)
    assert unit(end)[0, 1] == pytest.approx(-1)


def test_a_rotation_is_its_swing_and_its_twist():
    axis = unit(np.array([0.2, -0.9, 0.3]))
    turn = product(turned("x", np.array([0.4])), about(axis, np.array([0.7])))
    swing, twist = untwisted(turn, axis)
    np.testing.assert_allclose(product(swing, about(axis, twist)), turn, atol=1e-12)
    np.testing.assert_allclose(apply(from_to(axis, -axis), axis), -axis, atol=1e-12)


def test_a_course_passes_its_keys_and_its_feet_come_to_rest_side_by_side():
    course = Course((0.0, 2.0, 4.0), ((0.0, 0.0), (0.0, 2.0), (1.0, 3.0)), (0.0, 0.3, 0.8))
    path = Path.of(course, until=5.0)
    places, facings, way = path.at(np.array([-1.0, 2.0, 6.5]))
    np.testing.assert_allclose(places, [(0, 0), (0, 2), (1, 3)], atol=0.06)
    np.testing.assert_allclose(facings, [0, 0.3, 0.8], atol=0.03)
    assert (np.diff(path.way) >= 0).all() and way[0] == 0
    for side in (1.0, -1.0):
        foot = steps(path, np.array([6.5]), side=side, spread=0.1, stride=1.4, duty=0.62, lift=0.05, toe_out=0.0)
        assert foot.place[0, 1] == pytest.approx(0, abs=1e-9)
        wanted = np.array([1.0 + side * 0.1 * np.cos(0.8), 3.0 - side * 0.1 * np.sin(0.8)])
        np.testing.assert_allclose(foot.place[0, [0, 2]], wanted, atol=0.02)


def test_later_questions_do_not_change_earlier_steps():
    """Of walkers without an end: how far the table reaches is no matter."""
    for until in (1.0, 9.0):
        foot = steps(
            Path.of(Course(), until=until, pace=1.3),
            np.array([0.3, 0.7]),
            side=1.0,
            spread=0.1,
            stride=1.4,
            duty=0.62,
            lift=0.05,
            toe_out=0.0,
        )
        if until == 1.0:
            first = foot
    np.testing.assert_array_equal(first.place, foot.place)


def test_clipping_keeps_the_area_above_the_line():
    grid = np.stack(np.meshgrid(np.linspace(0, 1, 6), np.linspace(0, 1, 6)), axis=-1).reshape(-1, 2)
    index = np.arange(36).reshape(6, 6)
    a, b, c, d = index[:-1, :-1].ravel(), index[:-1, 1:].ravel(), index[1:, 1:].ravel(), index[1:, :-1].ravel()
    faces = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
    field = grid[:, 0] + 0.3 * grid[:, 1] - 0.55
    kept, pairs, share = clip(faces, field)
    points = grid[pairs[:, 0]] * (1 - share)[:, None] + grid[pairs[:, 1]] * share[:, None]
    corners = points[kept]
    one, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = np.abs(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]).sum() / 2
    # the line cuts x = 0.55 - 0.3 y: on average 0.4 is lost
    assert area == pytest.approx(0.6, abs=1e-9)
    assert (points[:, 0] + 0.3 * points[:, 1] - 0.55 > -1e-9).all()


@pytest.mark.parametrize(
    "solid",
    [ball(0.1), box((0.2, 0.1, 0.3)), cuboid((0.2, 0.1, 0.3)), cylinder(0.05, 0.4), tube(np.linspace([0, 0, 0], [0, 1, 0], 5), 0.02)],
)
def test_solids_look_outward(solid):
    """The volume inside is above zero: by the divergence theorem, with faces counter-clockwise from outside."""
    vertices, faces = solid
    corners = vertices[faces]
    assert np.einsum("fk,fk->f", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() > 0


def test_shells_push_out_what_is_inside():
    points = unit(np.random.default_rng(1).normal(size=(4000, 3)))
    moved = Shell(points, points).outside(np.array([[0.97, 0.0, 0.0], [1.5, 0.0, 0.0]]), 0.02)
    assert np.linalg.norm(moved[0]) == pytest.approx(1.02, abs=0.004)
    np.testing.assert_array_equal(moved[1], [1.5, 0.0, 0.0])


def test_a_chain_held_at_one_end_hangs_down_at_its_length():
    strand = np.linspace([0.0, 2.0, 0.0], [0.6, 2.0, 0.0], 9)[None]
    hold = np.where(np.arange(9) < 2, 1.0, 0.0)[None]
    times = grid_times(4.0)
    rigid = np.broadcast_to(strand.reshape(1, 9, 3), (len(times), 9, 3))
    moved = rigid + simulate(chains(strand, hold, 0.0), rigid, np.zeros((len(times), 0, 2, 3)), np.zeros((0, 2)), 0.0)
    lengths = np.linalg.norm(np.diff(moved[-1], axis=0), axis=1)
    # the links over two hold out where the fixed piece meets the hanging one
    np.testing.assert_allclose(lengths, 0.075, rtol=0.12)
    # all but the fixed piece hangs
    assert moved[-1, -1, 1] < 2.0 - 0.85 * 7 * 0.075
    np.testing.assert_array_equal(moved[:, :2], rigid[:, :2])


def test_targets_weigh_as_their_numbers_say():
    """At the middle of all numbers each family's weights sum to one; a grown-up man of 25 takes nothing of women or children."""
    man = {"gender": 0.0, "age": 2 / 3, "muscle": 0.5, "weight": 0.5, "african": 1.0, "asian": 0.0, "caucasian": 0.0}
    weighed = {path: weight for path, _, weight in targets(man) if weight > 1e-9}
    assert weighed["macrodetails/universal-male-young-averagemuscle-averageweight"] == pytest.approx(1)
    assert weighed["macrodetails/african-male-young"] == pytest.approx(1)
    assert not any("female" in path or "child" in path for path in weighed)
    some = {"gender": 0.3, "age": 0.4, "muscle": 0.8, "weight": 0.1}
    assert sum(w for p, _, w in targets(some) if "universal" in p) == pytest.approx(1)
    assert sum(w for p, _, w in targets(some) if "/height/" in p) == pytest.approx(1)


@pytest.mark.slow
def test_clothes_from_files_lie_where_they_say(tmp_path, _data):
    """A vertex named alone lies on that vertex; three with weights lie on their mean, moved by the scaled offset."""
    figure = Figure.of(rest_vertices({"age": 0.7}))
    a, b = figure.vertices[5399], figure.vertices[11998]
    scale = abs(a[0] - b[0]) / 0.14
    (tmp_path / "thing.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    (tmp_path / "thing.mhclo").write_text(
        "# c\nname thing\nobj_file thing.obj\nx_scale 5399 11998 1.4\nverts 0\n100\n200 201 202 0.5 0.25 0.25 0.3 0 0\n300\n\ndelete_verts\n5 7 - 9\n"
    )
    fitted = read_asset(tmp_path, "thing", figure)
    np.testing.assert_array_equal(fitted.vertices[0], figure.vertices[100])
    mean = 0.5 * figure.vertices[200] + 0.25 * figure.vertices[201] + 0.25 * figure.vertices[202]
    np.testing.assert_allclose(fitted.vertices[1], mean + np.array([0.03 * scale, 0, 0]), atol=1e-12)
    assert fitted.hidden.tolist() == [5, 7, 8, 9]
    (tmp_path / "thing.mhclo").write_text("verts 0\n100 x 3\n")
    with pytest.raises(ValueError, match="line 2: '100 x 3'"):
        read_asset(tmp_path, "thing", figure)
    with pytest.raises(DataMissing, match="has no clothes/none"):
        read_asset(tmp_path, "clothes/none", figure)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mannequin", "statue", "poster", "pet"])
def test_distractors_stand_where_they_are_put(kind, _data):
    body = make_distractor(kind, 3).at(np.array([0.0, 0.5]), Course((0.0,), ((2.0, -3.0),), (0.4,)))
    low, high = body.bounds()
    assert (low[:, 1] > -0.02).all() and (low[:, 1] < 0.6).all()
    np.testing.assert_allclose(((low + high) / 2)[:, [0, 2]], [(2, -3)] * 2, atol=0.45)
    assert body.faces < 60_000 and body.strand_points <= 40_000
    parts = {mesh.part for mesh in body.meshes}
    assert parts <= {"statue", "poster", "pet"}
    if kind != "pet":
        np.testing.assert_array_equal(body.meshes[0].vertices[0], body.meshes[0].vertices[1])


def test_what_is_not_known_is_named():
    with pytest.raises(ValueError, match="'robot'; allowed are mannequin"):
        make_distractor("robot", 1)  # type: ignore[arg-type]


def test_the_base_mesh_is_whole(_data):
    mesh = base_mesh()
    assert mesh.vertices.shape == (19158, 3) and len(np.unique(mesh.faces("body"))) == 13380
    np.testing.assert_allclose(mesh.weight_of.sum(axis=1), 1, atol=1e-12)
    assert all(bone.parent < k for k, bone in enumerate(mesh.bones))
