"""Whole clips: nobody, one, two, cuts, damaged frames."""

import numpy as np
import pytest

from tests.conftest import make_clip, shared_clip
from vr180_ofx.engine.plans import analyse
from vr180_ofx.frame_ranges import ranges_text
from vr180_ofx.media.open import open_clip
from vr180_ofx.people import search
from vr180_ofx.settings import Settings


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
def test_somebody_behind_somebody_is_found_wherever_the_search_windows_lie(monkeypatch, overlap):
    """A child half behind a man, in the picture throughout: no luck needed, and no ghost."""
    monkeypatch.setattr(search, "_OVERLAP", overlap)
    search._tiles_with_grids.cache_clear()
    try:
        with open_clip(shared_clip("vr180/duo_2k/clip.mp4")) as clip:
            plan = analyse(clip)
            assert len(plan.people) == 2
            assert all(len(plan.present(n, v)) == 2 for n in range(len(clip)) for v in clip.views)
    finally:
        search._tiles_with_grids.cache_clear()


def test_ranges_as_text():
    assert ranges_text([1, 2, 3, 7, 9, 10]) == "1-3, 7, 9-10" and ranges_text([]) == ""
