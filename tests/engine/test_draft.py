"""Drafts of a clip that nobody has analysed yet."""

from __future__ import annotations

import pytest

from vr180_ofx.engine.draft import DraftRenderer
from vr180_ofx.engine.models import Models
from vr180_ofx.errors import WeightsError
from vr180_ofx.media.open import open_clip
from vr180_ofx.settings import Settings


def test_one_frame_looked_at_alone(people_clip):
    settings = Settings(hardware={"device": "cpu"}, matting={"tracker": "sam2.1_l", "refiner": "guided"})
    with open_clip(people_clip, settings) as clip:
        drafts = DraftRenderer(clip, settings, Models.of(settings))
        frames = [drafts.request(n).result() for n in (7, 2, 7)]
        drafts.close()
    first = frames[0]
    assert first.index == 7 and set(first.views) == {"left", "right"} and first.same(frames[2])
    # two people walk through the clip
    assert all(len(view.layers) == 2 and 0.02 < view.alpha.mean() < 0.2 for view in first.views.values())
    made_with = first.metadata
    assert (made_with["quality"], made_with["plan"], made_with["chunk"]) == ("draft", "of this frame alone", -1)
    # whatever the final frames will be made with
    assert made_with["tracker"].startswith("blazepose:") and made_with["clip"] == clip.fingerprint


def test_half_the_size_is_half_the_size(people_clip):
    settings = Settings(processing={"scale_factor": 0.5, "upsampling": "none"})
    with open_clip(people_clip, settings) as clip:
        drafts = DraftRenderer(clip, settings)
        view = drafts.request(3).result().views["left"]
        drafts.close()
    assert (view.width, view.height) == (clip.eye_size[0] // 2, clip.eye_size[1] // 2)


def test_a_detector_that_is_not_there_is_said(people_clip, tmp_path):
    settings = Settings(detection={"weights": str(tmp_path / "no.tflite")})
    with open_clip(people_clip, settings) as clip, pytest.raises(WeightsError, match=r"detection\.weights names"):
        DraftRenderer(clip, settings)
