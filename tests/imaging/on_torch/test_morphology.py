import numpy as np
import pytest

from tests.imaging.on_torch.both import SHAPES, differs, picture, tensor
from vr180_ofx.imaging.either import host
from vr180_ofx.imaging.morphology import box, dilate, disc, erode, opened, square

pytest.importorskip("torch")

RNG = np.random.default_rng(5)
KERNELS = {
    **{f"disc {r}": disc(r) for r in (0, 1, 2, 3, 5, 8, 13)},
    "square": square(3),
    "large square": square(8),
    "large, of any rows": np.maximum(RNG.random((17, 15)) > 0.8, np.eye(17, 15, -1)).astype(np.uint8),
    "flat": box(7, 1),
    "high": box(3, 9),
    "even": np.ones((4, 2), np.uint8),
    "any": np.maximum(RNG.random((5, 7)) > 0.6, np.eye(5, 7, 1)).astype(np.uint8),
    "aside": np.array([[0, 0, 1], [0, 1, 1], [0, 0, 0]], np.uint8),
}


@pytest.mark.parametrize("name", sorted(KERNELS))
@pytest.mark.parametrize("function", [dilate, erode, opened])
@pytest.mark.parametrize("kind", [bool, np.uint8, np.float32])
def test_results_are_opencvs_to_the_bit(name, function, kind):
    for shape in (*SHAPES, (23, 17, 3)):
        values = picture(shape) > 0.7 if kind is bool else picture(shape, kind)
        assert differs(function, values, KERNELS[name]) == 0


@pytest.mark.parametrize("radius", [3, 8, 16, 31, 60, 120])
@pytest.mark.parametrize("function", [dilate, erode])
def test_large_masks_are_the_same(radius, function, monkeypatch):
    """What counts is not how many pixels are under the kernel: a single one, and all but one."""
    monkeypatch.setattr("vr180_ofx.imaging.on_torch.morphology._COUNTED", 0)
    mask = np.zeros((61, 50), bool)
    mask[(3, 30, 58), (5, 44, 20)] = True
    for values in (mask, ~mask, picture((61, 50)) > 0.9):
        assert differs(function, values, disc(radius)) == 0


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_kernels_of_large_masks(name, monkeypatch):
    monkeypatch.setattr("vr180_ofx.imaging.on_torch.morphology._COUNTED", 0)
    for function in (dilate, erode, opened):
        assert differs(function, picture((23, 17)) > 0.7, KERNELS[name]) == 0


def test_beyond_the_picture_there_is_nothing():
    low, high = np.full((5, 6), -3, np.float32), np.full((5, 6), 7, np.float32)
    assert (host(dilate(tensor(low), disc(2))) == -3).all() and (host(erode(tensor(high), disc(2))) == 7).all()


def test_batches():
    batch = picture((2, 23, 17, 1))
    found = host(dilate(tensor(batch), disc(3)))
    assert np.array_equal(found, np.stack([dilate(b[..., 0], disc(3))[..., None] for b in batch]))
