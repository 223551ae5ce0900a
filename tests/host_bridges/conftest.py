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

from benchmarks.support.ofx_host import OK, Host
from tests.host_bridges.ofx_session import build
from vr180_ofx.client import Link, announce_path
from vr180_ofx.engine.plans import look_for_plan
from vr180_ofx.media.open import open_clip
from vr180_ofx.settings import Settings

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


@contextlib.contextmanager
def a_home(folder, clip):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VR180_OFX_CACHE", str(folder / "cache"))
        patch.setenv("VR180_OFX_COMMAND", f"{sys.executable} -m vr180_ofx")
        made = Home(folder, clip)
        try:
            yield made
        finally:
            with contextlib.suppress(Exception):
                made.kill()


@pytest.fixture(scope="session")
def analysed(people_clip, tmp_path_factory):
    """A folder with the plan of the clip, as a server keeps it."""
    folder = tmp_path_factory.mktemp("analysed")
    with pytest.MonkeyPatch.context() as patch, open_clip(people_clip) as clip:
        patch.setenv("VR180_OFX_CACHE", str(folder))
        look_for_plan(clip, Settings())
    return folder


@pytest.fixture
def home(request, tmp_path, people_clip):
    """One of its own for every test; a server of those that are marked ``known`` finds the clip analysed, as after another one."""
    if request.node.get_closest_marker("known"):
        shutil.copytree(request.getfixturevalue("analysed"), tmp_path / "cache")
    with a_home(tmp_path, people_clip) as made:
        yield made


@pytest.fixture(scope="module")
def standing(tmp_path_factory, people_clip):
    """One for all tests that leave the server and the people alone."""
    with a_home(tmp_path_factory.mktemp("standing"), people_clip) as made:
        made.link = Link(str(made.clip))
        made.link.wait()
        yield made


@pytest.fixture(scope="session")
def bundle(tmp_path_factory):
    """The OpenFX plug-in."""
    return build(tmp_path_factory.mktemp("ofx"))


@pytest.fixture(scope="module")
def loaded(bundle):
    made = Host(bundle)
    assert made.load() == OK
    yield made
    assert made.unload() == OK


@pytest.fixture
def host(loaded):
    """A host that has loaded the plug-in; another one of this process may have been the last to do so."""
    assert loaded.load() == OK
    return loaded


@pytest.fixture
def effect(host):
    made = host.create()
    yield made
    assert host.destroy(made) == OK


@pytest.fixture
def shown(host, effect, standing):
    """As `linked`, with a server that is not to be harmed."""
    host.set(effect, clip=str(standing.clip))
    return effect, standing.link


@pytest.fixture
def linked(host, effect, home):
    """An instance whose clip a running server has analysed, and a link to the same."""
    link = Link(str(home.clip))
    link.wait()
    host.set(effect, clip=str(home.clip))
    return effect, link
