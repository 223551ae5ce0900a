"""Files are whole or absent."""

import os
from pathlib import Path

import pytest

from vr180_ofx.storage import atomic_path, cache_folder, remove_leftovers, weights_folder, write_atomic


def test_a_file_appears_when_it_is_whole(tmp_path):
    target = tmp_path / "sub" / "a.txt"
    with atomic_path(target) as part:
        part.write_text("half")
        assert not target.exists() and part.parent == target.parent and part.name.startswith(".")
    assert target.read_text() == "half" and list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_interrupted_one_leaves_what_was_there(tmp_path, error):
    target = tmp_path / "a.txt"
    write_atomic(target, b"before")
    with pytest.raises(error), atomic_path(target) as part:
        part.write_text("half")
        raise error
    assert target.read_bytes() == b"before" and list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(os.name != "posix", reason="other systems have no umask")
def test_files_get_what_the_users_umask_allows(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomic(tmp_path / "a", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_leftovers_are_removed_and_nothing_else(tmp_path):
    for name in (".a.xyz.part.exr", ".b.part", "a.exr", ".hidden"):
        (tmp_path / name).write_text("")
    assert remove_leftovers(tmp_path) == 2 and sorted(p.name for p in tmp_path.iterdir()) == [".hidden", "a.exr"]


def test_folders_can_be_named(tmp_path, monkeypatch):
    monkeypatch.setenv("VR180_OFX_CACHE", str(tmp_path))
    monkeypatch.delenv("VR180_OFX_WEIGHTS")
    assert cache_folder("plans") == tmp_path / "plans" and weights_folder() == tmp_path / "weights"
    monkeypatch.setenv("VR180_OFX_WEIGHTS", "/weights")
    assert weights_folder() == Path("/weights")
