"""Mattes that are corrected and joined: eyes of the demo clip damaged on purpose, and what frames and renders say of it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.stereo.damaged import DAMAGES, damaged_clip
from tests.stereo.scenes import DEMO, EYES, PROJECTION, B, consistency, disc, in_eye, seen_ball, state_of, trimmed
from vr180_ofx.cli.main import main
from vr180_ofx.engine.plans import analyse
from vr180_ofx.matte.patch import Patch
from vr180_ofx.media.open import open_clip
from vr180_ofx.quality import metrics
from vr180_ofx.quality.truth import Truth
from vr180_ofx.stereo.agreement import Agreement
from vr180_ofx.stereo.correct import Report, correct_views
from vr180_ofx.stereo.pair import StereoPair
from vr180_ofx.vr180.layout import LEFT, RIGHT

SIZE = 512


@pytest.fixture(scope="module")
def scene():
    """Both eyes' pictures of a ball, and where it is: (pair, view -> alpha)."""
    eyes, alphas = seen_ball(SIZE)
    return StereoPair.of(eyes, PROJECTION), alphas


def state(weaker=RIGHT, overlap=0.4, damage=()):
    """Somebody in both eyes, of whom one eye cannot be trusted; as far away as the ball is."""
    made = state_of({(p, view): disc(eye) for p in (1, 2) for view, eye in EYES.items()})
    return made.with_agreements({1: Agreement(overlap, B / 0.85, weaker, damage)})


def wrong(alphas):
    """The upper half of the ball is missing in the right eye, and it is sure of that."""
    patch = trimmed(alphas[RIGHT])
    patch.alpha[: patch.rect.height // 2] = 0
    return patch


def test_the_weaker_eye_gets_the_better_ones_matte(scene):
    pair, alphas = scene
    patches = {(1, LEFT): trimmed(alphas[LEFT]), (1, RIGHT): wrong(alphas)}
    given = {key: patch.alpha.copy() for key, patch in patches.items()}
    made, report = correct_views(state(), patches, pair, consistency())
    before, after = (metrics.iou(in_eye(some[1, RIGHT], SIZE), alphas[RIGHT]) for some in (patches, made))
    assert before < 0.6 and after > 0.95
    # what was given is what it was, and the better eye's is nobody's to change
    assert all(np.array_equal(patches[key].alpha, alpha) for key, alpha in given.items()) and made[1, LEFT] is patches[1, LEFT]
    assert report == Report({1: 0.4}, {1: "right: transfer"}, {}, ())
    # where there is no better matte nothing is done
    alone, report = correct_views(state(), patches | {(1, LEFT): None}, pair, consistency())
    assert alone[1, RIGHT] is patches[1, RIGHT] and not report.corrected


def test_in_an_ensemble_an_eye_counts_the_less_the_less_it_agrees(scene):
    pair, alphas = scene
    patches = {(1, LEFT): trimmed(alphas[LEFT]), (1, RIGHT): wrong(alphas)}

    def missing(**facts):
        """How much of the ball's upper half the corrected matte has."""
        made, report = correct_views(state(**facts), patches, pair, consistency(method="ensemble"))
        assert report.corrected == {1: "right: ensemble"}
        return in_eye(made[1, RIGHT], SIZE)[patches[1, RIGHT].rect.slices][20:40, 40:80].mean()

    little, more, damaged = missing(overlap=0.2), missing(overlap=0.7), missing(overlap=0.7, damage=((RIGHT, "much darker"),))
    # weights: the eye's confidence, 1, times the overlap squared; a tenth of that when its picture is damaged
    assert (
        little == pytest.approx(1 / 1.04, abs=0.02)
        and more == pytest.approx(1 / 1.49, abs=0.02)
        and damaged == pytest.approx(1 / 1.049, abs=0.02)
    )


def test_what_somebody_in_front_hides_is_cut_out_of_what_is_carried(scene):
    pair, alphas = scene
    hider = Patch(trimmed(alphas[RIGHT]).rect, np.zeros_like(trimmed(alphas[RIGHT]).alpha), np.ones_like(trimmed(alphas[RIGHT]).alpha))
    hider.alpha[:, :40] = 1
    patches = {(1, LEFT): trimmed(alphas[LEFT]), (1, RIGHT): wrong(alphas), (2, RIGHT): hider}
    behind = state()
    windows = {**behind.windows, (1, RIGHT): replace(behind.windows[1, RIGHT], occluders=(2,))}
    made, _ = correct_views(replace(behind, windows=windows), patches, pair, consistency())
    seen = in_eye(made[1, RIGHT], SIZE)[hider.rect.slices]
    assert seen[:, :39].max() < 0.01 and seen[:, 41:].max() == 1


def test_eyes_that_agree_decide_together_when_that_is_asked_for(scene):
    pair, alphas = scene
    holed = trimmed(alphas[RIGHT])
    holed.alpha[60:70, 60:70], holed.confidence[60:70, 60:70] = 0, 0
    patches = {(1, LEFT): trimmed(alphas[LEFT]), (1, RIGHT): holed, (2, LEFT): None, (2, RIGHT): None}
    agreed = state(None, 0.9)
    alone, report = correct_views(agreed, patches, pair, consistency())
    assert alone == patches and report.joined == ()
    calls = []

    def each(function, items):
        items = list(items)
        calls.append(len(items))
        return map(function, items)

    joint, report = correct_views(agreed, patches, pair, consistency(mode="joint"), each)
    assert report.joined == (1,) and calls == [1]
    place = holed.rect.shifted(0, 0)
    assert in_eye(joint[1, RIGHT], SIZE)[place.y0 + 62 : place.y0 + 68, place.x0 + 62 : place.x0 + 68].min() > 0.9
    # people of whom one eye was corrected have nothing to decide
    assert correct_views(state(), patches, pair, consistency(mode="joint"), each)[1].joined == () and calls == [1, 0]


def test_reports_speak_of_people_by_their_names():
    report = Report({1: 0.9123, 2: 0.4}, {2: "right: transfer"}, {}, (1,))
    said = report.to_dict({1: "anna", 2: "ben"})
    assert said == {"agreement": {"anna": 0.9123, "ben": 0.4}, "corrected": {"ben": "right: transfer"}, "joined": ["anna"]}
    assert Report({}, {}, {}, ()).to_dict({}) == {}


# the demo clip -------------------------------------------------------------------------------------------------------


def test_people_painted_out_of_one_eye_come_back(painted_out, ious):
    clip, plan, truth = painted_out
    alone = ious(clip, plan, truth, "right", [4], consistency_mode="independent")
    assert alone[4][0] < 0.6 and "agreement" not in alone[4][1]
    corrected = ious(clip, plan, truth, "right", [2, 3, 4, 5, 6])
    for n in (3, 4, 5):
        iou, facts = corrected[n]
        assert iou > 0.85 and facts["corrected"] == {"person01": "right: transfer", "person02": "right: transfer"}, (n, iou, facts)
    for n in (2, 6):
        assert "corrected" not in corrected[n][1] and min(corrected[n][1]["agreement"].values()) > 0.85
    joint = ious(clip, plan, truth, "right", [4, 6], consistency_mode="joint")
    assert joint[4][0] > 0.85 and joint[6][1]["joined"] == ["person01", "person02"]


def test_a_render_says_what_it_corrected(painted_out, tmp_path, capsys):
    clip, plan, _ = painted_out
    plan.save(tmp_path / "plan.json")
    arguments = [str(clip.path), "-o", str(tmp_path / "out"), "--plan", str(tmp_path / "plan.json"), "--json", "--frames", "5-8"]
    assert main(["render", *arguments]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["corrected"] == {"person01, right: transfer": "5-6", "person02, right: transfer": "5-6"}
    assert report["agreement"]["person01"]["least"] < 0.6 < report["agreement"]["person01"]["mean"]
    assert any("much less detail" in note and note.endswith("5-6") for note in report["notes"])


@pytest.mark.slow
def test_looking_again_helps_by_itself(tmp_path, ious):
    """A blurred eye that is shown where to look finds people again; agreement of two thirds is enough here."""
    path = damaged_clip(DEMO / "walk3d.mp4", DEMO / "truth", tmp_path / "walk_LR_180.mp4", "blurred", "right", range(2, 8), length=8)
    truth = list(Truth(DEMO / "truth").frames())[:8]
    with open_clip(path) as clip:
        plan = analyse(clip)
        for stabilise in (0.0, 0.7):
            alone = ious(clip, plan, truth, "right", range(2, 8), stabilise, consistency_mode="independent")
            again = ious(clip, plan, truth, "right", range(2, 8), stabilise, correction_method="reprocess", validation_threshold=0.66)
            said = [what for _, facts in again.values() for what in facts["corrected"].values()]
            assert said.count("right: reprocess") >= 6, said
            if not stabilise:
                # neither looks back at the sharp frames before, which help an eye alone
                assert np.mean([iou for iou, _ in again.values()]) > np.mean([iou for iou, _ in alone.values()]) + 0.1
            gained = [again[n][0] - alone[n][0] for n in again]
            assert min(gained) > 0.03 and np.mean(gained) > 0.05, gained


@pytest.mark.slow
@pytest.mark.parametrize("damage", sorted(DAMAGES))
def test_every_way_of_correcting_mends_every_damage(damage, tmp_path, ious):
    path = damaged_clip(DEMO / "walk3d.mp4", DEMO / "truth", tmp_path / "walk_LR_180.mp4", damage, "right", range(7, 17))
    truth = list(Truth(DEMO / "truth").frames())
    with open_clip(path) as clip:
        plan = analyse(clip)
        for method in ("transfer", "reprocess", "ensemble"):
            for n, (iou, facts) in ious(clip, plan, truth, "right", range(7, 17), correction_method=method).items():
                assert len(facts["corrected"]) == 2 and len(facts["damage"]) == 2 and iou >= 0.85, (method, n, iou, facts)
