"""Which plan a clip has."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from vr180_ofx.engine.models import Models
from vr180_ofx.engine.plans import analyse, find_plan, forget_correction, keep_plan, kept_plan, lost_corrections, plan_path
from vr180_ofx.media.open import open_clip
from vr180_ofx.settings import Settings

SETTINGS = Settings(hardware={"device": "cpu"})


@pytest.fixture(scope="module")
def scene(people_clip):
    with open_clip(people_clip, SETTINGS) as clip:
        yield clip, analyse(clip)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VR180_OFX_CACHE", str(tmp_path / "cache"))


def test_a_plan_is_kept_and_found_again(scene):
    clip, plan = scene
    assert kept_plan(clip, SETTINGS) is None
    keep_plan(clip, SETTINGS, plan)
    found = kept_plan(clip, SETTINGS)
    assert found is not None and found.to_json() == plan.to_json()
    assert find_plan(clip, SETTINGS, progress=_must_not).to_json() == plan.to_json()


def _must_not(done, total):
    raise AssertionError("the clip is analysed, although there is a plan")


def test_a_corrected_plan_is_kept_beside_it(scene):
    clip, plan = scene
    models = Models.of(SETTINGS)
    keep_plan(clip, SETTINGS, plan, models, corrected=True)
    assert kept_plan(clip, SETTINGS, models) is None and kept_plan(clip, SETTINGS, models, corrected=True) is not None
    forget_correction(clip, SETTINGS, models)
    forget_correction(clip, SETTINGS, models)
    assert kept_plan(clip, SETTINGS, models, corrected=True) is None


def test_machines_share_plans_and_corrections(scene, tmp_path, monkeypatch):
    """A render farm: caches of their own, one folder of plans. Nobody analyses again, and corrections hold on all."""
    clip, plan = scene
    monkeypatch.setenv("VR180_OFX_PLANS", str(tmp_path / "shared"))
    keep_plan(clip, SETTINGS, plan)
    corrected = replace(plan, notes=[*plan.notes, "corrected"])
    keep_plan(clip, SETTINGS, corrected, corrected=True)
    # another machine
    monkeypatch.setenv("VR180_OFX_CACHE", str(tmp_path / "elsewhere"))
    assert find_plan(clip, SETTINGS, progress=_must_not).to_json() == plan.to_json()
    again = kept_plan(clip, SETTINGS, corrected=True)
    assert again is not None and again.to_json() == corrected.to_json()
    assert plan_path(clip, SETTINGS).parent == tmp_path / "shared" and not (tmp_path / "elsewhere" / "plans").exists()


def test_of_machines_that_analyse_at_once_all_go_by_who_is_first(scene, tmp_path, monkeypatch):
    clip, plan = scene
    monkeypatch.setenv("VR180_OFX_PLANS", str(tmp_path / "shared"))
    first = replace(plan, notes=[*plan.notes, "found by another machine"])

    def progress(done, total):
        if done == total - 1:
            keep_plan(clip, SETTINGS, first)

    assert find_plan(clip, SETTINGS, progress=progress).to_json() == first.to_json()
    # unless a new one is wished for
    assert find_plan(clip, SETTINGS, progress=progress, fresh=True).to_json() == plan.to_json()
    found = kept_plan(clip, SETTINGS)
    assert found is not None and found.to_json() == plan.to_json()


def test_a_kept_plan_that_is_damaged_is_made_anew(scene):
    clip, plan = scene
    path = plan_path(clip, SETTINGS)
    path.parent.mkdir(parents=True)
    path.write_text(plan.to_json()[:200])
    assert kept_plan(clip, SETTINGS) is None


def test_a_digit_that_changed_on_disk_is_noticed(scene):
    """It is a plan like any other, and of somebody who stands elsewhere."""
    clip, plan = scene
    keep_plan(clip, SETTINGS, plan)
    path = plan_path(clip, SETTINGS)
    whole = path.read_bytes()
    rng = random.Random(1)
    for bit in rng.sample(range(len(whole) * 8), 300):
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        path.write_bytes(data)
        assert kept_plan(clip, SETTINGS) is None, bit


def test_the_plan_of_other_settings_is_not_taken(scene):
    clip, plan = scene
    other = SETTINGS.with_overrides(["detection.max_people=1"])
    keep_plan(clip, SETTINGS, plan)
    plan_path(clip, SETTINGS).rename(plan_path(clip, other))
    assert kept_plan(clip, other) is None


def test_corrections_that_are_damaged_are_said_and_put_aside(scene):
    clip, plan = scene
    keep_plan(clip, SETTINGS, plan, corrected=True)
    path = plan_path(clip, SETTINGS, corrected=True)
    path.write_bytes(path.read_bytes()[:-1])
    assert lost_corrections(clip, SETTINGS) is None
    assert kept_plan(clip, SETTINGS, corrected=True) is None
    said = lost_corrections(clip, SETTINGS)
    assert said is not None and not path.exists() and path.with_suffix(".damaged").exists() and ".damaged" in said
    keep_plan(clip, SETTINGS, plan, corrected=True)
    assert lost_corrections(clip, SETTINGS) is None
    forget_correction(clip, SETTINGS)
    assert kept_plan(clip, SETTINGS, corrected=True) is None


def test_corrections_that_version_0_2_0_kept_are_found(scene):
    clip, plan = scene
    path = plan_path(clip, SETTINGS, corrected=True)
    path.parent.mkdir(parents=True)
    path.with_suffix(".json").write_text(plan.to_json())
    found = kept_plan(clip, SETTINGS, corrected=True)
    assert found is not None and found.to_json() == plan.to_json()
    forget_correction(clip, SETTINGS)
    assert kept_plan(clip, SETTINGS, corrected=True) is None


@pytest.mark.parametrize(
    ("override", "other"),
    [
        ("detection.confidence_threshold=0.5", True),
        ("detection.weights=OWN", True),
        ("matting.refiner=none", False),
        ("hardware.threads=3", False),
        ("output.format=alpha", False),
    ],
)
def test_a_plan_is_known_by_what_it_depends_on(scene, tmp_path, override, other):
    clip, _ = scene
    own = tmp_path / "own.tflite"
    own.write_bytes(b"one")
    changed = SETTINGS.with_overrides([override.replace("OWN", str(own))])
    assert (plan_path(clip, changed) != plan_path(clip, SETTINGS)) == other
    # by what a file of weights holds, not by its name
    before = plan_path(clip, changed)
    own.write_bytes(b"two and more")
    assert (plan_path(clip, changed) != before) == ("OWN" in override)


def test_a_named_plan_goes_before_a_kept_one(scene, tmp_path):
    clip, plan = scene
    keep_plan(clip, SETTINGS, plan)
    renamed = plan.to_json().replace("person01", "anna")
    path = tmp_path / "mine.json"
    path.write_text(renamed)
    assert find_plan(clip, SETTINGS, str(path)).people[0].name == "anna"
    by_setting = SETTINGS.with_overrides([f"detection.boxes={path}"])
    assert find_plan(clip, by_setting).people[0].name == "anna"


def test_where_nobody_is_told_from_anybody_nobody_is_looked_for(scene, tmp_path):
    clip, _ = scene
    whole = SETTINGS.with_overrides(["matting.tracker=rvm", f"matting.tracker_weights={tmp_path / 'not needed.pth'}"])
    assert find_plan(clip, whole, progress=_must_not).people == ()
