import numpy as np
import pytest

from tests.conftest import make_clip
from vr180_ofx.errors import ColourError
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media import colour as c
from vr180_ofx.media.contract import ColourTags
from vr180_ofx.media.open import open_clip
from vr180_ofx.media.picture import RgbEye, YuvEye
from vr180_ofx.settings import Settings


@pytest.mark.parametrize("matrix", ["bt709", "bt601", "bt2020"])
@pytest.mark.parametrize(("full", "bits"), [(False, 8), (True, 8), (False, 10)])
def test_yuv_against_the_definition(matrix, full, bits):
    """Encodes by H.273's equations and expects the same RGB back."""
    kr, kb = {"bt709": (0.2126, 0.0722), "bt601": (0.299, 0.114), "bt2020": (0.2627, 0.0593)}[matrix]
    rgb = np.random.default_rng(1).random((50, 3))
    y = rgb @ [kr, 1 - kr - kb, kb]
    cb, cr = (rgb[:, 2] - y) / (2 * (1 - kb)), (rgb[:, 0] - y) / (2 * (1 - kr))
    unit = 1 << (bits - 8)
    if full:
        peak = (1 << bits) - 1
        codes = y * peak, cb * peak + 128 * unit, cr * peak + 128 * unit
    else:
        codes = (16 + 219 * y) * unit, (128 + 224 * cb) * unit, (128 + 224 * cr) * unit
    back = c.yuv_to_rgb(*codes, ColourTags(matrix, full), bits)
    assert np.abs(back - rgb).max() < 1e-6


def test_pq_and_hlg_anchors():
    # ST 2084: code 0.5081 is 100 cd/m², 1.0 is 10000; BT.2408: HLG 0.75 is 203 cd/m² on a 1000 cd/m² display
    assert c.pq_to_nits(np.array([0.5081, 1.0])) == pytest.approx([100, 10000], rel=2e-3)
    assert c.hlg_to_nits(np.full((1, 3), 0.75))[0] == pytest.approx([203] * 3, rel=5e-3)
    assert c.hlg_to_nits(np.ones((1, 3)))[0] == pytest.approx([1000] * 3, rel=1e-3)


def test_srgb_both_ways():
    v = np.linspace(0, 1, 101)
    assert c.linear_to_srgb(c.srgb_to_linear(v)) == pytest.approx(v, abs=1e-6)


def test_untagged_video_is_assumed_by_size_and_said_so():
    small, large = (c.tags_from_codes(matrix=2, range_=0, transfer=2, primaries=2, height=h, rgb=False) for h in (576, 1080))
    assert (small.matrix, large.matrix) == ("bt601", "bt709")
    assert "assumed" in large.describe()


@pytest.mark.parametrize("transfer", ["pq", "hlg", "linear"])
def test_display_referred_is_monotonic_and_in_range(transfer):
    transform = c.display_transform(ColourTags(transfer=transfer, primaries="bt2020" if transfer != "linear" else "bt709"))
    assert transform is not None
    grey = np.linspace(0, 1 if transfer != "linear" else 30, 200)
    out = transform(np.repeat(grey[:, None], 3, 1).astype(np.float32))[:, 1]
    assert out.min() >= 0 and out.max() <= 1 and np.diff(out).min() >= -1e-6
    assert out[-1] > 0.95 and out[0] < 0.02


def test_middle_grey_of_acescg_by_opencolorio():
    transform = c.display_transform(c.with_colorspace(ColourTags(), "ACEScg"))
    assert transform is not None
    out = transform(np.full((1, 1, 3), 0.18, np.float32))
    # the ACES SDR view puts 18 % grey near 10 cd/m² of 100: about 0.35-0.42 in sRGB
    assert 0.3 < float(out[0, 0, 1]) < 0.5 and np.ptp(out) < 0.02


def test_an_unknown_space_is_refused_with_near_ones(tmp_path):
    with pytest.raises(ColourError, match="ACEScg"):
        open_clip(make_clip(tmp_path / "c.mp4", 3), Settings(input={"colorspace": "ACEScgg"}))


def _yuv_eye(bits=8, sub=(2, 2)):
    rng = np.random.default_rng(3)
    kind = np.uint16 if bits > 8 else np.uint8
    top = (1 << bits) - 1
    import cv2

    def plane(h, w):
        return np.clip(
            cv2.resize(rng.random((h // 8, w // 8)).astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC) * top, 0, top
        ).astype(kind)

    return YuvEye(
        plane(128, 256),
        plane(128 // sub[1], 256 // sub[0]),
        plane(128 // sub[1], 256 // sub[0]),
        sub,
        bits,
        ColourTags(),
        (0, 0),
        256,
        128,
    )


@pytest.mark.parametrize(("bits", "sub"), [(8, (2, 2)), (10, (2, 2)), (10, (2, 1)), (8, (1, 1))])
def test_a_region_equals_that_part_of_the_whole(bits, sub):
    eye = _yuv_eye(bits, sub)
    whole = eye.region(Rect(0, 0, 256, 128))
    part = eye.region(Rect(32, 16, 97, 75))
    assert np.abs(whole[16:75, 32:97] - part)[2:-2, 2:-2].max() < 2e-3


def test_the_identity_grid_samples_the_region():
    eye = _yuv_eye(10, (2, 1))
    ys, xs = np.mgrid[40:80, 60:120]
    grid = np.stack([xs + 0.5, ys + 0.5], -1).astype(np.float32)
    assert np.abs(eye.sample(grid).rgb - eye.region(Rect(60, 40, 120, 80)))[3:-3, 3:-3].max() < 4e-3


def test_ffmpegs_own_conversion_agrees(tmp_path):
    """Whole frames by swscale and by us, on a picture with colour."""
    import av

    path = make_clip(tmp_path / "c.mkv", 3, codec="ffv1", pix_fmt="yuv444p")
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        reference = frame.to_ndarray(format="rgb24") / 255
    with open_clip(path) as clip:
        assert np.abs(clip.read(0)["left"] - reference).max() < 3 / 255


def test_an_rgb_eye_is_as_it_was():
    pixels = np.random.default_rng(0).integers(0, 65535, (20, 30, 3)).astype(np.uint16)
    eye = RgbEye(pixels, (10, 0), 20, 20)
    assert np.abs(eye.region(Rect(0, 0, 20, 20)) - pixels[:, 10:] / 65535).max() < 1e-6
