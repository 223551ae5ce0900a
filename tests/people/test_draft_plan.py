"""One frame alone: who is there, where the whole clip's plan has them."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from vr180_ofx.engine.models import Models
from vr180_ofx.people.draft_plan import DraftPlanner
from vr180_ofx.settings import Settings


@pytest.fixture
def planner(planned):
    models = Models.of(Settings())
    with ThreadPoolExecutor(2) as pool:

        def made(**detection):
            settings = Settings(detection=detection)
            return DraftPlanner(planned[0], settings, pool, detector=models.load_detector(), segmenter=models.load_segmenter())

        yield made


def test_both_people_are_there_in_both_eyes(planned, planner):
    clip, plan = planned
    draft = planner().draft(clip.frame(6))
    assert draft.notes == ("of one frame alone",) and [p.name for p in draft.people] == ["person01", "person02"]
    for view in clip.views:
        here = sorted((p.views[view][6].body for p in draft.people), key=lambda b: b.longitude)
        known = sorted((plan.track(p, view).bodies[6] for p in plan.people), key=lambda b: b.longitude)
        for a, b in zip(here, known, strict=True):
            assert a.angle_to(b) < 0.15 * b.reach
    # and in no other frame
    assert draft.present(6, "left") and all(set(p.views[v]) == {6} for p in draft.people for v in p.views)


def test_at_most_so_many(planned, planner):
    assert len(planner(max_people=1).draft(planned[0].frame(6)).people) == 1


def test_nobody_when_the_detector_must_be_surer_than_it_ever_is(planned, planner):
    assert planner(confidence_threshold=0.9999).draft(planned[0].frame(6)).people == ()
