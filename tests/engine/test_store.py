"""The cache on disk: whole or absent, shared, bounded."""

import multiprocessing
import os
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.engine.store import DiskStore


def test_what_was_put_is_got(tmp_path):
    store = DiskStore(tmp_path, 1000)
    assert store.get("abc") is None and store.put("abc", b"hello") and store.get("abc") == b"hello"
    assert DiskStore(tmp_path, 1000).get("abc") == b"hello" and store.has("abc")
    store.drop("abc")
    assert not store.has("abc") and store.clear() == 0


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_a_flipped_bit_is_noticed(tmp_path_factory, place, bit):
    store = DiskStore(tmp_path_factory.mktemp("s"), 1 << 20)
    store.put("abc", bytes(range(200)))
    path = store.path("abc")
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= 1 << bit
    path.write_bytes(data)
    assert store.get("abc") is None and store.damaged == 1 and not path.exists()


def test_every_flipped_bit_of_an_entry_is_noticed(tmp_path):
    """All of them: no wrong answer, and never another one's."""
    store = DiskStore(tmp_path, 1 << 20)
    store.put("abc", b"frame")
    path = store.path("abc")
    whole = path.read_bytes()
    for bit in range(len(whole) * 8):
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        path.write_bytes(data)
        assert store.get("abc") is None, bit
    assert store.damaged == len(whole) * 8


def test_an_entry_of_another_name_is_not_served(tmp_path):
    """Copied, or renamed: whole, and a wrong matte."""
    store = DiskStore(tmp_path, 1 << 20)
    store.put("abc", b"of abc")
    store.path("abd").write_bytes(store.path("abc").read_bytes())
    assert store.get("abd") is None and store.damaged == 1 and not store.path("abd").exists()
    assert store.get("abc") == b"of abc"


@pytest.mark.skipif(os.name != "posix", reason="pipes do not lie among files here")
@pytest.mark.timeout(30)
@pytest.mark.parametrize("kind", ["pipe", "link", "folder", "huge"])
def test_what_is_no_file_is_no_entry_and_is_not_waited_for(tmp_path, kind):
    store = DiskStore(tmp_path / "store", 1 << 20)
    store.put("abc", b"x")
    path = store.path("abc")
    whole = path.read_bytes()
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        (tmp_path / "elsewhere").write_bytes(whole)
        path.symlink_to(tmp_path / "elsewhere")
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(whole)
        os.truncate(path, 1 << 40)
    assert store.get("abc") is None
    if kind != "folder":
        # the place is free again
        assert not path.is_symlink() and store.put("abc", b"y") and store.get("abc") == b"y"
    assert kind != "link" or (tmp_path / "elsewhere").read_bytes() == whole


@pytest.mark.parametrize("length", [0, 5, 40, 60])
def test_a_truncated_entry_is_noticed(tmp_path, length):
    store = DiskStore(tmp_path, 1 << 20)
    store.put("abc", b"x" * 100)
    data = store.path("abc").read_bytes()
    store.path("abc").write_bytes(data[:length])
    assert store.get("abc") is None


def test_what_was_not_used_for_longest_goes_first(tmp_path):
    store = DiskStore(tmp_path, 1000)
    for k in range(8):
        store.put(f"name{k}", bytes(50))
        os.utime(store.path(f"name{k}"), (k, k))
    assert store.get("name0") is not None  # used again
    store.evict(400)
    assert store.has("name0") and store.has("name7") and not store.has("name1") and store.nbytes <= 400


def test_it_never_holds_much_more_than_it_may(tmp_path):
    store = DiskStore(tmp_path, 20_000)
    for k in range(200):
        store.put(f"n{k:04d}", bytes(500))
        assert store.nbytes <= 20_000 * 1.03 + 550
    assert not store.put("big", bytes(30_000))


def _hammer(folder, seed, queue):
    store = DiskStore(folder, 60_000)
    wrong = 0
    for k in range(400):
        name = f"key{(k * seed) % 40:02d}"
        data = store.get(name)
        wrong += data is not None and data != name.encode() * 100
        store.put(name, name.encode() * 100)
    queue.put(wrong)


def test_several_processes_share_it(tmp_path):
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    workers = [context.Process(target=_hammer, args=(tmp_path, seed, queue)) for seed in (1, 3, 7)]
    for w in workers:
        w.start()
    assert [queue.get(timeout=60) for _ in workers] == [0, 0, 0]
    for w in workers:
        w.join()


def test_killed_while_writing_leaves_nothing_half_written(tmp_path):
    """A real process, killed again and again while it writes."""
    code = f"""
import os
from pathlib import Path
from vr180_ofx.engine.store import DiskStore
store = DiskStore(Path({str(tmp_path)!r}), 1 << 30)
print("ready", flush=True)
for k in range(100000):
    store.put(f"key{{k:06d}}", bytes([k % 251]) * 3_000_000)
"""
    for _ in range(3):
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert child.stdout is not None and child.stdout.readline()
        time.sleep(0.25)
        child.kill()
        child.wait()
    store = DiskStore(tmp_path, 1 << 30)
    entries = sorted(tmp_path.rglob("[!.]*.entry"))
    whole = [p for p in entries if not p.name.startswith(".")]
    assert len(whole) > 3
    for path in whole:
        k = int(path.stem[3:])
        assert store.get(path.stem) == bytes([k % 251]) * 3_000_000
    # what a killed process left behind goes when it is old
    for path in tmp_path.rglob(".*"):
        os.utime(path, (1, 1))
    store.evict()
    assert not list(tmp_path.rglob(".*.part*"))


def test_a_full_disk_makes_it_forget_and_not_fail(small_disk):
    store = DiskStore(small_disk, 1 << 20)
    assert store.put("first", bytes(300_000))
    assert not store.put("abc", bytes(200_000)) and "No space left" in (store.problem or "")
    assert store.get("abc") is None and store.get("first") == bytes(300_000) and not list(small_disk.rglob("*.part*"))
    store.drop("first")
    assert store.put("abc", b"x") and store.problem is None


def test_a_folder_that_cannot_be_used(tmp_path):
    (tmp_path / "file").write_text("")
    store = DiskStore(tmp_path / "file" / "cache", 1000)
    assert store.get("abc") is None and not store.put("abc", b"x") and "cannot be written" in (store.problem or "")
