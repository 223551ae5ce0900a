"""Clips that are known from a plan alone, held against the clips themselves."""

from pathlib import Path

import pytest

from vr180_ofx.errors import MediaError
from vr180_ofx.media.described import described_clip
from vr180_ofx.media.open import open_clip
from vr180_ofx.settings import Settings


def facts_of(clip):
    keys = ("frames", "fps", "eye_size", "layout", "projection", "fov_degrees")
    return {k: clip.describe()[k] for k in keys} | {"interocular_m": clip.interocular_m}


def never():
    raise MediaError("it was opened")


@pytest.mark.parametrize("asked", [{}, {"projection": "fisheye", "fov_degrees": 200}, {"layout": "tb"}, {"layout": "mono"}])
def test_a_described_clip_is_as_the_clip_is(people_clip, asked):
    with open_clip(people_clip, Settings(input=asked)) as clip:
        made = described_clip(facts_of(clip), clip.path, Settings(), never)
        assert (len(made), made.fps, made.views, made.eye_size) == (len(clip), clip.fps, clip.views, clip.eye_size)
        assert made.projection == clip.projection and made.interocular_m == clip.interocular_m
        made.close()


def test_pixels_are_had_by_opening_it_once(people_clip):
    opened = []

    def opening():
        opened.append(open_clip(people_clip))
        return opened[-1].source

    with open_clip(people_clip) as clip, described_clip(facts_of(clip), clip.path, Settings(), opening) as made:
        assert not opened
        assert (made.read(3)["left"] == clip.read(3)["left"]).all()
        reader = made.reopen(fast=True)
        assert reader.frame(4).index == 4
        reader.close()
        assert made.fingerprint == clip.fingerprint and len(opened) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"frames": None}, {"frames": "x"}, {"frames": 0}, {"fps": 0}, {"fps": float("inf")}, {"fps": float("nan")}, {"eye_size": [5]},
        {"eye_size": 5}, {"eye_size": [-1, 5]}, {"layout": "round"}, {"layout": []}, {"projection": "cube"}, {"projection": "flat", "fov_degrees": 200},
        {"projection": "fisheye", "fov_degrees": "wide"}, {"interocular_m": None},
    ],
)  # fmt: skip
def test_what_describes_no_clip_is_refused(wrong):
    facts = {"frames": 10, "fps": 24.0, "eye_size": [512, 512], "layout": "sbs", "projection": "equirect180", "fov_degrees": None}
    described_clip(facts, Path("a.mp4"), Settings(), never)
    with pytest.raises(ValueError):
        described_clip(facts | wrong, Path("a.mp4"), Settings(), never)


def test_a_lens_that_no_document_names_is_not_guessed():
    facts = {"frames": 10, "fps": 24.0, "eye_size": [512, 512], "layout": "sbs", "projection": "fisheye"}
    with pytest.raises(ValueError, match="whole"):
        described_clip(facts, Path("a.mp4"), Settings(), never)
