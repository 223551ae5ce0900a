"""Who waits for an analysis: it goes on while anybody does, and stops at once when nobody does."""

import contextlib
import itertools
import json
import shutil
import signal
import socket
import threading
import time

import pytest

from tests.conftest import DEMO
from tests.service.conftest import Live, raw
from tests.service.hanging import on_a_drive_that_hangs
from vr180_ofx.client import Link, ServerProblem, analyse_task
from vr180_ofx.service.claims import CLAIM_S, Claims

BOUND_S = 60
TURNS = itertools.count()


@pytest.fixture(scope="module")
def knobs(tmp_path_factory, people_clip):
    """A server with a short clip, and a longer one whose analysis takes seconds."""
    folder = tmp_path_factory.mktemp("knobs")
    live = Live(folder, people_clip, "--set", "service.prefetch=0", "--set", "service.max_renders=1")
    shutil.copy(DEMO, live.root / "long.mp4")
    live.start()
    yield live
    assert live.stop() == 0
    log = (folder / "log").read_text()
    assert "should not happen" not in log and "Traceback" not in log, log


@pytest.fixture
def settings():
    """Settings that nobody had before."""
    turn = next(TURNS)
    return lambda k: {"detection": {"confidence_threshold": 0.5 + 0.01 * turn + 0.001 * k}}


def opened(live, values, asker=None, name="long.mp4"):
    """The facts of a clip that is opened over a connection which is closed then. asker: by somebody with a name."""
    headers = {"Content-Type": "application/json", **({"X-Asker": asker} if asker else {})}
    status, _, body = raw(live, "POST", "/v1/clips", headers, json.dumps({"path": str(live.root / name), "settings": values}).encode())
    assert status == 200, body
    return json.loads(body)


def begun(live, path, asker):
    """A request that waits for its answer."""
    wire = socket.create_connection(("127.0.0.1", int(live.address.rsplit(":", 1)[1])))
    token = live.token_file.read_text().strip()
    wire.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nX-Asker: {asker}\r\n".encode())
    wire.sendall(b"Connection: close\r\n\r\n")
    wire.settimeout(BOUND_S)
    return wire


def ended(live, job):
    """The job when it is over."""
    end = time.monotonic() + BOUND_S
    while (facts := live.server.job(job))["state"] in ("waiting", "running") and time.monotonic() < end:
        time.sleep(0.02)
    return facts


def running(live, job):
    """Waits until the job has looked at a frame."""
    end = time.monotonic() + BOUND_S
    while not live.server.job(job)["done"] and time.monotonic() < end:
        time.sleep(0.01)


def test_an_analysis_that_was_given_up_is_cancelled_queued_or_running(knobs, settings):
    clips = [opened(knobs, settings(k), f"one-{k}") for k in range(4)]
    waiting = [begun(knobs, f"/v1/clips/{c['clip']}?wait_s=60", f"one-{k}") for k, c in enumerate(clips)]
    running(knobs, clips[0]["job"])
    states = [knobs.server.job(c["job"])["state"] for c in clips]
    assert states == ["running", *["waiting"] * 3]
    for wire in waiting[1:]:
        wire.close()
    assert [ended(knobs, c["job"])["state"] for c in clips[1:]] == ["cancelled"] * 3
    # nobody gave up the first one: had the others waited for it, it would be over now
    assert knobs.server.job(clips[0]["job"])["state"] == "running"
    waiting[0].close()
    over = ended(knobs, clips[0]["job"])
    assert over["state"] == "cancelled" and over["done"] < over["total"]
    for c in clips:
        with pytest.raises(ServerProblem, match="there is no clip") as info:
            knobs.server.request("GET", f"/v1/clips/{c['clip']}")
        assert info.value.status == 404
    # and whoever wants the same again gets it
    again = opened(knobs, settings(0), "one-more")
    assert again["clip"] == clips[0]["clip"] and again["state"] == "analysing" and again["job"] not in (None, clips[0]["job"])
    running(knobs, again["job"])


def test_others_who_wait_for_the_same_keep_it_alive(knobs, settings):
    first, second = (opened(knobs, settings(0), asker, "clip.mp4") for asker in ("two-a", "two-b"))
    assert first["job"] == second["job"]
    a, b = (begun(knobs, f"/v1/clips/{first['clip']}?wait_s=60", asker) for asker in ("two-a", "two-b"))
    running(knobs, first["job"])
    assert knobs.server.job(first["job"])["state"] == "running"
    a.close()
    with b.makefile("rb") as answer:
        head, _, body = answer.read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200") and json.loads(body)["state"] == "ready"
    assert knobs.server.job(first["job"])["state"] == "done"
    b.close()


def test_somebody_without_a_name_gets_it_to_its_end(knobs, settings):
    """As scripts do that open clips and come back later."""
    facts = opened(knobs, {}, name="clip.mp4")
    begun(knobs, f"/v1/clips/{facts['clip']}?wait_s=60", "three").close()
    assert ended(knobs, facts["job"])["state"] == "done"


def test_an_asker_says_that_they_are_gone(knobs, settings):
    facts = opened(knobs, settings(0), "four")
    assert facts["progress"][0] <= facts["progress"][1] or facts["progress"] == [0, 0]
    path = f"/v1/clips/{facts['clip']}"
    status, _, body = raw(knobs, "GET", f"{path}?wait_s=0.2", {"X-Asker": "four"})
    assert status == 200 and json.loads(body)["state"] == "analysing"
    assert raw(knobs, "DELETE", f"{path}/claim", {"X-Asker": "somebody-else"})[0] == 204
    assert knobs.server.job(facts["job"])["state"] in ("running", "waiting")
    assert raw(knobs, "DELETE", f"{path}/claim", {"X-Asker": "four"})[0] == 204
    assert ended(knobs, facts["job"])["state"] == "cancelled"
    assert raw(knobs, "GET", path, {"X-Asker": "not a name"})[0] in (404, 422)


def test_a_cancelled_analysis_is_said_and_begun_anew_by_whoever_opens_the_clip(knobs, settings):
    facts = opened(knobs, settings(0))
    knobs.server.cancel(facts["job"])
    clip = knobs.server.clips()
    state = next(c.refresh() for c in clip if c.id == facts["clip"])
    assert state["state"] == "failed" and state["error"] == "the analysis was cancelled"
    assert opened(knobs, settings(0))["job"] not in (None, facts["job"])


def test_renders_that_wait_are_bounded(knobs):
    clip = knobs.server.open(str(knobs.clip)).wait()
    jobs = [clip.start_render(str(knobs.root / f"out{k}")) for k in range(2)]
    with pytest.raises(ServerProblem, match=r"1 renders wait .* \(service.max_renders\)") as info:
        clip.start_render(str(knobs.root / "out2"))
    assert info.value.status == 503
    for job in reversed(jobs):
        with contextlib.suppress(ServerProblem):
            knobs.server.cancel(job["job"])
    assert {ended(knobs, job["job"])["state"] for job in jobs} <= {"cancelled", "done"}
    # there is room again
    assert ended(knobs, clip.start_render(str(knobs.root / "out2"), "0")["job"])["state"] == "done"
    clip.close()


def test_a_host_that_stops_its_analysis_stops_the_server_s(knobs, settings):
    link = Link(str(knobs.root / "long.mp4"), settings(0), address=knobs.address, token_file=str(knobs.token_file))
    moved = threading.Event()
    task = analyse_task(link, lambda task: moved.set() if task.done else None)
    assert moved.wait(BOUND_S)
    job = link.clip().facts["job"]
    task.cancel.cancel()
    assert task.wait(BOUND_S) and task.state == "cancelled"
    assert ended(knobs, job)["state"] == "cancelled"
    # the same link begins anew
    again = analyse_task(link)
    end = time.monotonic() + BOUND_S
    while link.clip().facts["job"] == job and time.monotonic() < end:
        time.sleep(0.02)
    number = link.clip().facts["job"]
    assert number not in (None, job)
    # whoever else used the link and leaves does not stop it for the thread that waits
    link.give_up()
    assert knobs.server.job(number)["state"] == "running"
    again.cancel.cancel()
    assert again.wait(BOUND_S) and ended(knobs, number)["state"] == "cancelled"


@pytest.mark.slow
def test_an_asker_who_died_without_a_word_is_forgotten(people_clip, tmp_path, settings):
    """Its analysis waits for its turn behind one that hangs, for longer than a claim lasts."""
    flag = tmp_path / "flag"
    live = on_a_drive_that_hangs(Live(tmp_path / "one", people_clip, "--set", "processing.decode_timeout_s=300"), flag, tmp_path)
    flag.write_text("")
    try:
        live.start()
        clips = [opened(live, settings(k), f"one-{k}", "clip.mp4") for k in range(2)]
        assert live.server.job(clips[1]["job"])["state"] == "waiting"
        assert ended(live, clips[1]["job"])["state"] == "cancelled"
        flag.unlink()
        assert ended(live, clips[0]["job"])["state"] == "cancelled"
    finally:
        live.stop(signal.SIGKILL)


def test_claims_lapse_one_by_one():
    now = [100.0]
    claims = Claims(lambda: now[0])

    def wanted_after(seconds):
        now[0] += seconds
        return claims.wanted

    assert not claims.wanted
    claims.ask("a")
    assert wanted_after(CLAIM_S - 1)
    claims.ask("b")
    assert wanted_after(2)  # by b
    claims.forget("a")
    claims.forget("nobody")
    assert wanted_after(0)
    claims.forget("b")
    assert not wanted_after(0)
    with claims.held():
        assert wanted_after(10 * CLAIM_S)
    assert not wanted_after(0)
    claims.ask_for_anybody()
    assert wanted_after(1000 * CLAIM_S)
