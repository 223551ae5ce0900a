import os

import numpy as np
import pytest

from tests.training.data.files import write
from vr180_ofx.errors import MediaError
from vr180_ofx.training.data.cache import Pictures


@pytest.fixture
def file(tmp_path):
    write(tmp_path / "a.png", np.arange(60, dtype=np.uint8).reshape(6, 10))
    return tmp_path / "a.png"


def loader(times, picture):
    def load():
        times.append(1)
        return picture.copy()

    return load


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_what_was_decoded_is_not_decoded_again(file, tmp_path, dtype):
    picture, times = (np.random.default_rng(1).random((5, 7, 3)) * 200).astype(dtype), list[int]()
    first = Pictures(1 << 20, tmp_path / "cache")
    for _ in range(3):
        assert np.array_equal(first.get(file, "x", loader(times, picture)), picture)
    # another process
    second = Pictures(1 << 20, tmp_path / "cache")
    found = second.get(file, "x", loader(times, picture))
    assert len(times) == 1 and np.array_equal(found, picture) and found.dtype == dtype
    assert (first.in_memory, second.from_disk) == (2, 1)
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 0


def test_a_replaced_file_is_read_again(file, tmp_path):
    pictures, times = Pictures(1 << 20, tmp_path / "cache"), list[int]()
    pictures.get(file, "x", loader(times, np.zeros((2, 2), np.uint8)))
    os.utime(file, ns=(1, 1))
    pictures.get(file, "x", loader(times, np.ones((2, 2), np.uint8)))
    assert len(times) == 2
    file.unlink()
    with pytest.raises(MediaError, match="does not exist"):
        pictures.get(file, "x", loader(times, np.ones((2, 2), np.uint8)))


def test_a_damaged_entry_counts_as_absent(file, tmp_path):
    times: list[int] = []
    Pictures(0, tmp_path / "cache").get(file, "x", loader(times, np.full((8, 8), 7, np.uint8)))
    (entry,) = (tmp_path / "cache").rglob("*.picture")
    entry.write_bytes(entry.read_bytes()[:-1] + b"?")
    assert int(Pictures(0, tmp_path / "cache").get(file, "x", loader(times, np.full((8, 8), 7, np.uint8))).max()) == 7
    assert len(times) == 2


def test_memory_and_disk_are_bounded(file, tmp_path):
    pictures, times = Pictures(3000, tmp_path / "cache", disk=2500), list[int]()
    noise = np.random.default_rng(1).integers(0, 255, (10, 100), dtype=np.uint8)
    for k in range(10):
        pictures.get(file, str(k), loader(times, noise))
    assert pictures._bytes <= 3000 and len(pictures._held) == 3
    # the entry that goes beyond is the last one
    assert sum(f.stat().st_size for f in (tmp_path / "cache").rglob("*.picture")) < 4500
    pictures.get(file, "9", loader(times, noise))
    assert len(times) == 10
