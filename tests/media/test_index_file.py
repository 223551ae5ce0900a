"""Indexes that are kept are those that were made, or are made again."""

import os
import random
import zipfile

import pytest

from tests.conftest import make_clip
from vr180_ofx.media import index_file
from vr180_ofx.media.index import build_index
from vr180_ofx.media.index_file import load_index
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


def test_no_bit_that_flips_is_missed(kept):
    """Of all bits of an index 120 in 18,496 made its clip unreadable, and others went unnoticed."""
    path, file = kept
    whole = file.read_bytes()
    key = file.stem
    rng = random.Random(3)
    for bit in {rng.randrange(len(whole) * 8) for _ in range(600)}:
        hurt = bytearray(whole)
        hurt[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError, match="checksum"):
            index_file._decoded(bytes(hurt), key)
    # the fields of the archive by which Python's reader failed with errors of its own: compression and encryption
    body = whole.index(b"PK\x03\x04")
    for at in (body + 6, body + 8):
        hurt = bytearray(whole)
        hurt[at] ^= 0x41
        file.write_bytes(bytes(hurt))
        assert len(load_index(path)) == 20 and file.read_bytes() == whole


@pytest.mark.parametrize("what", ["half", "empty", "foreign", "another clip's"])
def test_what_is_no_index_of_this_clip_is_made_again(kept, tmp_path, what):
    path, file = kept
    whole = file.read_bytes()
    if what == "half":
        file.write_bytes(whole[: len(whole) // 2])
    elif what == "empty":
        file.write_bytes(b"")
    elif what == "foreign":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("pts.npy", b"x")
    else:
        load_index(make_clip(tmp_path / "other.mp4", 7))
        other = next(f for f in file.parent.iterdir() if f != file)
        file.write_bytes(other.read_bytes())
    assert len(load_index(path)) == 20 and file.read_bytes() == whole


def test_a_pipe_under_its_name_is_not_waited_for(kept):
    path, file = kept
    file.unlink()
    os.mkfifo(file)
    assert len(load_index(path)) == 20
    assert file.is_file()


def test_all_that_is_known_is_kept(kept):
    path, _ = kept
    assert same(load_index(path), build_index(path))
