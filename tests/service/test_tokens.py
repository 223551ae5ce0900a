"""The file with the token: whole or absent, for its user alone, and another one for every server."""

import contextlib
import os
import re
import signal
import stat
import subprocess
import sys

import pytest

from vr180_ofx.cli.main import main
from vr180_ofx.client import connect
from vr180_ofx.errors import SettingsError
from vr180_ofx.service.tokens import read_or_make_token, token_for, write_private


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The user's cache folder."""
    monkeypatch.setenv("VR180_OFX_CACHE", str(tmp_path))
    return tmp_path / "service"


def started(code, *words):
    """A Python process that has said one line, and waits for another."""
    child = subprocess.Popen([sys.executable, "-c", code, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == "\n"
    return child


def tokens(cache):
    return sorted(p.name for p in cache.glob("*token*") if p.name != ".token.lock")


def test_every_server_has_a_token_of_its_own_that_ends_with_it(cache):
    with token_for(None, 5001) as (one, path), token_for(None, 5002) as (other, _), token_for(None, 5001) as (third, third_path):
        assert path == cache / "token-5001" and path.read_text().strip() == one and stat.S_IMODE(path.stat().st_mode) == 0o600
        # the same port of another address of this machine
        assert third_path != path and third_path.read_text().strip() == third
        assert len({one, other, third}) == 3 and min(map(len, (one, other, third))) >= 43
        assert len(tokens(cache)) == 3
    assert tokens(cache) == []
    with token_for(None, 5001) as (again, _):
        assert again != one


def test_tokens_of_killed_servers_are_removed_and_those_of_live_ones_are_not(cache):
    code = "import sys\nfrom vr180_ofx.service.tokens import token_for\nwith token_for(None, int(sys.argv[1])): print(flush=True); input()"
    children = [started(code, port) for port in ("5003", "5004")]
    assert tokens(cache) == ["token-5003", "token-5004"]
    children[0].kill()
    children[0].wait()
    with token_for(None, 5005):
        assert tokens(cache) == ["token-5004", "token-5005"]
    children[1].communicate("\n", timeout=20)
    assert tokens(cache) == []


def test_several_servers_start_at_once_with_one_new_file(tmp_path):
    """Six processes, as close together as they can: all have the same token, which is the file's."""
    code = """
import sys, time
from pathlib import Path
from vr180_ofx.service.tokens import read_or_make_token
print(flush=True)
input()
for turn in range(20):
    print(read_or_make_token(Path(sys.argv[1]) / f"token{turn}"), flush=True)
"""
    children = [started(code, str(tmp_path)) for _ in range(6)]
    for child in children:
        print(file=child.stdin, flush=True)
    said = [child.communicate(timeout=60)[0].split() for child in children]
    assert all(child.returncode == 0 for child in children)
    for turn, got in enumerate(zip(*said, strict=True)):
        assert set(got) == {(tmp_path / f"token{turn}").read_text().strip()}
    assert len(list(tmp_path.iterdir())) == 20


def test_an_empty_file_gets_a_token(tmp_path):
    """As a full disk left it."""
    path = tmp_path / "token"
    path.touch(0o600)
    token = read_or_make_token(path)
    assert len(token) >= 43 and path.read_text().strip() == token == read_or_make_token(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_full_disk_leaves_no_file(small_disk):
    with contextlib.suppress(OSError), open(small_disk / "filler", "wb", buffering=0) as stream:
        while True:
            stream.write(b"x" * 4096)
    for make in (lambda: read_or_make_token(small_disk / "token"), lambda: write_private(small_disk / "server.json", "{}")):
        with pytest.raises(OSError, match="No space left"):
            make()
    assert [p.name for p in small_disk.iterdir()] == ["filler"]
    (small_disk / "filler").unlink()
    assert len(read_or_make_token(small_disk / "token")) >= 43


def test_what_is_no_token_file_is_said(tmp_path):
    path = tmp_path / "token"
    os.mkfifo(path)
    with pytest.raises(SettingsError, match="is not a file"):
        read_or_make_token(path)
    path.unlink()
    target = tmp_path / "target"
    path.symlink_to(target)
    with pytest.raises(SettingsError, match="is a link"):
        read_or_make_token(path)
    assert not target.exists()
    path.unlink()
    path.write_text("first line of sixteen and more\nsecond")
    path.chmod(0o600)
    with pytest.raises(SettingsError, match="holds no token") as info:
        read_or_make_token(path)
    assert "second" not in str(info.value)
    path.chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600"):
        read_or_make_token(path)
    if os.geteuid() == 0:
        path.chmod(0o600)
        os.chown(path, 12345, 12345)
        assert main(["serve", "--token-file", str(path), "--root", str(tmp_path)]) == 2


def test_a_new_token_with_every_start_also_after_a_kill(cache, tmp_path):
    """Started as a user does it, without naming a file: found by its announcement, by its address, and not by yesterday's token."""

    def start():
        command = [sys.executable, "-m", "vr180_ofx", "serve", "--root", str(tmp_path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert process.stdout is not None
        address, file = process.stdout.readline().strip(), process.stdout.readline().strip().partition("token file: ")[2]
        with open(file) as stream:
            return process, address, file, stream.read().strip()

    one, address, file, token = start()
    assert re.fullmatch(r".*/service/token-\d+", file) and file.endswith(address.rpartition(":")[2])
    assert connect().address == address
    one.send_signal(signal.SIGKILL)
    one.wait()
    assert os.path.exists(file)
    two, second, _, new = start()
    try:
        assert new != token and connect().address == second
        assert not os.path.exists(file) or second == address
    finally:
        two.send_signal(signal.SIGTERM)
        assert two.wait(60) == 0
        two.stdout.close()
        one.stdout.close()
    assert tokens(cache) == [] and not (cache / "server.json").exists()
