"""The OpenFX plug-in where somebody has lost patience: renders that are aborted, buttons that are cancelled, here and on the server."""

import itertools
import json
import socket
import threading
import time

import pytest

from benchmarks.support.ofx_host import FAILED, OK
from tests.host_bridges.ofx_session import BUILDABLE, colours, deaf_port, token_of
from tests.host_bridges.wrong_server import Wrong, serving
from vr180_ofx import client as c

pytestmark = BUILDABLE


class Analysing(Wrong):
    """A server whose analysis never gets on: its length is not known yet."""

    mode = "analysing"

    def answer(self):
        if self.path.startswith("/v1/proof"):
            super().answer()
            return
        body = {"status": "ok", "name": "vr180-ofx", "version": "1", "api": 1}
        if self.path != "/v1/health":
            body = {"clip": "0123456789abcdef", "frames": 10, "views": ["left", "right"], "eye_size": [512, 512],
                    "frame_size": [1024, 512], "state": "analysing", "job": "1" * 16, "progress": [0, 0], "detail": "is being analysed"}  # fmt: skip
        text = json.dumps(body).encode()
        self.send_response(409 if "/frames/" in self.path else 200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
        self.close_connection = True


@pytest.mark.parametrize("phase", ["nothing is known of the analysis", "the server does not answer", "nobody takes the connection"])
def test_a_button_can_be_cancelled(host, effect, home, tmp_path, phase):
    """The host says so when its bar is moved, so it is asked all the time."""
    held = []
    if phase == "nobody takes the connection":
        deaf = socket.create_server(("127.0.0.1", 0), backlog=0)
        held = [socket.socket() for _ in range(4)]
        for s in held:
            s.setblocking(False)
            s.connect_ex(deaf.getsockname())
    else:
        deaf = deaf_port()
    with deaf, serving(Analysing) as port:
        if phase != "nothing is known of the analysis":
            port = deaf.getsockname()[1]
        host.set(effect, clip=str(home.clip), address=f"http://127.0.0.1:{port}", token_file=token_of(tmp_path))
        effect.progress = Cancelling(3)
        host.press(effect, "analyse")
        # three looks and the one that says no, and none after it
        assert [p for p in effect.progress if isinstance(p, float)] == [0.0] * 4 and effect.progress[-1] == "end"
        assert effect.params["status"].value == "cancelled" and not effect.said
    for s in held:
        s.close()


class Cancelling(list[object]):
    """A bar that somebody cancels after so many moves."""

    def __init__(self, moves):
        super().__init__()
        self.moves = moves

    def cancelled(self):
        return sum(isinstance(x, float) for x in self) > self.moves


@pytest.mark.parametrize("phase", ["connecting", "opening", "analysing"])
def test_a_render_can_be_aborted_in_each_phase(host, effect, home, tmp_path, phase):
    """It ends with the next look that says so."""
    held = []
    deaf = socket.create_server(("127.0.0.1", 0), backlog=0 if phase == "connecting" else 8)
    if phase == "connecting":
        held = [socket.socket() for _ in range(4)]
        for s in held:
            s.setblocking(False)
            s.connect_ex(deaf.getsockname())
    with deaf, serving(Analysing) as port:
        port = port if phase == "analysing" else deaf.getsockname()[1]
        host.set(effect, clip=str(home.clip), address=f"http://127.0.0.1:{port}", token_file=token_of(tmp_path))
        looks = itertools.count(1)
        effect.abort = lambda: next(looks) >= 30
        assert host.render(effect, 1, colours())[0] == FAILED
        assert next(looks) <= 33 and not [p for p in effect.persistent if p and p[0] == "OfxMessageError"]
        effect.abort = lambda: False
    for s in held:
        s.close()


def unended(server):
    return [job for job in server.jobs() if job["state"] in ("waiting", "running")]


class CancelledOnceItWorks(Cancelling):
    """A bar that somebody cancels when the server has begun with it."""

    def __init__(self, server):
        super().__init__(0)
        self.server = server

    def cancelled(self):
        return bool(unended(self.server))


def until(condition, patience_s=30):
    """The bound is against hanging."""
    end = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.slow
def test_what_was_aborted_is_given_up_on_the_server(host, effect, home):
    """Settings that are changed again and again: each change is another analysis, and none of them is waited for any more."""
    server = c.find_or_start()
    host.set(effect, clip=str(home.clip))
    for number in range(3):
        host.set(effect, detect_every=2 + number)
        looks = itertools.count()
        effect.abort = lambda looks=looks: next(looks) > 30
        assert host.render(effect, 5, colours())[0] == FAILED
    effect.abort = lambda: False
    # the last one may have begun, and is kept a while for a host that comes back; those before are not
    until(lambda: len(unended(server)) <= 1, 10)
    host.set(effect, detect_every=8)
    assert host.render(effect, 5, colours())[0] == OK, effect.persistent
    until(lambda: not unended(server), 10)
    states = [job["state"] for job in server.jobs() if job["kind"] == "analyse"]
    assert states[-1] == "done" and "cancelled" in states, states


def test_a_cancelled_button_is_given_up_on_the_server(host, effect, home):
    server = c.find_or_start()
    host.set(effect, clip=str(home.clip), folder=str(home.folder / "renders"))
    for number, button in enumerate(("analyse", "render")):
        host.set(effect, detect_every=2 + number)
        effect.progress = CancelledOnceItWorks(server)
        host.press(effect, button)
        assert effect.params["status"].value == "cancelled"
        until(lambda: not unended(server))
    assert [job["state"] for job in server.jobs()] == ["cancelled"] * 2


@pytest.mark.slow
def test_an_instance_that_ends_gives_its_analysis_up(host, home):
    """And one that another instance waits for goes on."""
    server = c.find_or_start()
    gone, stays = host.create(), host.create()
    for effect in (gone, stays):
        host.set(effect, clip=str(home.clip))
    picture: list[object] = []
    waits = threading.Thread(target=lambda: picture.extend(host.render(stays, 5, colours())))
    looks = itertools.count()
    gone.abort = lambda: next(looks) > 10
    waits.start()
    until(lambda: stays.message.startswith("finding the people"))
    assert host.render(gone, 5, colours())[0] == FAILED
    assert host.destroy(gone) == OK
    waits.join()
    assert picture[0] == OK and [job["state"] for job in server.jobs()] == ["done"]
    assert host.destroy(stays) == OK
