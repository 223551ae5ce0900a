"""Which servers run, and their end on request."""

import contextlib
import json
import os
import signal
import socket
import threading
import time

import OpenImageIO as oiio
import pytest

from tests.cli.conftest import cli
from tests.service.conftest import raw
from tests.service.strangers import Stranger
from vr180_ofx.client import Server, ServerProblem, ServerUnavailable, announce_path, connect
from vr180_ofx.service import records
from vr180_ofx.service.access import Roots
from vr180_ofx.service.attendance import Attendance
from vr180_ofx.service.jobs import Job
from vr180_ofx.service.records import Record, known_servers
from vr180_ofx.service.sessions import Sessions
from vr180_ofx.settings import Settings


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The cache folder that servers and commands of a test share."""
    monkeypatch.setenv("VR180_OFX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(records, "_ANSWER_S", 1.0)
    return tmp_path / "cache"


def at_home(make_live, cache, name):
    """A server that announces itself where clients look."""
    return make_live("--announce", str(cache / "service" / "server.json"), name=name, cache=cache)


def port(live):
    return live.address.rsplit(":", 1)[1]


def listed(capsys):
    return {s["address"]: s for s in json.loads(cli(capsys, "status", "--json")[1])["servers"]}


def test_servers_are_listed_and_ended(make_live, cache, capsys):
    assert cli(capsys, "status")[0] == 0 and cli(capsys, "serve", "--stop") == (0, "", "no frame server of yours is running\n")
    one = at_home(make_live, cache, "one")
    other = at_home(make_live, cache, "other")
    one.open()
    seen = listed(capsys)
    assert set(seen) == {one.address, other.address}
    facts = seen[one.address]
    assert facts["state"] == "running" and facts["pid"] == one.process.pid and facts["token_file"] == str(one.token_file)
    assert facts["clips"] == [{"clip": facts["clips"][0]["clip"], "path": str(one.clip), "state": "ready"}] and facts["jobs"] == []
    assert facts["idle_exit_s"] == 600 and 0 <= facts["idle_s"] < facts["uptime_s"] < 600 and facts["resident_bytes"] > 50e6
    status, _, said = cli(capsys, "status")
    assert status == 0 and str(one.process.pid) in said and str(one.clip) in said and other.token_file.read_text().strip() not in said
    # which one is to be said
    status, _, said = cli(capsys, "serve", "--stop")
    assert status == 2 and "say which one" in said and one.process.poll() is None and other.process.poll() is None
    assert connect().address == other.address
    assert cli(capsys, "serve", "--stop", port(other)) == (0, "", f"{other.address}: ended; caches are on disk\n")
    assert other.process.wait(1) == 0 and one.process.poll() is None
    # whoever looks for a server finds the one that is left
    assert connect().address == one.address
    assert cli(capsys, "serve", "--stop", f"{one.address}/")[0] == 0 and one.process.wait(1) == 0
    assert not list((cache / "service").glob("*server*")) and listed(capsys) == {}


def test_a_render_is_ended_between_two_frames(make_live, cache, capsys):
    live = at_home(make_live, cache, "one")
    clip = live.open({"output": {"compression": "none"}})
    out = live.root / "out"
    clip.start_render(str(out))
    assert cli(capsys, "serve", "--stop", "--all")[0] == 0
    assert live.process.wait(1) == 0
    # what is there is whole, and nothing else is there
    kinds = {p.name.rsplit(".", 1)[1] for p in out.iterdir()}
    assert kinds <= {"exr", "json"}, kinds
    for p in out.glob("*.exr"):
        pixels = oiio.ImageBuf(str(p)).get_pixels(oiio.FLOAT)
        assert pixels is not None and pixels.size, p
    assert "should not happen" not in (live.folder / "log").read_text()


def test_a_killed_server_is_said_once(make_live, cache, capsys):
    live = at_home(make_live, cache, "one")
    live.stop(signal.SIGKILL)
    assert len(list((cache / "service").glob("server*.json"))) == 2
    status, _, said = cli(capsys, "serve", "--stop")
    assert status == 0 and f"{live.address}: was killed (process {live.process.pid}); its record is removed" in said
    assert not list((cache / "service").glob("server*.json"))
    assert "no frame server of yours is running" in cli(capsys, "status")[2]
    status, _, said = cli(capsys, "serve", "--stop", port(live))
    assert status == 4 and f"no frame server of yours runs at {live.address}; none runs at all" in said


def test_one_that_does_not_answer_keeps_its_record(make_live, cache, capsys):
    live = at_home(make_live, cache, "one")
    live.process.send_signal(signal.SIGSTOP)
    try:
        status, _, said = cli(capsys, "status")
        assert status == 0 and f"process {live.process.pid} does not answer" in said
        assert cli(capsys, "serve", "--stop", port(live))[0] == 4
    finally:
        live.process.send_signal(signal.SIGCONT)
    assert listed(capsys)[live.address]["state"] == "running"


def test_a_stranger_at_the_place_of_a_killed_server_is_told_nothing(cache, tmp_path, capsys):
    """Neither the token nor to end: there is nobody whom the record could be about."""
    token = tmp_path / "token"
    token.write_text("a token of sixteen or more characters".replace(" ", "-"))
    service = cache / "service"
    service.mkdir(parents=True)
    with Stranger() as stranger:
        record = Record(stranger.address, str(token), 2**22 + 1, "0.2.0", 1, time.time(), socket.gethostname())
        (service / "server-1-1.json").write_text(record.note)
        announce_path().write_text(record.note)
        status, _, said = cli(capsys, "serve", "--stop", "--all")
        assert status == 0 and "was killed" in said and not list(service.glob("server*.json"))
        status, _, said = cli(capsys, "serve", "--stop", stranger.address, "--token-file", str(token))
        assert status == 4 and "The token was not sent" in said
    assert token.read_text().encode() not in stranger.heard and b"stop" not in stranger.heard


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"address": 1}', '{"address": "ftp://x", "token_file": "t", "pid": 1, "version": "1"}', "[" * 100_000,
     '{"address": "http://127.0.0.1:9", "token_file": [], "pid": "x", "version": "1"}'],
)  # fmt: skip
def test_what_is_no_record_is_left_alone(cache, text, capsys):
    path = cache / "service" / "server-9-9.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert known_servers() == [] and path.read_text() == text


def test_a_server_of_another_machine_is_not_asked_here(cache, tmp_path, capsys):
    """Homes are shared; the same port here may be somebody else's."""
    path = cache / "service" / "server-9-9.json"
    path.parent.mkdir(parents=True)
    with Stranger() as stranger:
        path.write_text(Record(stranger.address, str(tmp_path), 1, "0.2.0", 1, 0.0, "another-machine").note)
        assert "runs on another-machine" in cli(capsys, "status")[2]
    assert stranger.heard == b"" and path.exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give files away")
def test_a_record_of_another_user_is_not_believed(cache, tmp_path):
    path = cache / "service" / "server-9-9.json"
    path.parent.mkdir(parents=True)
    path.write_text(Record("http://127.0.0.1:9", str(tmp_path), 1, "0.2.0", 1, 0.0, socket.gethostname()).note)
    assert Record.read(path) is not None
    os.chown(path, 12345, -1)
    # records of root and of the user alone: here the user is root
    assert Record.read(path) is None and known_servers() == [] and path.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--all"], "--stop --all"), (["--stop", "99999"], "a port from 1 to 65535"), (["--stop", "0"], "a port from 1 to 65535"),
        (["--stop", "http://"], "http://127.0.0.1:8000"), (["--stop", "\u0663"], "a port"), (["--stop", "80", "--all"], "give one of them"),
    ],
)  # fmt: skip
def test_names_that_are_none_are_said(cache, capsys, words, said):
    status, _, err = cli(capsys, "serve", *words)
    assert status == 2 and said in err


def test_only_the_process_that_is_meant_ends(live):
    with pytest.raises(ServerProblem, match="another one") as info:
        live.server.stop(live.process.pid + 1)
    assert info.value.status == 409
    assert raw(live, "POST", "/v1/server/stop", {"Authorization": None}, b"{}")[0] == 401
    # an unknown token gets no further than the proof
    with pytest.raises(ServerUnavailable, match="does not know the token"):
        Server(live.address, "x" * 40).stop(live.process.pid)
    assert live.server.health()["status"] == "ok"


def test_asking_is_no_reason_to_stay(live):
    begin = live.server.server_facts()["idle_s"]
    end = time.monotonic() + 0.6
    while time.monotonic() < end:
        last = live.server.server_facts()["idle_s"]
    assert last > begin + 0.4


def test_only_work_that_comes_on_is_a_reason_to_stay(tmp_path):
    """A render that hangs for ever, and one that nobody's analysis waits for, against one that comes on."""
    sessions = Sessions(Settings(), Roots([tmp_path]))
    attendance = Attendance(sessions)
    go, free = threading.Event(), threading.Event()

    def hangs(progress):
        go.wait(20)
        while not free.wait(0.02):
            with contextlib.suppress(Exception):
                progress(1, 2)

    sessions.jobs.start(Job("render", "0" * 16, hangs))
    begin = attendance.idle_s
    time.sleep(0.3)
    assert attendance.idle_s > begin + 0.25
    go.set()
    time.sleep(0.2)
    assert attendance.idle_s < 0.15
    free.set()
    sessions.close()
