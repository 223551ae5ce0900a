"""Indexes that are kept are those that were made, or are made again."""

import os

import pytest

from tests.conftest import make_clip
from vr180_ofx.media import index_file
from vr180_ofx.media.index import build_index
from vr180_ofx.media.index_file import load_index
from vr180_ofx.sealed import unsealed
from vr180_ofx.storage import cache_folder


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A clip, and the file of its index in a cache of its own."""
    monkeypatch.setenv("VR180_OFX_CACHE", str(tmp_path / "cache"))
    path = make_clip(tmp_path / "c.mp4", 20)
    load_index(path)
    (file,) = cache_folder("index").iterdir()
    return path, file


def same(a, b):
    return repr(a) == repr(b) and a.pts.tolist() == b.pts.tolist() and a.seek.tolist() == b.seek.tolist() and a.rate == b.rate


def test_it_is_kept_and_made_again_when_the_file_changes(kept, monkeypatch):
    path, _ = kept
    monkeypatch.setattr(index_file, "build_index", lambda p, limit: pytest.fail("the cached index was not used"))
    assert len(load_index(path)) == 20
    monkeypatch.undo()
    make_clip(path, 25)
    assert len(load_index(path)) == 25


def test_a_damaged_cached_index_is_made_again(tmp_path, monkeypatch):
    """Whichever of its bits it is: some made a clip unreadable until the file was deleted."""

    monkeypatch.setenv("VR180_OFX_CACHE", str(tmp_path / "cache"))
    path = make_clip(tmp_path / "c.mp4", 3)
    made = load_index(path)
    (cached,) = (tmp_path / "cache" / "index").iterdir()
    whole = cached.read_bytes()
    assert unsealed(cached.stem, whole) is not None
    for bit in range(len(whole) * 8):
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        assert unsealed(cached.stem, bytes(data)) is None, bit
        if bit % 97 == 0:
            cached.write_bytes(data)
            assert repr(load_index(path)) == repr(made), bit
            assert cached.read_bytes() == whole


@pytest.mark.skipif(os.name != "posix", reason="pipes do not lie among files here")
@pytest.mark.timeout(30)
def test_an_index_of_another_clip_and_a_pipe_are_none_of_this_one(tmp_path, monkeypatch):

    monkeypatch.setenv("VR180_OFX_CACHE", str(tmp_path / "cache"))
    one, other = make_clip(tmp_path / "one.mp4", 3), make_clip(tmp_path / "other.mp4", 7)
    load_index(one)
    (cached,) = (tmp_path / "cache" / "index").iterdir()
    of_one = cached.read_bytes()
    cached.unlink()
    load_index(other)
    (cached,) = (tmp_path / "cache" / "index").iterdir()
    cached.write_bytes(of_one)
    assert len(load_index(other)) == 7
    cached.unlink()
    os.mkfifo(cached)
    assert len(load_index(other)) == 7


def test_all_that_is_known_is_kept(kept):
    path, _ = kept
    assert same(load_index(path), build_index(path))
