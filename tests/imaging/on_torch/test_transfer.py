import numpy as np
import pytest

from tests.imaging.on_torch.both import picture
from vr180_ofx.imaging.either import hosts

torch = pytest.importorskip("torch")

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)]


@pytest.mark.parametrize("device", DEVICES)
def test_everything_comes_in_order_shape_and_type(device):
    arrays = [
        picture((3, 5), np.uint8),
        picture((4, 2, 3)).astype(np.float16),
        np.zeros((0, 7), np.float32),
        picture((5, 4)),
        picture((2, 9), np.uint16),
        picture((3, 3)) > 0.5,
    ]
    tensors = [torch.from_numpy(a).to(device) for a in arrays]
    tensors.append(tensors[3].T)
    for found, expected in zip(hosts(*tensors), [*arrays, arrays[3].T], strict=True):
        assert found.dtype == expected.dtype and np.array_equal(found, expected)


def test_arrays_stay_what_they_are():
    a = picture((2, 3))
    assert hosts(a)[0] is a and hosts(torch.zeros(1), a)[1] is a and np.array_equal(hosts(torch.from_numpy(a), torch.from_numpy(a))[1], a)
