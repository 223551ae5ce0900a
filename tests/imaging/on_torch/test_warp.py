import numpy as np
import pytest

from tests.imaging.on_torch.both import SHAPES, TYPES, differs, picture, tensor
from vr180_ofx.imaging.either import host
from vr180_ofx.imaging.warp import warp_affine

pytest.importorskip("torch")

MATRICES = [
    np.array([[1.0, 0, 0], [0, 1, 0]]),
    np.array([[0.5, 0, 3.25], [0, 0.75, -2.5]]),
    np.array([[1.3, 0.2, -4.1], [-0.35, 0.8, 3.7]]),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("channels", [(), (3,)])
@pytest.mark.parametrize("border", [0.0, 0.75, "edge"])
@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
@pytest.mark.parametrize("matrix", MATRICES)
def test_floats_are_opencvs(shape, channels, border, interpolation, matrix):
    values = picture((*shape, *channels))
    assert differs(warp_affine, values, matrix, (19, 14), border=border, interpolation=interpolation) < 2e-5


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
def test_integers_are_off_by_one_at_most(kind, interpolation):
    assert differs(warp_affine, picture((23, 17, 3), kind), MATRICES[2], (19, 14), interpolation=interpolation) <= 1 / 255 + 1e-9


def test_batches_are_moved_by_one_matrix():
    batch = picture((2, 23, 17, 3))
    found = host(warp_affine(tensor(batch), MATRICES[2], (19, 14)))
    assert np.abs(found - np.stack([warp_affine(b, MATRICES[2], (19, 14)) for b in batch])).max() < 2e-5
