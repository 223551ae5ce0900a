"""Which plan a clip has."""

from __future__ import annotations

import random
from dataclasses import replace

import av
import numpy as np
import pytest

from tests.conftest import make_clip
from vr180_ofx.engine.models import Models
from vr180_ofx.engine.plans import (
    analyse,
    analysed_span,
    find_plan,
    forget_correction,
    keep_plan,
    kept_plan,
    look_for_plan,
    lost_corrections,
    plan_path,
)  # fmt: skip
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.errors import PlanError
from vr180_ofx.media.open import open_clip
from vr180_ofx.people.plan import Plan
from vr180_ofx.rendering.render import render
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


# some frames alone ---------------------------------------------------------------------------------------------------

#: At two frames a second little has to be looked at around what is asked for.
FEW = Settings(hardware={"device": "cpu"}, detection={"every": 1})


@pytest.fixture(scope="module")
def slow(people_clip, tmp_path_factory):
    with av.open(str(people_clip)) as source:
        people = [f.to_ndarray(format="rgb24") for f in source.decode(video=0)]
    path = tmp_path_factory.mktemp("slow") / "slow.mkv"
    with open_clip(make_clip(path, 10, rate=2, codec="ffv1", size=(1024, 512), pictures=lambda n: people[n]), FEW) as clip:
        yield clip


def test_what_is_looked_at_for_some_frames(slow, monkeypatch):
    # the eyes take turns, and who is there for a glimpse of 0.4 s must be told from a person: 2 * 1 + 0.8 frames
    assert analysed_span(slow, FEW, [5]) == (2, 8) and analysed_span(slow, FEW, [4, 6]) == (1, 9)
    assert analysed_span(slow, FEW, [3, 6]) is None and analysed_span(slow, FEW, [0]) == (0, 3)
    # a tracker that never forgets is warmed up as a chunk is
    sam2 = FEW.with_overrides(["matting.tracker=sam2.1_t", "processing.overlap_frames=4"])
    assert analysed_span(slow, sam2, [5]) == (1, 8)
    monkeypatch.setenv("VR180_OFX_PLANS", "/plans")
    assert analysed_span(slow, FEW, [5]) is None


def test_a_part_is_not_taken_for_the_whole(slow):
    told = []
    part = look_for_plan(slow, FEW, frames=[5], progress=lambda done, total: told.append(total))
    assert (part.origin, part.plan.analysed, set(told)) == ("made", (2, 8), {7}) and part.path is not None and part.path.exists()
    again = look_for_plan(slow, FEW, frames=[5], progress=_must_not)
    assert (again.origin, again.path) == ("kept", part.path) and again.plan.to_json() == part.plan.to_json()
    assert kept_plan(slow, FEW) is None
    whole = look_for_plan(slow, FEW)
    assert (whole.origin, whole.plan.analysed) == ("made", None) and whole.path != part.path
    # and the whole is taken for any part
    assert look_for_plan(slow, FEW, frames=[5], progress=_must_not).path == whole.path


def test_of_frames_that_were_not_looked_at_no_matte_is_made(slow, tmp_path):
    """An empty one would look like a frame without people."""
    part = find_plan(slow, FEW, frames=[5])
    saved = tmp_path / "part.json"
    part.save(saved)
    with FrameServer(slow, Plan.load(saved, slow), FEW) as server:
        with pytest.raises(PlanError, match=r"frames 2 to 8 alone, counted from 0, and nobody was looked for in 9;"):
            server.request(9)
        assert server.request(5).result().views["left"].alpha.max() > 0.9
    with pytest.raises(PlanError, match=r"frames 3 to 9 alone, and nobody was looked for in 1-2, 10;"):
        render(slow, part, FEW, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_mattes_of_a_part_are_as_good(slow):
    """The same people, in the same places, as of the whole clip: what is left are the last bits of smoothing at other ends."""
    part, whole = find_plan(slow, FEW, frames=[5]), analyse(slow, FEW)
    with FrameServer(slow, part, FEW) as some, FrameServer(slow, whole, FEW) as all_of_them:
        for view, matte in some.request(5).result().views.items():
            other = all_of_them.request(5).result().views[view].alpha
            both, either = np.minimum(matte.alpha, other).sum(), np.maximum(matte.alpha, other).sum()
            assert both / either > 0.97
