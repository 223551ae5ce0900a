"""PNG sequences."""

import numpy as np
import OpenImageIO as oiio
import pytest

from tests.conftest import make_clip, picture_number, with_settings
from vr180_ofx.engine.plans import analyse
from vr180_ofx.media.open import open_clip
from vr180_ofx.quality.truth import read_views
from vr180_ofx.rendering.render import render
from vr180_ofx.settings import Settings


@pytest.fixture(scope="module")
def planned(people_clip):
    with open_clip(people_clip) as clip:
        yield clip, analyse(clip)


@pytest.fixture(scope="module")
def rendered(planned, tmp_path_factory):
    """A folder with EXR of the same frames."""
    clip, plan = planned
    folder = tmp_path_factory.mktemp("exr")
    render(clip, plan, output=folder)
    return folder


def pngs(folder):
    return sorted(p for p in folder.glob("*.png") if not p.name.startswith("."))


def read_png(path):
    """As it is in the file: colour that is not multiplied by alpha."""
    config = oiio.ImageSpec()
    config.attribute("oiio:UnassociatedAlpha", 1)
    file = oiio.ImageInput.open(str(path), config)
    assert file is not None, oiio.geterror()
    return file.read_image("float")


@pytest.mark.parametrize("kind", ["alpha", "foreground", "greenscreen_png"])
def test_png_sequences(planned, rendered, tmp_path, kind):
    clip, plan = planned
    alpha = np.concatenate([read_views(rendered / "people.0004.exr")[v]["A"] for v in ("left", "right")], axis=1)
    with with_settings(clip, input={"frames": "4"}, output={"format": kind}) as some:
        render(some, plan, output=tmp_path)
        again = render(some, plan, output=tmp_path)
    assert again.kept == 1
    picture = read_png(pngs(tmp_path)[0])
    assert picture.shape == (512, 1024, 3 if kind == "greenscreen_png" else 4)
    outside = alpha == 0
    if kind == "greenscreen_png":
        assert np.abs(picture[outside] - [0, 1, 0]).max() < 0.01 and picture[alpha == 1][:, 1].mean() < 0.8
    else:
        assert np.abs(picture[..., 3] - alpha).max() < 1e-3
        assert (picture[outside][:, :3].max() == 0) == (kind == "foreground")


def test_eyes_apart(planned, tmp_path):
    clip, plan = planned
    with with_settings(clip, input={"frames": "1"}, output={"format": "alpha", "maintain_sbs": False}) as some:
        render(some, plan, output=tmp_path)
    assert [p.name for p in pngs(tmp_path)] == ["people_left.0001.png", "people_right.0001.png"]
    assert read_png(pngs(tmp_path)[0]).shape == (512, 512, 4)


def test_pictures_survive_the_way_through_a_render(tmp_path):
    """The alpha output carries the plate: frame n of the output is frame n of the input."""
    path = make_clip(tmp_path / "n.mp4", 6, size=(512, 256))
    with open_clip(path, Settings(output={"format": "alpha"})) as clip:
        render(clip, analyse(clip), output=tmp_path / "out")
    assert [picture_number(read_png(p)[..., :3]) for p in pngs(tmp_path / "out")] == list(range(6))
