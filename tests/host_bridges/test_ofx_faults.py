"""The OpenFX plug-in where things go wrong: no server, no clip, aborts, hosts that leave things out."""

import itertools
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from benchmarks.support.ofx_host import FAILED, OK, REPLY_DEFAULT, Host, Props
from tests.host_bridges.ofx_session import BUILDABLE, SOURCES, colours, deaf_port, spoiled, token_of
from tests.host_bridges.relay import Relay
from vr180_ofx import client as c

pytestmark = [*BUILDABLE, pytest.mark.known]
GENERAL = "OfxImageEffectContextGeneral"


def fails(host, effect, said):
    """Every frame is an error with a message, also the first, the last, and those before and after; and none has a matte."""
    for frame in (1, 5, 10, 0, -3, 11, 5000):
        effect.persistent.clear()
        status, out = host.render(effect, frame, colours())
        assert status == FAILED and effect.persistent[-1][0] == "OfxMessageError" and said in effect.message, (
            frame,
            effect.persistent,
        )
        assert spoiled(out), frame


@pytest.mark.parametrize("range_", [(1, 10), (0, 9)])
def test_without_a_server_every_frame_is_an_error(host, home, range_):
    effect = host.create(frames=range_)
    host.set(effect, clip=str(home.clip), start_server=0)
    fails(host, effect, "no frame server is running")
    assert host.destroy(effect) == OK


def test_without_a_clip_every_frame_is_an_error(host, shown, standing):
    effect, _ = shown
    assert host.render(effect, 5, colours())[0] == OK
    host.set(effect, clip=str(standing.folder / "absent.mp4"))
    fails(host, effect, "absent.mp4")
    dead = standing.folder / "dead.mp4"
    dead.write_bytes(standing.clip.read_bytes()[:3000])
    host.set(effect, clip=str(dead))
    fails(host, effect, "dead.mp4")
    host.set(effect, clip="")
    fails(host, effect, "Clip is empty")


def test_a_server_that_died_is_noticed_outside_of_the_clip_too(host, linked, home):
    effect, _ = linked
    assert host.render(effect, 11, colours())[0] == OK
    host.set(effect, start_server=0)
    assert host.render(effect, 11, colours())[0] == OK
    home.kill()
    fails(host, effect, "vr180-ofx serve")


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.uint16, np.uint8])
def test_a_host_that_shows_failed_pictures(host, effect, dtype):
    """MLT does not look at the status, and its output is the input or memory with anything in it."""
    for source in (colours(dtype), np.ascontiguousarray(colours(dtype)[..., 3])):
        status, out = host.render(effect, 1, source)
        assert status == FAILED and spoiled(out)
        # a tile spoils its own pixels alone
        status, out = host.render(effect, 1, source, window=(0, 0, 64, 32))
        assert spoiled(out[-32:, :64]) and (out[:-32] == 77).all() and (out[:, 64:] == 77).all()


@pytest.mark.parametrize("tells", [pytest.param(True, marks=pytest.mark.slow), False])
def test_a_server_is_started_whether_or_not_the_host_says_where_the_bundle_lies(bundle, home, monkeypatch, tmp_path, tells):
    """By what the installation has noted in the bundle."""
    monkeypatch.delenv("VR180_OFX_COMMAND")
    monkeypatch.chdir(tmp_path)
    note = bundle / "Contents" / "Resources" / "bridge.json"
    note.write_text(json.dumps({"command": [sys.executable, "-m", "vr180_ofx"], "roots": [str(home.folder)]}))
    host = Host(bundle, tells_path=tells)
    assert host.load() == OK
    effect = host.create()
    # what the host has open stays its own
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    os.set_inheritable(reading, True)
    try:
        host.set(effect, clip=str(home.clip))
        host.press(effect, "reconnect")
        assert effect.params["status"].value == "Reconnect: done"
        kept = {os.readlink(f) for f in Path(f"/proc/{home.note['pid']}/fd").iterdir()}
        assert os.readlink(f"/proc/self/fd/{writing}") not in kept
    finally:
        os.close(reading)
        os.close(writing)
        note.unlink()
        assert host.destroy(effect) == OK


@pytest.mark.parametrize("words", ["/nowhere/vr180-ofx", "vr180-ofx-that-is-not-there"])
def test_a_program_that_is_not_there_is_told_at_once(host, effect, home, monkeypatch, words):
    monkeypatch.setenv("VR180_OFX_COMMAND", words)
    looks = itertools.count()
    effect.abort = lambda: next(looks) < 0
    host.set(effect, clip=str(home.clip))
    assert host.render(effect, 1, colours())[0] == FAILED and f"{words} cannot be started" in effect.message
    assert next(looks) < 50


def test_a_start_that_failed_is_not_waited_for_at_each_frame(host, effect, home, monkeypatch, tmp_path):
    """But it is tried again when somebody has changed something."""
    started = tmp_path / "started"
    started.write_text("")
    script = tmp_path / "server"
    script.write_text(f"#!/bin/sh\necho once >> {started}\nexec sleep 5\n")
    script.chmod(0o755)
    monkeypatch.setenv("VR180_OFX_COMMAND", str(script))
    monkeypatch.setenv("VR180_OFX_TIMEOUT_S", "1")
    host.set(effect, clip=str(home.clip))
    for frame in range(1, 6):
        assert host.render(effect, frame, colours())[0] == FAILED and "did not answer within 1 s" in effect.message
    assert started.read_text() == "once\n"
    host.press(effect, "reconnect")
    assert started.read_text() == "once\n" * 2 and "did not answer within 1 s" in effect.params["status"].value


def test_a_dialog_is_not_shown_for_each_frame(bundle, home):
    """Where messages cannot stay (Flame before 2027), each is a dialog."""
    host = Host(bundle, unset=[("OfxMessageSuite", 1)])
    assert host.load() == OK
    effect = host.create()
    host.set(effect, clip=str(home.clip), start_server=0)
    for frame in (1, 2, 3):
        assert host.render(effect, frame, colours())[0] == FAILED
    assert [text for _, text in effect.said] == ["no frame server is running; start one with: vr180-ofx serve"]
    host.set(effect, clip="")
    assert host.render(effect, 1, colours())[0] == FAILED and len(effect.said) == 2
    assert host.destroy(effect) == OK


def test_one_picture_for_all_instances(host, home):
    """MLT makes an instance for each frame, Resolve one for each eye and page: they share the open clip and what was fetched."""
    c.find_or_start().open(str(home.clip)).wait()
    base = host.create()
    with Relay(home) as relay:
        pictures = []
        for _ in range(3):
            effect = host.create()
            host.set(effect, clip=str(home.clip))
            status, out = host.render(effect, 3, colours())
            assert status == OK, effect.persistent
            pictures.append(out)
            assert host.destroy(effect) == OK
        assert all(np.array_equal(p, pictures[0]) for p in pictures)
        assert [asked.split()[0] for asked, _ in relay.seen].count("POST") == 1
        assert [answered.split()[1] for asked, answered in relay.seen if "/frames/" in asked] == ["200", "304", "304"]
    assert host.destroy(base) == OK


@pytest.mark.slow
def test_a_server_that_dies_under_the_first_question_is_started_again(host, effect, home):
    c.find_or_start()
    with Relay(home) as relay:
        relay.kill_after(20, b"POST /v1/clips")
        host.set(effect, clip=str(home.clip))
        status, out = host.render(effect, 3, colours())
        assert relay.killed and home.note["pid"] not in relay.killed
    assert status == OK and out[..., 3].any(), effect.persistent


def test_buttons_raise_the_revision(host, linked):
    """A hidden parameter: hosts with caches see that what they keep is not right any more."""
    effect, _ = linked
    hidden = host.describe().params["revision"].props
    assert hidden.get("OfxParamPropSecret") == 1 and hidden.get("OfxParamPropEvaluateOnChange", 1) == 1
    seen = [effect.params["revision"].value]
    host.render(effect, 3, colours())
    for name in ("analyse", "forget_corrections", "clear_cache", "reconnect"):
        host.press(effect, name)
        seen.append(effect.params["revision"].value)
    assert seen == [0, 1, 2, 3, 4]


def test_the_general_context_without_an_input_never_waits(host, home, tmp_path):
    """Hosts ask for the region while they build their interface: without a server that answers at once there is none, and none is started."""
    effect = host.create(GENERAL, connected=False)
    looks = itertools.count()
    effect.abort = lambda: next(looks) < 0
    with deaf_port() as deaf:
        for address in ("", f"http://127.0.0.1:{deaf.getsockname()[1]}"):
            host.set(effect, clip=str(home.clip), address=address, token_file=token_of(tmp_path) if address else "")
            for _ in range(50):
                answers = Props()
                assert host.call("OfxImageEffectActionGetRegionOfDefinition", effect, Props(OfxPropTime=1.0), answers) == REPLY_DEFAULT
                assert host.call("OfxImageEffectActionGetTimeDomain", effect, Props(), answers) == REPLY_DEFAULT and not answers.values
    assert not c.announce_path().exists()
    # once there is a server, it is seen
    host.set(effect, address="", token_file="")
    c.find_or_start().open(str(home.clip)).wait()
    host.set(effect, view=0)
    assert host.call("OfxImageEffectActionGetRegionOfDefinition", effect, Props(OfxPropTime=1.0), answers) == OK
    assert answers.values["OfxImageEffectPropRegionOfDefinition"] == [0, 0, 1024, 512]
    assert host.destroy(effect) == OK


@pytest.mark.parametrize("parts", [0, 1, 1 << 30])
def test_threads_of_the_host_that_fail(host, shown, parts):
    """kOfxStatErrExists where threads are nested, or after a part: the whole is made, and nothing is mixed twice."""
    effect, _ = shown
    host.set(effect, mix=0.5)
    before = host.render(effect, 5, colours())[1]
    host.thread_status, host.thread_parts = 6, parts
    status, out = host.render(effect, 5, colours())
    host.thread_status, host.thread_parts = OK, 1 << 30
    assert status == OK and np.array_equal(out, before) and out[..., 3].any()


NEEDED = [
    *[("OfxPropertySuite", n) for n in (0, 1, 2, 3, 6, 8, 9, 10, 11)],
    *[("OfxImageEffectSuite", n) for n in range(9)],
    *[("OfxParameterSuite", n) for n in (0, 1, 5, 8)],
]


def test_suites_that_lack_what_is_needed(bundle):
    """The host is told so when it loads the plug-in: nothing is called that is no function."""
    for lack in NEEDED:
        assert Host(bundle, unset=[lack]).load() == 4, lack
    for name in ("OfxPropertySuite", "OfxImageEffectSuite", "OfxParameterSuite"):
        assert Host(bundle, [name]).load() == 4, name


def test_suites_that_lack_what_is_not(bundle, standing):
    """Of messages, progress, threads and views, a host may leave out each function by itself."""
    views = "uk.co.thefoundry.FnOfxImageEffectPlaneSuite"
    lacks = [("OfxMessageSuite", n) for n in range(3)] + [("OfxProgressSuite", n) for n in range(3)]
    for lack in (*lacks, ("OfxMultiThreadSuite", 0), ("OfxMultiThreadSuite", 1), (views, 2), (views, 3)):
        host = Host(bundle, unset=[lack])
        assert host.load() == OK, lack
        effect = host.create()
        host.set(effect, clip=str(standing.clip))
        assert host.render(effect, 5, colours(), view=0)[0] == OK
        host.press(effect, "analyse")
        assert effect.params["status"].value == "Analyse: done"
        host.set(effect, layer="nobody")
        assert host.render(effect, 5, colours(), view=0)[0] == FAILED
        assert host.destroy(effect) == OK


def test_loading_again_while_it_renders(host, shown, standing):
    """MLT loads and describes the plug-in for each frame, from several threads."""
    effect, _ = shown
    _, before = host.render(effect, 5, colours())
    ends, statuses = threading.Event(), []

    def again():
        while not ends.is_set():
            statuses.append(host.load())
            host.describe()

    threads = [threading.Thread(target=again) for _ in range(2)]
    for t in threads:
        t.start()
    outs = [host.render(effect, 5, colours()) for _ in range(10)]
    ends.set()
    for t in threads:
        t.join()
    assert set(statuses) == {OK} and all(s == OK and np.array_equal(o, before) for s, o in outs)


def test_where_the_bundle_keeps_its_library(tmp_path):
    """The folders that hosts look in: `Linux-` and what `uname -m` says, and one library for both kinds of Mac."""
    options = ["-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_SYSTEM_PROCESSOR=aarch64"]
    for command in (["cmake", "-S", str(SOURCES), "-B", str(tmp_path), *options], ["cmake", "--build", str(tmp_path), "--target", "help"]):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    made = [p for p in tmp_path.rglob("*") if p.is_file() and "Linux-aarch64" in p.read_text(errors="ignore")]
    assert made and not [p for p in tmp_path.rglob("*") if p.is_file() and "Linux-arm64" in p.read_text(errors="ignore")]
    assert "CMAKE_OSX_ARCHITECTURES:STRING=arm64;x86_64" in (tmp_path / "CMakeCache.txt").read_text()
