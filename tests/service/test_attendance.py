"""What is a reason for a server to stay, and what is none."""

import contextlib
import json
import signal
import threading
import time

import pytest

from tests.service.conftest import Live, raw
from tests.service.hanging import on_a_drive_that_hangs
from vr180_ofx.client import ServerProblem, ServerUnavailable

#: Of a minute: three seconds.
IDLE = ("--idle-exit", "0.05")


@pytest.fixture
def hanging(people_clip, tmp_path):
    """A server that ends when it is idle, on a drive that hangs."""
    flag, folder = tmp_path / "flag", tmp_path / "one"
    folder.mkdir()
    live = on_a_drive_that_hangs(Live(folder, people_clip, *IDLE), flag, tmp_path)
    flag.write_text("")
    yield live.start()
    live.stop(signal.SIGKILL)


@pytest.mark.slow
def test_neither_a_job_that_hangs_nor_questions_for_health_keep_a_server(hanging):
    live = hanging
    body = json.dumps({"path": str(live.clip)}).encode()
    facts = json.loads(raw(live, "POST", "/v1/clips", {"Content-Type": "application/json"}, body)[2])
    listening = threading.Thread(target=listen, args=(live, facts["job"]), daemon=True)
    listening.start()
    end = time.monotonic() + 60
    while live.process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(ServerUnavailable):
            live.server.health()
        time.sleep(0.2)
    assert live.process.poll() == 0


def listen(live, job):
    """Until the server is gone."""
    with contextlib.suppress(ServerUnavailable):
        list(live.server.follow(job))


@pytest.mark.slow
def test_whoever_waits_keeps_it(hanging):
    """For longer than it stays idle: a request that waits for an analysis, and then a frame."""
    live = hanging
    facts = json.loads(
        raw(live, "POST", "/v1/clips", {"Content-Type": "application/json"}, json.dumps({"path": str(live.clip)}).encode())[2]
    )
    status, _, body = raw(live, "GET", f"/v1/clips/{facts['clip']}?wait_s=8")
    assert status == 200 and json.loads(body)["state"] == "analysing" and live.process.poll() is None
    (live.folder.parent / "flag").unlink()
    with pytest.raises(ServerProblem):
        live.server.request("GET", f"/v1/clips/{facts['clip']}/frames/99")
    assert live.process.wait(60) == 0
