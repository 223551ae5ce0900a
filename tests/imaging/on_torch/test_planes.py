import numpy as np
import pytest

from tests.imaging.on_torch.both import SHAPES, TYPES, differs, picture, tensor
from vr180_ofx.imaging.either import host
from vr180_ofx.imaging.planes import absolute_difference, colour_transform, grey, interleaved, padded, planes_of, rescaled, within

pytest.importorskip("torch")


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_channels_come_apart_and_together(kind, shape):
    values = picture((*shape, 3), kind)
    planes = planes_of(tensor(values))
    assert all(np.array_equal(host(p), values[..., k]) for k, p in enumerate(planes))
    assert np.array_equal(host(interleaved(planes)), values)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_larger_pictures(kind, shape):
    for channels in ((), (3,)):
        for sides in ({}, {"left": 2, "bottom": 30}, {"top": 1, "right": 1}):
            assert differs(padded, picture((*shape, *channels), kind), **sides) == 0


def test_a_larger_picture_is_another_one():
    values = tensor(picture((4, 5)))
    padded(values)[:] = 9
    assert values.max() < 9


@pytest.mark.parametrize("rows", [1, 2, 3, 4])
def test_matrices(rows):
    matrix = np.random.default_rng(1).normal(size=(rows, 3)).astype(np.float32)
    expected = colour_transform(picture((9, 7, 3)), matrix).reshape(9, 7, rows)
    assert np.abs(host(colour_transform(tensor(picture((9, 7, 3))), matrix)) - expected).max() < 1e-6


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_luma(kind):
    assert differs(grey, picture((23, 17, 3), kind)) <= (1e-6 if kind is np.float32 else 1 / 255 + 1e-9)


def test_ranges_include_their_ends():
    values = np.array([[0.0, 0.25, 0.5, 0.75, 1.0, np.nan]], np.float32)
    assert differs(within, values, 0.25, 0.75) == 0


@pytest.mark.parametrize("kind", TYPES)
def test_differences_do_not_overflow(kind):
    a, b = picture((9, 7), kind, 1), picture((9, 7), kind, 2)
    assert differs(absolute_difference, a, b, twin=[tensor(b)]) == 0


def test_each_channel_has_a_gain_and_an_offset():
    assert differs(rescaled, picture((23, 17, 3), np.float32), (1 / 219, 1 / 224, 2.5), (-16 / 219, -0.5, 3.0)) < 1e-6
