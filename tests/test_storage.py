"""Files are whole or absent."""

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vr180_ofx.errors import OutputError
from vr180_ofx.folders import FileLock, Folder
from vr180_ofx.storage import atomic_path, cache_folder, remove_leftovers, weights_folder, write_atomic

posix = pytest.mark.skipif(os.name != "posix", reason="other systems have other links, locks and special files")


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


@posix
def test_files_get_what_the_users_umask_allows(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomic(tmp_path / "a", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


#: Names as this program gives them to what it is writing, and what is in them.
OURS = {
    ".a.0123abcd.vr180-ofx.part.exr": b"v/1\1 and half a picture",
    ".b.89abcdef.vr180-ofx.part": b"",
    ".c.d.00000000.vr180-ofx.part.png": b"",
}
NOT_OURS = {
    ".film.mkv.part": b"a download", ".a.xyz.part.exr": b"v/1\1", ".clip.mp4.Xa81b2.part": b"rsync", ".hidden": b"", "a.exr": b"v/1\1",
    ".a.0123abcd.vr180-ofx.part.exr.bak": b"v/1\1", ".d.0123abcd.vr180-ofx.part.exr": b"somebody's notes",
}  # fmt: skip


def test_leftovers_are_removed_and_nothing_else(tmp_path):
    for name, data in {**OURS, **NOT_OURS}.items():
        (tmp_path / name).write_bytes(data)
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / ".link.0123abcd.vr180-ofx.part").symlink_to(precious)
    assert remove_leftovers(tmp_path) == len(OURS)
    assert {p.name for p in tmp_path.iterdir()} == {*NOT_OURS, "precious", ".link.0123abcd.vr180-ofx.part"}


@posix
def test_what_another_process_is_writing_is_no_leftover(tmp_path):
    """Until it is killed: then it is one."""
    target = tmp_path / "a.txt"
    code = (
        "import sys; from pathlib import Path; from vr180_ofx.storage import atomic_path\n"
        f"with atomic_path(Path({str(target)!r})) as part:\n"
        "    part.write_text('half'); print('writing', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"writing\n"
        assert remove_leftovers(tmp_path) == 0 and len(list(tmp_path.iterdir())) == 1
        process.kill()
    assert remove_leftovers(tmp_path) == 1 and not target.exists()


def _device(path):
    if os.geteuid() != 0:
        pytest.skip("devices are made by root")
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 7))
    except OSError as error:
        pytest.skip(f"no device can be made here: {error.strerror}")


@posix
@pytest.mark.parametrize(
    ("make", "words"), [(os.mkfifo, "is a pipe"), (_device, "is a device"), (os.mkdir, "is a folder")], ids=["pipe", "device", "folder"]
)
def test_what_is_no_file_is_not_replaced(tmp_path, make, words):
    make(tmp_path / "special")
    (tmp_path / "link").symlink_to(tmp_path / "special")
    before = os.lstat(tmp_path / "special")
    for name in ("special", "link"):
        with pytest.raises(OutputError, match=f"{name} {words}"):
            write_atomic(tmp_path / name, b"data")
    assert os.path.samestat(before, os.lstat(tmp_path / "special")) and sorted(os.listdir(tmp_path)) == ["link", "special"]


@posix
def test_a_folder_that_became_a_link_is_not_written_through(tmp_path):
    """At any step of the way, whether folders are to be made or not; those who named a link themselves get what they named."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "link").symlink_to(outside)
    for target in (tmp_path / "link" / "a.txt", tmp_path / "link" / "sub" / "a.txt"):
        with pytest.raises(OutputError, match="link has become a link"):
            write_atomic(target, b"data", steady=True)
    assert not list(outside.iterdir())
    write_atomic(tmp_path / "link" / "a.txt", b"data")
    assert (outside / "a.txt").read_bytes() == b"data"


@posix
def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "a.txt").symlink_to("precious")
    write_atomic(tmp_path / "a.txt", b"data", steady=True)
    assert (tmp_path / "precious").read_text() == "mine" and not (tmp_path / "a.txt").is_symlink()


@posix
def test_a_link_put_in_the_place_of_the_unfinished_file_is_not_followed(tmp_path):
    (tmp_path / "precious").write_text("mine")
    with pytest.raises(OutputError, match="was replaced while"), atomic_path(tmp_path / "a.txt", steady=True) as part:
        (name,) = (p for p in tmp_path.iterdir() if p.name.startswith("."))
        name.unlink()
        name.symlink_to("precious")
        if part != name:
            # where what is open has a name of its own, that is what is written to
            part.write_text("data")
    assert (tmp_path / "precious").read_text() == "mine" and not (tmp_path / "a.txt").exists()


def test_long_names_leave_room_for_ours(tmp_path):
    target = tmp_path / ("\u00e4" * 120 + ".json")
    write_atomic(target, b"{}")
    assert target.read_bytes() == b"{}"


@posix
def test_several_threads_leave_the_umask_alone(tmp_path):
    before = os.umask(0o027)
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda k: write_atomic(tmp_path / str(k), b""), range(400)))
        assert {p.stat().st_mode & 0o777 for p in tmp_path.iterdir()} == {0o640} and os.umask(0o027) == 0o027
    finally:
        os.umask(before)


@posix
def test_a_lock_is_shared_or_held_alone_and_leaves_nothing(tmp_path):
    with Folder(tmp_path) as folder, Folder(tmp_path) as again:
        one = FileLock(folder, ".lock")
        assert one.alone()
        two = FileLock(again, ".lock")
        assert not one.alone() and not two.alone()
        two.release()
        assert one.alone() and (tmp_path / ".lock").exists()
        one.release()
    assert not list(tmp_path.iterdir())


def test_folders_can_be_named(tmp_path, monkeypatch):
    monkeypatch.setenv("VR180_OFX_CACHE", str(tmp_path))
    monkeypatch.delenv("VR180_OFX_WEIGHTS")
    assert cache_folder("plans") == tmp_path / "plans" and weights_folder() == tmp_path / "weights"
    monkeypatch.setenv("VR180_OFX_WEIGHTS", "/weights")
    assert weights_folder() == Path("/weights")
