"""Whole clips: nobody, one, two, cuts, damaged frames."""

from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import make_clip, shared_clip
from vr180_ofx.engine.models import Models
from vr180_ofx.engine.plans import analyse
from vr180_ofx.media.open import open_clip
from vr180_ofx.people import analyse as analysis
from vr180_ofx.people.analyse import numbered, reduction
from vr180_ofx.people.parameters import PLAN
from vr180_ofx.people.person import Entry
from vr180_ofx.people.tracklet import Tracklet
from vr180_ofx.settings import Settings
from vr180_ofx.stereo.distance import Match
from vr180_ofx.vr180.alignment import Alignment
from vr180_ofx.vr180.body import Body


def test_nobody_is_a_valid_result(tmp_path):
    with open_clip(make_clip(tmp_path / "empty.mp4", 12, size=(1024, 512))) as clip:
        plan = analyse(clip)
    assert plan.people == () and "nobody" in plan.notes[0] and plan.shots == ((0, 11),)


def test_a_cut_ends_identities(people_clip, tmp_path):
    import av

    with av.open(str(people_clip)) as source:
        people = [f.to_ndarray(format="rgb24") for f in source.decode(video=0)]
    y, x = np.mgrid[:512, :1024]
    street = np.stack([(x // 4) % 256, (y // 2) % 256, (x + y) % 256], -1).astype(np.uint8)
    pictures = [*people, *[street] * 8, *people]
    with open_clip(make_clip(tmp_path / "cut.mp4", 28, size=(1024, 512), pictures=lambda n: pictures[n])) as clip:
        plan = analyse(clip)
    assert plan.shots == ((0, 9), (10, 17), (18, 27))
    assert [p.shot for p in plan.people] == [0, 0, 2, 2]
    for p in plan.people:
        first, last = plan.shots[p.shot]
        for v in plan.views:
            assert set(plan.track(p, v).bodies) <= set(range(first, last + 1))


def test_at_most_so_many_people_and_it_is_said(people_clip):
    settings = Settings(detection={"max_people": 1})
    with open_clip(people_clip, settings) as clip:
        plan = analyse(clip)
    assert len(plan.people) == 1 and "max_people" in plan.notes[0]


def test_a_flat_picture_of_people(people_clip, tmp_path):
    """The left eye alone, taken for an ordinary picture."""
    import av

    with av.open(str(people_clip)) as source:
        left = [f.to_ndarray(format="rgb24")[100:420, 60:500] for f in source.decode(video=0)]
    path = make_clip(tmp_path / "flat.mp4", 10, size=(440, 320), pictures=lambda n: np.ascontiguousarray(left[n]))
    with open_clip(path) as clip:
        assert clip.geometry.projection_name == "flat"
        plan = analyse(clip)
        assert len(plan.people) == 2 and all(len(plan.track(p, "left").bodies) == 10 for p in plan.people)


@pytest.mark.slow
def test_the_juggler_is_one_person_in_every_frame():
    with open_clip(shared_clip("flat/05_default_juggle.mp4")) as clip:
        plan = analyse(clip)
        assert len(plan.people) == 1
        assert len(plan.track(plan.people[0], "left").bodies) == len(clip)


@pytest.mark.slow
@pytest.mark.parametrize("overlap", [0.42, 0.45, 0.48, 0.5])
def test_somebody_behind_somebody_is_found_wherever_the_search_windows_lie(overlap):
    """A child half behind a man, in the picture throughout: no luck needed, and no ghost."""
    models = Models.of(Settings())
    parameters = replace(PLAN, detect=replace(PLAN.detect, overlap=overlap))
    with open_clip(shared_clip("vr180/duo_2k/clip.mp4")) as clip:
        plan = analysis.analyse(
            clip, clip.settings, detector=models.load_detector(), segmenter=models.load_segmenter(), parameters=parameters
        )
        assert len(plan.people) == 2
        assert all(len(plan.present(n, v)) == 2 for n in range(len(clip)) for v in clip.views)


def test_progress_is_told_and_the_first_frames_may_be_enough(bare):
    told = []
    plan = analyse(bare, progress=lambda done, total: told.append((done, total)), stop=4)
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    # sampled every other frame: the last look holds to the end of what was looked at, not of the clip
    assert plan.people and all(max(rows) <= 3 for p in plan.people for rows in p.views.values()) and plan.shots == ((0, 9),)


def test_eyes_are_reduced_by_a_whole_factor(bare):
    assert reduction(bare, PLAN) == 1 and reduction(bare, replace(PLAN, side=128)) == 4


def tracklet(number, n, occluders=()):
    """Somebody whom both eyes see at three frames from ``n`` on, as far apart as cameras that are level say."""
    entry = Entry(Body(0.1 * number, -0.1, 0.4), (100.0, 200.0, 150.0, 330.0), 0.9, occluders=occluders)
    frames = (n, n + 2, n + 4)
    matches = {k: Match(0.03, 0.9, (0.0, 0.0, 1.0)) for k in frames}
    return Tracklet(number, n, entries={v: dict.fromkeys(frames, entry) for v in ("left", "right")}, matches=matches)


def test_numbers_in_a_shot_become_numbers_in_the_clip(bare):
    shots = [[tracklet(1, 0), tracklet(3, 0, occluders=(1, 2))], [], [tracklet(1, 5, occluders=(1,))]]
    people = numbered(shots, bare, Alignment(), PLAN)
    assert [(p.id, p.name, p.shot) for p in people] == [(1, "person01", 0), (2, "person02", 0), (3, "person03", 2)]
    # who was no person in the end stands before nobody; numbers of one shot mean nobody of another
    assert {e.occluders for e in people[1].views["left"].values()} == {(1,)}
    assert {e.occluders for e in people[2].views["left"].values()} == {(3,)}
    assert set(people[0].shifts.values()) == {0.03}


def test_what_one_eye_saw_the_other_is_told_of(bare):
    one = tracklet(1, 0)
    left_only = replace(one, entries={"left": one.entries["left"], "right": {0: one.entries["right"][0]}})
    parameters = replace(PLAN, trajectory=replace(PLAN.trajectory, gap_s=0.01))
    (person,) = numbered([[left_only]], bare, Alignment(), parameters)
    assert [person.views["right"][n].source for n in sorted(person.views["right"])] == ["tracked", "other_eye", "other_eye"]


def test_a_part_is_analysed_as_a_clip_that_was_cut_down_to_it(people_clip, tmp_path):
    import av

    with av.open(str(people_clip)) as source:
        people = [f.to_ndarray(format="rgb24") for f in source.decode(video=0)]
    whole = make_clip(tmp_path / "whole.mkv", 10, codec="ffv1", size=(1024, 512), pictures=lambda n: people[n])
    cut = make_clip(tmp_path / "cut.mkv", 5, codec="ffv1", size=(1024, 512), pictures=lambda n: people[n + 4])
    told = []
    with open_clip(whole) as clip, open_clip(cut) as short:
        part = analyse(clip, span=(4, 8), progress=lambda done, total: told.append((done, total)))
        alone = analyse(short)
    assert told == [(n, 5) for n in range(1, 6)] and part.shots == ((0, 3), (4, 8), (9, 9)) and len(alone.people) == 2
    for a, b in zip(part.people, alone.people, strict=True):
        assert (a.name, a.shot) == (b.name, 1)
        # one distance for each fifth of a second, which begin elsewhere
        assert np.mean(list(a.shifts.values())) == pytest.approx(np.mean(list(b.shifts.values())), rel=0.03)
        for view in clip.views:
            assert {n - 4: e for n, e in a.views[view].items()} == b.views[view]
            assert {n - 4: w for n, w in part.track(a, view).bodies.items()} == alone.track(b, view).bodies
    assert part.analysed == (4, 8) and part.unknown(range(10)) == [0, 1, 2, 3, 9] and alone.analysed is None and not alone.unknown((99,))
    assert part.notes == ("people were looked for in frames #4-8 alone",)
