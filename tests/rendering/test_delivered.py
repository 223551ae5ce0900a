"""One eye alone, and files of half the size: the same mattes, in every format."""

import av
import numpy as np
import OpenImageIO as oiio
import pytest

from tests.conftest import make_clip, with_settings
from vr180_ofx.engine.frame import Frame, Layer, ViewMatte
from vr180_ofx.engine.plans import analyse
from vr180_ofx.errors import SettingsError
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.open import open_clip
from vr180_ofx.quality.truth import read_views
from vr180_ofx.rendering.delivered import Delivered
from vr180_ofx.rendering.render import render
from vr180_ofx.settings import OutputSettings
from vr180_ofx.settings.formats import FORMATS


@pytest.fixture(scope="module")
def planned(people_clip):
    with open_clip(people_clip) as clip:
        yield clip, analyse(clip)


def rendered(planned, folder, **output):
    clip, plan = planned
    with with_settings(clip, input={"frames": "1"}, output=output) as some:
        report = render(some, plan, output=folder)
    assert report.written == 1
    return sorted(p for p in folder.iterdir() if p.suffix in (".exr", ".png", ".mp4", ".mov", ".webm"))


def sizes(path):
    """(width, height) of what a file shows, as other programs read it."""
    if path.suffix in (".exr", ".png"):
        source = oiio.ImageInput.open(str(path))
        assert source is not None, oiio.geterror()
        spec = source.spec()
        source.close()
        return spec.full_width, spec.full_height
    with av.open(str(path)) as file:
        frame = next(file.decode(video=0))
        return frame.width, frame.height


@pytest.mark.parametrize("eye", ["left", "right"])
def test_the_matte_of_one_eye_is_that_of_both(planned, tmp_path, eye):
    (both,) = rendered(planned, tmp_path / "both")
    (one,) = rendered(planned, tmp_path / "one", eye=eye)
    assert one.name == f"people_{eye}.0001.exr"
    expected, made = read_views(both)[eye], read_views(one)
    (only,) = made.values()
    assert only.keys() == expected.keys() and all(np.array_equal(only[c], expected[c]) for c in expected) and only["A"].max() > 0.9
    source = oiio.ImageInput.open(str(one))
    assert source is not None and source.spec().getattribute("vr180ofx:eye") == eye and not source.seek_subimage(1, 0)
    source.close()


@pytest.mark.parametrize("kind", sorted(set(FORMATS) - {"vr_alpha"}))
def test_one_eye_of_half_the_size_in_every_format(planned, tmp_path, kind):
    (made,) = rendered(planned, tmp_path, format=kind, eye="right", scale=0.5)
    assert sizes(made) == (256, 256) and "_right" in made.name


def test_both_eyes_of_half_the_size(planned, tmp_path):
    """Coverage is averaged: against the means of blocks of the full size."""
    (whole,) = rendered(planned, tmp_path / "whole")
    (half,) = rendered(planned, tmp_path / "half", scale=0.5)
    for view, layers in read_views(half).items():
        for name, values in layers.items():
            full = read_views(whole)[view][name].astype(np.float64)
            # of two people's confidences the least counts, before or after the mean
            most = 0.02 if name == "confidence.A" else 2e-3
            assert np.abs(full.reshape(256, 2, 256, 2).mean(axis=(1, 3)) - values).max() < most, (view, name)
    assert sizes(half) == (256, 256)
    (video,) = rendered(planned, tmp_path / "video", format="greenscreen", scale=0.25)
    assert sizes(video) == (256, 128)
    (whole,) = rendered(planned, tmp_path / "in_one", exr_layout="whole", scale=0.5)
    assert sizes(whole) == (512, 256)


def test_files_of_each_eye_keep_their_names(planned, tmp_path):
    """Where each eye has a file of its own anyway, one of them is written, under the same name."""
    names = [p.name for p in rendered(planned, tmp_path / "both", exr_layout="per_view_files")]
    (one,) = rendered(planned, tmp_path / "one", exr_layout="per_view_files", eye="right")
    assert one.name in names and one.name == "people_right.0001.exr"


def test_names_that_say_both_eyes(people_clip, tmp_path):
    copy = tmp_path / "shot_LR_180.mp4"
    copy.write_bytes(people_clip.read_bytes())
    with open_clip(copy) as clip:
        assert Delivered("left", 1).name(clip, OutputSettings()) == "shot_left"
        assert Delivered(None, 1).name(clip, OutputSettings()) == "shot_LR_180"


def test_a_clip_with_one_picture_has_no_eye_to_choose(tmp_path):
    with open_clip(make_clip(tmp_path / "flat.mp4", 3, size=(200, 160))) as clip:
        assert len(clip.views) == 1
        with pytest.raises(SettingsError, match=r"output.eye is left, and flat.mp4 has one picture alone"):
            Delivered("left", 1).clip(clip)


@pytest.mark.parametrize("rect", [Rect(3, 5, 14, 12), Rect(0, 0, 4, 4), Rect(13, 9, 17, 13), Rect(16, 12, 17, 13)])
def test_odd_sizes(rect):
    """The last block is completed with the last pixels, as of the plate."""
    rng = np.random.default_rng(4)
    alpha = rng.random((rect.height, rect.width)).astype(np.float16)
    matte = ViewMatte(17, 13, (Layer(1, "Ada", rect, alpha, np.ones_like(alpha)),))
    made = Delivered(None, 2).frame(Frame(0, {"left": matte}), 17).views["left"]
    padded = np.pad(matte.alpha, ((0, 1), (0, 1)), "edge")
    assert (made.width, made.height) == (9, 7)
    assert np.abs(made.alpha - padded.reshape(7, 2, 9, 2).mean(axis=(1, 3))).max() < 1e-3 and made.confidence.min() == 1
