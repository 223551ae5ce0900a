"""A real server process, as a user starts it."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from vr180_ofx.client import connect
from vr180_ofx.engine.plans import analyse
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.media.open import open_clip


class Live:
    """A server process with its own folder, cache and token."""

    def __init__(self, folder, clip, *words, cache=None, root=None):
        self.folder = folder
        self.root = root or folder / "root"
        self.root.mkdir(parents=True, exist_ok=True)
        self.clip = self.root / "clip.mp4"
        if clip is not None and not self.clip.exists():
            shutil.copy(clip, self.clip)
        self.cache = cache or folder / "cache"
        self.env = {**os.environ, "VR180_OFX_CACHE": str(self.cache)}
        self.token_file = folder / "token"
        self.words = words
        self.process: subprocess.Popen[str] | None = None

    def start(self):
        command = [sys.executable, "-m", "vr180_ofx", "serve", "--root", str(self.root), "--token-file", str(self.token_file),
                   "--announce", str(self.folder / "server.json"), "--idle-exit", "10", *self.words]  # fmt: skip
        self.log = open(self.folder / "log", "a")  # noqa: SIM115 - open as long as the process
        self.process = subprocess.Popen(command, env=self.env, stdout=subprocess.PIPE, stderr=self.log, text=True)
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        assert self.address.startswith("http://127.0.0.1:"), (self.folder / "log").read_text()
        end = time.monotonic() + 60
        while True:
            with contextlib.suppress(Exception):
                self.server = connect(self.address, str(self.token_file), 120)
                return self
            assert time.monotonic() < end and self.process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.1)

    def open(self, settings=None):
        return self.server.open(str(self.clip), settings).wait()

    def stop(self, sig=signal.SIGTERM, timeout=60):
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process else None
        self.process.send_signal(sig)
        status = self.process.wait(timeout)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.log.close()
        return status

    @property
    def note(self):
        return json.loads((self.folder / "server.json").read_text())


@pytest.fixture
def make_live(tmp_path, people_clip):
    """Starts servers; they are ended after the test."""
    made = []

    def make(*words, name="one", **kw):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        made.append(Live(folder, people_clip, *words, **kw).start())
        return made[-1]

    yield make
    for live in made:
        live.stop(signal.SIGKILL)


@pytest.fixture(scope="package")
def live(tmp_path_factory, people_clip):
    """One server for all tests that leave it as it was."""
    one = Live(tmp_path_factory.mktemp("live"), people_clip, "--set", "service.prefetch=0").start()
    yield one
    assert one.stop() == 0
    log = (one.folder / "log").read_text()
    assert "should not happen" not in log and "Traceback" not in log, log


@pytest.fixture(scope="package")
def reference(people_clip):
    """What the engine makes of the clip in this process."""
    with open_clip(people_clip) as clip:
        plan = analyse(clip)
        with FrameServer(clip, plan) as server:
            return [server.request(n).result() for n in range(len(clip))]


@pytest.fixture
def clip(live):
    """The clip that is open there; corrections are forgotten after the test."""
    made = live.open()
    yield made
    if made.refresh()["corrected"]:
        made.forget_corrections()


def raw(live, method, path, headers=None, body=None):
    """(status, headers, body) of a request as it is written here. headers: None leaves one out."""
    connection = http.client.HTTPConnection("127.0.0.1", int(live.address.rsplit(":", 1)[1]), timeout=60)
    token = live.token_file.read_text().strip()
    connection.putrequest(method, path, skip_host="host" in {k.lower() for k in headers or {}})
    sent = {"Authorization": f"Bearer {token}", **({"Content-Length": str(len(body))} if body is not None else {}), **(headers or {})}
    for k, v in sent.items():
        if v is not None:
            connection.putheader(k, v)
    connection.endheaders(body)
    response = connection.getresponse()
    data = response.read()
    connection.close()
    return response.status, dict(response.getheaders()), data
