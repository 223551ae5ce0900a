"""OpenColorIO's transforms as tables, against OpenColorIO."""

from pathlib import Path

import numpy as np
import pytest

import vr180_ofx
from vr180_ofx.imaging.either import host
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.colour import display_transform, ocio_config, with_colorspace
from vr180_ofx.media.colour_table import TableOnDevices, baked
from vr180_ofx.media.contract import ColourTags
from vr180_ofx.media.open import open_clip
from vr180_ofx.media.picture import RgbEye

torch = pytest.importorskip("torch")

DEMO = Path(vr180_ofx.__file__).parent / "demo" / "walk3d.mp4"


@pytest.fixture(scope="module")
def people():
    """A picture of people, sRGB, (n, 1, 3)."""
    with open_clip(DEMO) as clip:
        eye = clip.frame(3).eyes["left"]
        return np.ascontiguousarray(eye.region(Rect(0, 0, eye.width, eye.height)).reshape(-1, 1, 3)[::23])


def in_space(picture, name):
    pixels = picture.copy()
    ocio_config().getProcessor("sRGB - Texture", name).getDefaultCPUProcessor().applyRGB(pixels)
    return pixels


def errors(name, pixels):
    """Of each colour, in 1/255."""
    transform = display_transform(with_colorspace(ColourTags("rgb", True, "linear"), name))
    assert transform is not None
    here, there = transform(pixels), transform(torch.from_numpy(pixels))
    assert isinstance(there, torch.Tensor) and there.shape == here.shape and there.dtype == torch.float32
    return np.abs(host(there) - here) * 255


SPACES = ["ACEScg", "ARRI LogC4", "S-Log3 S-Gamut3.Cine", "ACES2065-1", "Apple Log", "ACEScct", "Linear Rec.709 (sRGB)", "Camera Rec.709"]


@pytest.mark.parametrize("name", SPACES[:2] + [pytest.param(n, marks=pytest.mark.slow) for n in SPACES[2:]])
def test_people_look_the_same(people, name):
    for gain in (1, 4) if "ACES" in name and name != "ACEScct" else (1,):
        found = errors(name, (in_space(people, name) * gain).astype(np.float32))
        assert np.quantile(found, 0.999) < 1.3 and found.mean() < 0.15 and found.max() < 4


def test_what_no_display_shows_is_no_surprise():
    """Beyond white, below black, nothing at all, and what is no number."""
    odd = np.array([0, -0.3, -50, 20, 3000, np.inf, -np.inf, 1e-6], np.float32)
    pixels = np.repeat(odd[:, None, None], 3, axis=2)
    found = errors("ACEScg", np.nan_to_num(pixels, posinf=6e4, neginf=-6e4))
    assert found.max() < 4
    transform = display_transform(with_colorspace(ColourTags("rgb", True, "linear"), "ACEScg"))
    assert transform is not None
    shown = host(transform(torch.from_numpy(np.append(pixels, np.full((1, 1, 3), np.nan, np.float32), axis=0))))
    assert np.isfinite(shown).all() and shown.min() >= 0 and shown.max() <= 1 and shown[-1].max() < 0.01


class Halves:
    """As OpenColorIO's: red and half of blue change places, green is as it is."""

    def applyRGB(self, pixels):
        pixels[...] = np.clip(np.stack([pixels[..., 2] / 2, pixels[..., 1], pixels[..., 0]], axis=-1), 0, 1)


@pytest.mark.parametrize("linear", [False, True])
def test_what_is_linear_is_exact_whichever_axis_it_has(linear):
    # below the cell that 1 lies in, from where on everything is as bright
    values = (np.random.default_rng(0).random((5, 7, 3)) * 0.5).astype(np.float32)
    shown = TableOnDevices(baked(Halves(), linear=linear, nodes=33))(torch.from_numpy(values))
    assert np.abs(host(shown) - np.stack([values[..., 2] / 2, values[..., 1], values[..., 0]], axis=-1)).max() < 2e-6


def test_eyes_of_named_spaces(people):
    """A window of half EXR, by both."""
    pixels = in_space(people[: 90 * 60], "ACEScg").reshape(90, 60, 3).astype(np.float16)
    tags = with_colorspace(ColourTags("rgb", True, "linear"), "ACEScg")
    here = RgbEye(pixels, (0, 0), 60, 90, display_transform(tags), tags)
    there = here.moved(torch.from_numpy)
    assert np.abs(host(there.region(Rect(2, 1, 50, 80))) - here.region(Rect(2, 1, 50, 80))).max() < 2 / 255
