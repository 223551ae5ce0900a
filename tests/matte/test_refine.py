import cv2
import numpy as np
import pytest

from vr180_ofx.engine.models import Models
from vr180_ofx.imaging.logistic import sigmoid
from vr180_ofx.matte.guided import _WEIGHTS, GuidedRefiner
from vr180_ofx.matte.paste import paste, refine, restrict
from vr180_ofx.matte.plain import NoRefiner
from vr180_ofx.media.picture import RgbEye, _luma_chroma
from vr180_ofx.settings import Settings
from vr180_ofx.vr180.projection import Equirectangular
from vr180_ofx.vr180.window import Window, direction_from_angles


def test_the_guided_filter_is_that_of_the_paper():
    """Equation 16-19 of He, Sun, Tang, solved pixel by pixel with loops and a linear solver."""
    rng = np.random.default_rng(2)
    size, radius, eps = 24, 3, 1e-3
    guide = cv2.GaussianBlur(rng.random((size, size, 3)).astype(np.float32), (0, 0), 1.5)
    mask = (cv2.GaussianBlur(rng.random((size, size)).astype(np.float32), (0, 0), 2) > 0.5).astype(np.float32)
    c = GuidedRefiner(radius, eps, 1.0).refine(guide, mask).coefficients
    scaled = guide.astype(np.float64) * _WEIGHTS
    a, b = np.zeros((size, size, 3)), np.zeros((size, size))
    for y in range(radius, size - radius):
        for x in range(radius, size - radius):
            block = np.s_[y - radius : y + radius + 1, x - radius : x + radius + 1]
            i, p = scaled[block].reshape(-1, 3), mask[block].reshape(-1).astype(np.float64)
            cov = np.cov(i.T, bias=True) + eps * np.eye(3)
            a[y, x] = np.linalg.solve(cov, (i * p[:, None]).mean(0) - i.mean(0) * p.mean())
            b[y, x] = p.mean() - a[y, x] @ i.mean(0)
    inner = np.s_[2 * radius : size - 2 * radius, 2 * radius : size - 2 * radius]
    box = lambda v: cv2.blur(v, (2 * radius + 1,) * 2)  # noqa: E731
    expected = (box(a) * scaled).sum(-1) + box(b)
    got = (c[..., :3] * guide).sum(-1) + c[..., 3]
    assert np.abs(got - expected)[inner].max() < 1e-4


def disc_scene(eye_size=1536):
    """A bright disc with a soft rim on a dark ground, as a picture and as its true alpha."""
    y, x = np.mgrid[:eye_size, :eye_size] + 0.5
    distance = np.hypot(x - eye_size * 0.52, y - eye_size * 0.5) - eye_size * 0.08
    alpha = np.clip(0.5 - distance / 6, 0, 1).astype(np.float32)
    colour = alpha[..., None] * np.array([0.9, 0.7, 0.5]) + (1 - alpha[..., None]) * np.array([0.1, 0.2, 0.3])
    return RgbEye((colour * 65535).astype(np.uint16), (0, 0), eye_size, eye_size), alpha


@pytest.mark.parametrize("name", ["guided", "closed_form"])
def test_refining_beats_the_mask_it_came_from(name):
    eye, alpha = disc_scene()
    projection = Equirectangular(eye.width, eye.height)
    window = Window(direction_from_angles(0.06, 0.0), 45, 0, 256)
    sample = eye.sample(window.grid(projection))
    small = cv2.remap(alpha, *(window.grid(projection)[..., k] - 0.5 for k in (0, 1)), cv2.INTER_LINEAR)
    # what a network gives: blurred, and a little off
    mask = np.roll(cv2.GaussianBlur((small > 0.5).astype(np.float32), (0, 0), 2), 2, axis=1)
    errors = {}
    for refiner in (NoRefiner(), Models.of(Settings(matting={"refiner": name})).load_refiner()):
        patch = paste(restrict(refiner.refine(sample.guide, mask), mask), np.ones_like(mask), window, eye, projection)
        out = np.zeros_like(alpha)
        out[patch.rect.slices] = patch.alpha
        errors[refiner.identity()] = np.abs(out - alpha).mean()
    none = errors.pop("none")
    assert min(errors.values()) < 0.5 * none


@pytest.mark.parametrize("where", [(128, 128), (20, 240)])
def test_refining_the_persons_part_of_a_window_is_refining_the_window(where):
    rng = np.random.default_rng(3)
    guide = cv2.GaussianBlur(rng.random((256, 256, 3)).astype(np.float32), (0, 0), 2)
    mask = np.zeros((256, 256), np.float32)
    cv2.ellipse(mask, where, (30, 50), 0, 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 3)
    refiner = GuidedRefiner()
    part, whole = refine(refiner, guide, mask), restrict(refiner.refine(guide, mask), mask)
    assert np.abs(part.coefficients - whole.coefficients).max() < 1e-6 and part.gain == whole.gain
    assert not refine(refiner, guide, np.zeros_like(mask)).coefficients.any()


def test_pasting_a_constant_is_exact_where_it_is_constant():
    eye, _ = disc_scene(512)
    projection = Equirectangular(512, 512)
    window = Window(direction_from_angles(0.3, 0.2), 40, 20, 128)
    mask = np.zeros((128, 128), np.float32)
    mask[40:90, 40:90] = 1
    patch = paste(NoRefiner().refine(np.zeros((128, 128, 3), np.float32), mask), np.full_like(mask, 0.5), window, eye, projection)
    grid = window.inverse_map(projection, patch.rect)
    inside, outside = ((grid > 42) & (grid < 88)).all(-1), ((grid < 38) | (grid > 92)).any(-1)
    assert (patch.alpha[inside] == 1).all() and (patch.alpha[outside] == 0).all() and inside.sum() > 1000
    assert np.allclose(patch.confidence[inside], 0.5)


def test_nothing_there_gives_no_patch():
    eye, _ = disc_scene(256)
    mask = np.zeros((64, 64), np.float32)
    assert (
        paste(
            NoRefiner().refine(np.zeros((64, 64, 3), np.float32), mask), mask, Window((0, 0, 1), 40, 0, 64), eye, Equirectangular(256, 256)
        )
        is None
    )


def test_a_person_cut_by_the_window_ends_softly():
    eye, _ = disc_scene(512)
    mask = np.ones((128, 128), np.float32)
    patch = paste(
        NoRefiner().refine(np.zeros((128, 128, 3), np.float32), mask), mask, Window((0, 0, 1), 40, 0, 128), eye, Equirectangular(512, 512)
    )
    row = patch.alpha[patch.alpha.shape[0] // 2]
    assert row[0] < 0.5 and row[len(row) // 2] == 1 and np.abs(np.diff(row)).max() < 0.45


def test_luma_and_colour_differences():
    rgb = np.random.default_rng(1).random((3, 3, 3)).astype(np.float32)
    y = rgb @ np.array([0.2126, 0.7152, 0.0722])
    out = _luma_chroma(rgb)
    assert out[..., 0] == pytest.approx(y, abs=1e-5) and out[..., 1] == pytest.approx((rgb[..., 2] - y) / 1.8556, abs=1e-3)


def test_sigmoid_does_not_overflow():
    assert sigmoid(np.array([-1e4, 0, 1e4])) == pytest.approx([0, 0.5, 1])
