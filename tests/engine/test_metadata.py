"""What frames say they were made with."""

from __future__ import annotations

import json

from tests.engine.numbers import number_clip
from vr180_ofx.engine.metadata import common_metadata, frame_metadata
from vr180_ofx.settings import Settings
from vr180_ofx.version import __version__


def common(*overrides: str):
    return common_metadata(number_clip(), Settings().with_overrides(overrides), detector="blazepose", tracker="t:1", refiner="guided:2")


def test_final_frames_and_drafts_say_the_same_things():
    final = frame_metadata(common(), 3, quality="final", chunk=1, degradations="batch of 1")
    draft = frame_metadata(common(), 3, quality="draft", plan="of this frame alone")
    assert set(draft) == {*final, "plan"}
    assert (final["engine"], final["tracker"], final["refiner"]) == (f"vr180-ofx {__version__}", "t:1", "guided:2")
    assert (final["index"], final["chunk"], final["degradations"]) == (3, 1, "batch of 1")
    assert (draft["quality"], draft["chunk"], draft["degradations"]) == ("draft", -1, "none")
    # it goes into the headers of files
    assert json.loads(json.dumps(final)) == final


def test_settings_are_known_by_what_changes_pixels():
    assert common()["settings"] == common("output.format=alpha", "service.cache_gb=1")["settings"]
    assert common()["settings"] != common("matting.stabilise=0.1")["settings"]


def test_upsampling_is_said_where_there_is_any():
    assert common()["upsampling"] == "none" and common("processing.scale_factor=0.5")["upsampling"] == "edge_aware"
