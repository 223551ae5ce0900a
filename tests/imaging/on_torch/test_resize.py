import numpy as np
import pytest

from tests.imaging.on_torch.both import SHAPES, TYPES, differs, picture, tensor
from vr180_ofx.imaging.either import host
from vr180_ofx.imaging.resize import block_means, resize

pytest.importorskip("torch")

#: Larger, smaller, both, by whole numbers, and as large.
SIZES = [(40, 31), (7, 9), (40, 9), (34, 46), (17, 23), (1, 1)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic", "area"])
def test_floats_are_opencvs(shape, size, interpolation):
    for channels in ((), (3,)):
        # the places of cubic interpolation are OpenCV's own to 1e-6 of a pixel
        assert differs(resize, picture((*shape, *channels)), size, interpolation) < 1e-5


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic", "area"])
def test_integers_are_off_by_one_at_most(kind, interpolation):
    for size in SIZES:
        assert differs(resize, picture((23, 17, 3), kind), size, interpolation) <= 1 / 255 + 1e-9


@pytest.mark.parametrize("old", [5, 48, 97, 384, 1000])
def test_nearest_pixels_are_the_same_ones(old):
    row = np.arange(old, dtype=np.float32)[None]
    for new in (1, 3, 7, 48, 100, 383, 384, 512, 1001):
        assert differs(resize, row, (new, 1), "nearest") == 0


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("across_down", [(1, 1), (2, 2), (2, 1), (3, 2), (4, 4), (8, 8), (40, 30)])
@pytest.mark.parametrize("shape", SHAPES)
def test_means_of_blocks(kind, across_down, shape):
    allowed = 1e-5 if kind == np.float32 else 1 / 255 + 1e-9 if kind == np.uint8 else 1 / 65535 + 1e-9
    assert differs(block_means, picture((*shape, 3), kind), *across_down) <= allowed
    assert differs(block_means, picture(shape, kind), *across_down) <= allowed


def test_batches():
    batch = picture((2, 23, 17, 3))
    for how in ("nearest", "linear", "cubic", "area"):
        found = host(resize(tensor(batch), (9, 11), how))
        assert np.abs(found - np.stack([resize(b, (9, 11), how) for b in batch])).max() < 1e-5
