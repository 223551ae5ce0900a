import numpy as np
import pytest

from tests.imaging.on_torch.both import SHAPES, TYPES, differs, picture, tensor
from vr180_ofx.imaging.either import host
from vr180_ofx.imaging.sample import sample

pytest.importorskip("torch")

RNG = np.random.default_rng(3)


def places(shape, kind=np.float32, reach=3.0):
    """Places in a picture and around it, a few of them nowhere."""
    at = RNG.random((7, 9, 2)) * (shape[1] + 2 * reach, shape[0] + 2 * reach) - reach
    at[2, 3], at[3, 1, 0], at[4, 4, 1] = np.nan, np.nan, np.nan
    return at.astype(kind)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("channels", [(), (3,), (4,)])
@pytest.mark.parametrize("border", [0.0, -8.0, "edge", (0.5, 1.0, 2.0, 3.0)])
@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
def test_floats_are_opencvs_within_their_last_bits(shape, channels, border, interpolation):
    values = picture((*shape, *channels))
    assert differs(sample, values, places(shape), border=border, interpolation=interpolation) < 1e-5 * (8 if border == -8 else 3)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("border", [0.0, "edge"])
def test_integers_are_off_by_one_at_most(kind, interpolation, border):
    values, at = picture((23, 17), kind), places((23, 17))
    if interpolation == "nearest":
        # half-way both are as near
        at = np.floor(at) + np.float32(0.3)
    assert differs(sample, values, at, border=border, interpolation=interpolation) <= 1 / 255 + 1e-9


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("more", [{}, {"centre": 0}, {"origin": (3, -2)}, {"origin": (1.5, 2), "pixel": (2, 4)}, {"pixel": (0.5, 0.5)}])
def test_planes_begin_anywhere(kind, more):
    values, at = picture((40, 33)), places((40, 33), kind)
    assert differs(sample, values, at, **more) < 1e-5
    assert differs(sample, values, at, twin=[tensor(at)], **more) < 1e-5


def test_far_places_in_large_pictures_are_exact_to_a_thousandth_of_a_pixel():
    """Pixels lie where 6K pictures have them: numbers of 32 bits are short there."""
    ramp = np.broadcast_to(np.arange(6144, dtype=np.float32), (4, 6144)).copy()
    x = np.linspace(3, 6140, 997)
    found = sample(tensor(ramp), tensor(np.stack([x, np.full_like(x, 2.0)], axis=-1)), border="edge")
    assert np.abs(host(found) - (x - 0.5)).max() < 1e-3


def test_pixels_are_found_again_to_the_bit():
    values = picture((9, 12, 3))
    at = np.stack(np.meshgrid(np.arange(12), np.arange(9)), axis=-1).astype(np.float32)
    assert np.allclose(host(sample(tensor(values), tensor(at), centre=0)), values, atol=1e-6)


@pytest.mark.parametrize("leading", [(), (2,), (2, 3)])
def test_many_grids_and_batches(leading):
    # of two channels OpenCV takes places to 1/32 of a pixel
    values, at = picture((20, 21, 3)), (RNG.random((*leading, 5, 2)) * 20).astype(np.float32)
    assert differs(sample, values, at) < 1e-5
    batch, grids = picture((3, 20, 21, 3)), (RNG.random((3, *leading, 5, 2)) * 20).astype(np.float32)
    found = host(sample(tensor(batch), tensor(grids)))
    assert np.abs(found - np.stack([sample(v, g) for v, g in zip(batch, grids, strict=True)])).max() < 1e-5
