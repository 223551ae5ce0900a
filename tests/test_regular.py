"""Files, and what only looks like one."""

import os
import socket

import pytest

from vr180_ofx.errors import DocumentError
from vr180_ofx.regular import read_regular


def test_a_file_is_read_to_the_byte(tmp_path):
    (tmp_path / "f").write_bytes(bytes(range(256)) * 10)
    assert read_regular(tmp_path / "f", 2560) == bytes(range(256)) * 10
    with pytest.raises(DocumentError, match="has 2560 bytes; at most 2559 are read"):
        read_regular(tmp_path / "f", 2559)


def test_a_file_that_does_not_say_its_size_is_read_whole(tmp_path):
    from pathlib import Path

    if not Path("/proc/cpuinfo").exists():
        pytest.skip("there is no /proc here")
    assert len(read_regular(Path("/proc/cpuinfo"), 1 << 24)) > 100
    with pytest.raises(DocumentError, match="more than 50 bytes"):
        read_regular(Path("/proc/cpuinfo"), 50)


@pytest.mark.skipif(os.name != "posix", reason="pipes and sockets do not lie among files here")
@pytest.mark.timeout(30)
def test_what_is_no_file_is_never_waited_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the names of sockets are short
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind("socket")
        for name, kind in (("pipe", "pipe"), (".", "folder"), ("/dev/zero", "device")):
            with pytest.raises(DocumentError, match=f"is a {kind}, not a file"):
                read_regular(tmp_path / name, 100)
        with pytest.raises((DocumentError, OSError)):
            read_regular(tmp_path / "socket", 100)
    with pytest.raises(DocumentError, match="no name"):
        read_regular(tmp_path / "a\0b", 100)
    (tmp_path / "f").write_bytes(b"x")
    (tmp_path / "link").symlink_to("f")
    assert read_regular(tmp_path / "link", 100) == b"x"
    with pytest.raises(OSError):
        read_regular(tmp_path / "link", 100, follow=False)
