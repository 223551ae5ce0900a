"""Eyes whose planes are tensors show what eyes in NumPy's arrays show. Tensors on the CPU here: on a graphics card the same code runs."""

import numpy as np
import pytest

from vr180_ofx.imaging.either import host, is_tensor
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.colour import display_transform
from vr180_ofx.media.contract import ColourTags, SourceFrame
from vr180_ofx.media.on_device import on_device
from vr180_ofx.media.picture import RgbEye, YuvEye
from vr180_ofx.trackers.contract import Crop, CropSource
from vr180_ofx.vr180.projection import make_projection
from vr180_ofx.vr180.window import Window

torch = pytest.importorskip("torch")

WIDTH, HEIGHT = 101, 93
#: OpenCV looks up places in steps of 1/32 of a pixel and rounds integers after each step; tensors are worked on in float32.
ROUNDING = 1 / 255
PQ = ColourTags("bt2020", False, "pq", "bt2020")


def smooth(rng, height, width, channels):
    """0..1: a few waves, so that neighbours differ by little."""
    y, x = np.mgrid[0:height, 0:width] / max(WIDTH, HEIGHT)
    angle, phase, count = rng.random((3, channels, 4))
    waves = [
        sum(np.sin(9 * n * (np.cos(7 * a) * x + np.sin(7 * a) * y) + 6 * p) for a, p, n in zip(angle[c], phase[c], count[c], strict=True))
        for c in range(channels)
    ]
    return np.clip(0.5 + 0.12 * np.stack(waves, axis=-1), 0, 1)


def yuv(bits, sampling, tags=ColourTags(), *, seed=0):  # noqa: B008 - a value
    rng, unit = np.random.default_rng(seed), 1 << (bits - 8)
    kind = np.uint8 if bits == 8 else np.uint16

    def plane(height, width, low, span):
        return ((low + span * smooth(rng, height, width, 1)[..., 0]) * unit).astype(kind)

    y = plane(HEIGHT, 2 * WIDTH, 16, 219)
    u, v = None, None
    if sampling is not None:
        u, v = (plane(-(-HEIGHT // sampling[1]), -(-2 * WIDTH // sampling[0]), 80, 96) for _ in "uv")
    left = -0.5 if sampling is not None and sampling[0] == 2 else 0.0
    return YuvEye(y, u, v, sampling or (1, 1), bits, tags, (WIDTH, 0), WIDTH, HEIGHT, display_transform(tags), left)


def rgb(kind, tags, *, seed=0):
    values = smooth(np.random.default_rng(seed), HEIGHT, 2 * WIDTH, 3)
    peak = np.iinfo(kind).max if np.issubdtype(kind, np.integer) else 1
    return RgbEye((values * peak).astype(kind), (WIDTH, 0), WIDTH, HEIGHT, display_transform(tags), tags)


EYES = {
    "4:2:0, 8 bits": yuv(8, (2, 2)),
    "4:2:0, 10 bits": yuv(10, (2, 2)),
    "4:2:0, 10 bits, PQ": yuv(10, (2, 2), PQ),
    "4:2:0, full range, BT.601": yuv(8, (2, 2), ColourTags("bt601", True)),
    "4:2:2, 10 bits": yuv(10, (2, 1)),
    "4:4:4, 8 bits": yuv(8, (1, 1)),
    "4:4:4, YCgCo, HLG": yuv(10, (1, 1), ColourTags("ycgco", True, "hlg", "bt2020")),
    "grey, 8 bits": yuv(8, None),
    "grey, 16 bits": yuv(16, None),
    "RGB, 8 bits": rgb(np.uint8, ColourTags("rgb", True, "srgb")),
    "RGB, 16 bits, P3": rgb(np.uint16, ColourTags("rgb", True, "srgb", "p3")),
    "RGB, half, linear": rgb(np.float16, ColourTags("rgb", True, "linear")),
    "RGB, float": rgb(np.float32, ColourTags("rgb", True, "srgb")),
}
each_eye = pytest.mark.parametrize("eye", EYES.values(), ids=EYES)


def both(eye):
    """The eye, and the same one as tensors."""
    return eye, on_device(SourceFrame(0, 0.0, {"left": eye}), "cpu").eyes["left"]


def steep(eye):
    return eye.tags.transfer in ("pq", "hlg")


def near(there, here, tolerance):
    assert is_tensor(there) and there.dtype == torch.float32 and isinstance(here, np.ndarray)
    assert there.shape == here.shape and np.abs(host(there) - here).max(initial=0) <= tolerance


@each_eye
def test_pixels_as_they_are(eye):
    """The same arithmetic."""
    here, there = both(eye)
    for rect in (Rect(0, 0, WIDTH, HEIGHT), Rect(11, 6, 60, 41), Rect(90, 80, 130, 120)):
        near(there.native(rect), here.native(rect), 1e-5)
        # the curves of PQ and HLG are steep near black
        near(there.region(rect), here.region(rect), 1e-3 if eye.transform is not None else 2e-5)
    a, b = here.guide(Rect(11, 6, 60, 41)), there.guide(Rect(11, 6, 60, 41))
    near(b.luma, a.luma, 1e-5)
    near(b.chroma, a.chroma, 1e-5)
    assert np.array_equal(a.matrix, b.matrix)
    assert there.region(Rect(200, 0, 210, 9)).shape == (0, 0, 3)


@each_eye
@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_pictures_made_smaller(eye, factor):
    here, there = both(eye)
    small, tensors = here.reduced(factor), there.reduced(factor)
    whole = Rect(0, 0, small.width, small.height)
    assert (tensors.width, tensors.height) == (small.width, small.height)
    shrunk = Rect(0, 0, WIDTH, HEIGHT), factor
    near(there.region(*shrunk), here.region(*shrunk), (255 if steep(eye) else 2) * ROUNDING)
    near(tensors.guide(whole).luma, small.guide(whole).luma, ROUNDING)
    near(tensors.region(whole), small.region(whole), (255 if steep(eye) else 4) * ROUNDING)
    assert np.abs(host(tensors.region(whole)) - small.region(whole)).mean() <= ROUNDING


WINDOWS = {
    "all of it inside": ("equirect180", None, Window((0.0, 0.0, 1.0), 60, 10, 64)),
    "beyond a side": ("equirect180", None, Window((0.9, 0.0, 0.3), 90, 0, 64)),
    "made smaller": ("equirect180", None, Window((0.1, 0.2, 1.0), 100, -7, 16)),
    "near a pole": ("equirect180", None, Window((0.0, 0.95, 0.3), 80, 0, 48)),
    "a lens, beyond its circle": ("fisheye", 170.0, Window((0.8, 0.3, 0.3), 90, 5, 64)),
    "a flat picture, and behind it": ("flat", 90.0, Window((1.0, 0.0, 0.2), 120, 0, 40)),
    "nothing of it": ("flat", 40.0, Window((0.0, 0.0, -1.0), 40, 0, 24)),
}


@pytest.mark.parametrize(("name", "fov", "window"), WINDOWS.values(), ids=WINDOWS)
@each_eye
def test_windows(eye, name, fov, window):
    projection = make_projection(name, WIDTH, HEIGHT, fov)
    here, there = both(eye)
    expected = here.sample(window.grid(projection))
    grid = window.grid(projection, like=there.like)
    rough = window.rough_grid(projection)
    # the last one is of a grid that lies on the host
    for seen in (there.sample(grid, rough), there.sample(grid), there.sample(window.grid(projection))):
        near(seen.guide, expected.guide, 2 * ROUNDING)
        # blue is nearly twice its difference from luma; and curves to display are steep near black, where one code of PQ is many of sRGB: there the mean counts
        near(seen.rgb, expected.rgb, (255 if steep(eye) else 4) * ROUNDING)
        assert np.abs(host(seen.rgb) - expected.rgb).mean() <= ROUNDING
        assert np.abs(host(seen.guide) - expected.guide).mean() <= ROUNDING / 2
        assert np.array_equal(host(seen.guide).any(axis=-1), expected.guide.any(axis=-1))


def test_crops():
    here, there = both(EYES["4:2:0, 10 bits"])
    projection = make_projection("fisheye", WIDTH, HEIGHT, 170.0)
    window, crop = Window((0.3, 0.1, 0.9), 90, 5, 64), Crop((1,), -9.0, 5.0, 1.5, 80, 48)
    a, b = (CropSource(window, eye, projection).sample(crop) for eye in (here, there))
    near(b.rgb, a.rgb, 2 * ROUNDING)
    near(b.guide, a.guide, 2 * ROUNDING)


def test_what_eyes_share_is_sent_once():
    first = EYES["4:2:0, 8 bits"]
    frame = on_device(
        SourceFrame(3, 0.1, {"left": first, "right": YuvEye(first.y, first.u, first.v, (2, 2), 8, first.tags, (0, 0), 9, 9)}), "cpu"
    )
    left, right = frame.eyes["left"], frame.eyes["right"]
    assert isinstance(first, YuvEye) and isinstance(left, YuvEye) and isinstance(right, YuvEye)
    assert left.y is right.y and left.u is right.u and left.y.dtype == torch.uint8 and (frame.index, frame.time_s) == (3, 0.1)
    assert on_device(frame, "cpu") is frame
    assert not np.shares_memory(host(left.y), first.y), "the decoder's memory is not held"
    assert repr(left).startswith("YuvEye(y=uint8 (93, 202)")
