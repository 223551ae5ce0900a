"""Clips that are open, with their plans and frames."""

from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import make_clip
from vr180_ofx.client import ServerProblem
from vr180_ofx.engine.plans import forget_correction, keep_plan, kept_plan
from vr180_ofx.media.open import open_clip


def test_a_draft_comes_before_the_analysis_is_done(make_live):
    live = make_live()
    clip = live.server.open(str(live.clip))
    assert clip.facts["state"] == "analysing"
    draft = clip.frame(5, "left", quality="draft")
    assert draft.quality == "draft" and 0.005 < np.frombuffer(draft.data, "<f2").astype(np.float32).mean() < 0.3
    clip.wait()
    final = clip.frame(5, "left")
    a, b = (np.frombuffer(x.data, "<f2").astype(np.float32) > 0.5 for x in (draft, final))
    assert (a & b).sum() / (a | b).sum() > 0.7


def test_final_frames_wait_for_the_plan_and_say_so(make_live):
    live = make_live()
    clip = live.server.open(str(live.clip), {"detection": {"every": 1}})
    if clip.facts["state"] == "analysing":
        with pytest.raises(ServerProblem, match="being analysed") as info:
            clip.frame(0)
        assert info.value.status == 409


def test_opening_twice_is_one_clip_and_other_settings_are_another(live, clip):
    assert live.open().id == clip.id
    other = live.open({"matting": {"refiner": "none"}})
    assert other.id != clip.id and {c.id for c in live.server.clips()} >= {clip.id, other.id}
    other.close()
    with pytest.raises(ServerProblem, match="there is no clip"):
        other.refresh()


def test_people_are_corrected_and_only_what_changed_is_made_anew(live, clip, reference):
    before, person = clip.frame(3, "left"), clip.frame(3, "left", "person01")
    steps = clip.stats()["engine"]["steps"]
    assert clip.edit({"op": "rename", "person": 1, "name": "anna"}) == ""
    assert clip.facts["corrected"] and [p["name"] for p in clip.facts["people"]] == ["anna", "person02"]
    assert clip.frame(3, "left", "anna").data == person.data and clip.stats()["engine"]["steps"] == steps
    assert clip.edit({"op": "exclude", "person": 2}) == "0-9"
    alone = np.frombuffer(clip.frame(3, "left").data, "<f2").reshape(512, 512)
    assert not np.array_equal(alone, reference[3].views["left"].alpha_half())
    document = clip.people()
    document["people"][1]["exclude"] = False
    assert clip.replace_people(document) == "0-9"
    assert clip.frame(3, "left").data == before.data
    with pytest.raises(ServerProblem, match="there is no person 9"):
        clip.edit({"op": "exclude", "person": 9})
    with pytest.raises(ServerProblem, match="plan"):
        clip.replace_people({"format": "something else"})
    clip.forget_corrections()
    assert not clip.refresh()["corrected"] and clip.facts["people"][0]["name"] == "person01"


def test_corrections_of_another_server_hold_where_the_clip_is_open(live, clip, monkeypatch):
    """Servers that share plans, as those of a farm: whoever opens the clip again gets what was corrected since."""
    monkeypatch.setenv("VR180_OFX_CACHE", str(live.cache))
    before = clip.frame(3, "left")
    with open_clip(live.clip) as mine:
        plan = kept_plan(mine, mine.settings)
        assert plan is not None
        keep_plan(mine, mine.settings, replace(plan, people=[replace(plan.people[0], exclude=True), *plan.people[1:]]), corrected=True)
        again = live.open()
        assert again.id == clip.id and again.facts["corrected"] and again.facts["people"][0]["exclude"]
        assert again.frame(3, "left").data != before.data
        forget_correction(mine, mine.settings)
    assert not live.open().facts["corrected"] and clip.frame(3, "left").data == before.data


def test_what_is_not_as_its_pictures_seem_is_said(live):
    odd = make_clip(live.clip.with_name("interlaced.mkv"), 3, options={"x264-params": "tff=1"})
    try:
        opened = live.server.open(str(odd))
        assert any("interlaced" in note for note in opened.facts["notes"])
        opened.close()
    finally:
        odd.unlink()
