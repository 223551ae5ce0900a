"""What bridges are tested with: a real server of their own, found or started as a host does it."""

import contextlib
import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

from vr180_ofx.client import announce_path

ROOT = Path(__file__).resolve().parents[2]


class Home:
    """A user's cache folder in which a bridge starts its server."""

    def __init__(self, folder, clip):
        self.folder = folder
        self.clip = folder / "clip.mp4"
        shutil.copy(clip, self.clip)

    @property
    def note(self):
        return json.loads(announce_path().read_text())

    def kill(self, sig=signal.SIGKILL):
        """Ends the server that is announced, and waits until it is gone."""
        pid = self.note["pid"]
        os.kill(pid, sig)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                os.waitpid(pid, os.WNOHANG)
                os.kill(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, 0)
                    time.sleep(0.05)
                    continue
                return pid
            time.sleep(0.05)
        raise AssertionError("the server does not end")


@pytest.fixture
def home(tmp_path, people_clip, monkeypatch):
    monkeypatch.setenv("VR180_OFX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("VR180_OFX_COMMAND", f"{sys.executable} -m vr180_ofx")
    made = Home(tmp_path, people_clip)
    yield made
    with contextlib.suppress(Exception):
        made.kill()
