import numpy as np
import pytest

from tests.imaging.on_torch.both import SHAPES, TYPES, differs, picture, tensor
from vr180_ofx.imaging.either import host
from vr180_ofx.imaging.filter import box_blur, box_blurs, gaussian_blur, separable, slopes

pytest.importorskip("torch")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [(1, 1), (3, 3), (2, 4), (9, 5), (31, 1)])
@pytest.mark.parametrize("border", ["reflect", "symmetric", "edge"])
def test_boxes(shape, size, border):
    for channels in ((), (3,)):
        assert differs(box_blur, picture((*shape, *channels)), size, border=border) < 1e-6


@pytest.mark.parametrize("kind", TYPES)
def test_boxes_of_integers(kind):
    assert differs(box_blur, picture((23, 17, 3), kind), (5, 4)) <= 1 / 255 + 1e-9


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("sigma", [0.3, 0.8, 1.0, 2.7, 6.0])
def test_gaussians(shape, sigma):
    """The kernel has as many pixels as OpenCV's: another one would be off by a thousandth."""
    for channels in ((), (3,)):
        assert differs(gaussian_blur, picture((*shape, *channels)), sigma) < 2e-6
        # of bytes OpenCV takes weights in steps of 1/256, which adds up in kernels that are wider than the picture
        if sigma < 3:
            assert differs(gaussian_blur, picture((*shape, *channels), np.uint8), sigma) <= 2 / 255 + 1e-9


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
@pytest.mark.parametrize("scale", [1.0, 0.125])
def test_slopes(kind, scale):
    values = picture((23, 17), kind)
    for found, expected in zip(slopes(tensor(values), scale=scale), slopes(values, scale=scale), strict=True):
        assert np.allclose(host(found), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("border", ["reflect", "symmetric", "edge"])
def test_kernels_are_not_mirrored(border):
    across, down = np.array([0.1, 0.2, 0.7], np.float32), np.array([0.5, 0, 0.1, 0.2, 0.2], np.float32)
    assert differs(separable, picture((23, 17)), across, down, border=border) < 1e-6


@pytest.mark.parametrize("blur", [lambda v: box_blur(v, (5, 4)), lambda v: gaussian_blur(v, 1.5)])
def test_batches(blur):
    batch = picture((2, 23, 17, 3))
    assert np.abs(host(blur(tensor(batch))) - np.stack([blur(b) for b in batch])).max() < 1e-6


def test_boxes_of_several_pictures_at_once():
    pictures = [picture((23, 17), seed=n) for n in range(3)]
    for found, expected in zip(box_blurs([tensor(p) for p in pictures], (5, 3)), box_blurs(pictures, (5, 3)), strict=True):
        assert np.abs(host(found) - expected).max() < 1e-6
    batches = box_blurs([tensor(np.stack(pictures))], (3, 3), border="symmetric")[0]
    assert np.abs(host(batches[1]) - box_blur(pictures[1], (3, 3), border="symmetric")).max() < 1e-6
