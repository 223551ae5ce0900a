import numpy as np
import pytest

from vr180_ofx.imaging.either import as_float, beside, host, is_tensor, namespace, same_kind, worth_it, zeros

torch = pytest.importorskip("torch")


def test_arrays_are_told_apart():
    array, tensor = np.zeros(2, np.float32), torch.zeros(2)
    assert not is_tensor(array) and not is_tensor([1.0]) and is_tensor(tensor)
    assert namespace(array) is np and namespace(tensor) is not np
    assert same_kind([array, array]) and same_kind([]) and not same_kind([array, tensor])


def test_what_crosses_keeps_its_numbers_and_its_type():
    array = np.arange(6, dtype=np.uint16).reshape(2, 3)[:, ::-1]
    array.setflags(write=False)
    over = beside(array, torch.zeros(1))
    assert over.dtype == torch.uint16 and np.array_equal(host(over), array)
    assert host(array) is array and beside(array, array) is array


@pytest.mark.parametrize("name", ["maximum", "minimum"])
@pytest.mark.parametrize("other", [0.25, "array"])
def test_names_are_numpys(name, other):
    a, b = (np.random.default_rng(n).random((4, 5), np.float32) for n in (1, 2))
    given = b if other == "array" else other
    tensor = torch.from_numpy(given) if other == "array" else given
    xp = namespace(torch.from_numpy(a))
    assert np.array_equal(host(getattr(xp, name)(torch.from_numpy(a), tensor)), getattr(np, name)(a, given))
    assert np.array_equal(host(xp.clip(torch.from_numpy(a), 0.25, 0.5)), np.clip(a, 0.25, 0.5))
    assert np.array_equal(host(xp.where(torch.from_numpy(a) > 0.5, torch.from_numpy(a), 0.0)), np.where(a > 0.5, a, np.float32(0)))


def test_what_is_made_is_of_the_same_kind():
    assert zeros((2, 3), np.zeros(1, np.uint8)).dtype == np.float32
    made = zeros((2, 3), torch.zeros(1, dtype=torch.uint8))
    assert made.dtype == torch.float32 and made.shape == (2, 3) and not made.any()
    values = np.array([1, 2], np.float64)
    assert as_float(values).dtype == np.float32 and as_float(torch.from_numpy(values)).dtype == torch.float32
    single = values.astype(np.float32)
    assert as_float(single) is single


def test_names_of_choices_are_numpys():
    rng = np.random.default_rng(3)
    a, b, index = rng.random((4, 5), np.float32), rng.random((4, 1), np.float32), rng.integers(0, 2, (4, 5))
    ta, tb = torch.from_numpy(a), torch.from_numpy(b)
    xp = namespace(ta)
    wide = np.broadcast_to(b, a.shape)
    assert np.array_equal(host(xp.take_along_axis(ta, torch.from_numpy(index), axis=-1)), np.take_along_axis(a, index, axis=-1))
    assert np.array_equal(
        host(xp.argmin(xp.stack([ta, ta, xp.broadcast_to(tb, a.shape)]), axis=0)), np.argmin(np.stack([a, a, wide]), axis=0)
    )
    for there in (np.zeros((4, 5), np.float32), np.zeros((8, 10), np.float32)[::2, ::2]):
        copy = torch.from_numpy(there.copy()) if there.flags.c_contiguous else torch.zeros(8, 10)[::2, ::2]
        np.copyto(there, a, where=a > 0.5)
        xp.copyto(copy, ta, where=ta > 0.5)
        assert np.array_equal(host(copy), there)


def test_only_of_arrays_it_is_asked_whether_anything_is_set():
    assert not worth_it(np.zeros(3, bool)) and worth_it(np.ones(3, bool))
    assert worth_it(torch.zeros(3, dtype=torch.bool))
