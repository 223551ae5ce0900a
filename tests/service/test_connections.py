"""Strangers at the port, by bytes on real sockets: they take no memory, end, and keep nobody out who has the token."""

import contextlib
import json
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import uvicorn

from tests.service.conftest import raw
from vr180_ofx.client import Server
from vr180_ofx.service import connections
from vr180_ofx.service.access import Gate

TOKEN = "t" * 43


def dial(live):
    port = live if isinstance(live, int) else int(live.address.rsplit(":", 1)[1])
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def answer(wire):
    """All that comes until the other side ends."""
    got = b""
    with contextlib.suppress(OSError):
        while data := wire.recv(65536):
            got += data
    return got


def said(live, request):
    """The answer to bytes as they are written here."""
    with dial(live) as wire:
        wire.sendall(request)
        return answer(wire)


def status(got):
    return int(got.split(b" ")[1])


def memory_mb(live):
    with open(f"/proc/{live.process.pid}/status") as stream:
        return next(int(line.split()[1]) / 1024 for line in stream if line.startswith("VmRSS"))


def descriptors(live):
    return len(os.listdir(f"/proc/{live.process.pid}/fd"))


def pour(live, head, piece, most):
    """Sends without end, or until ``most`` bytes have gone, or the other side has had enough."""
    with dial(live) as wire, contextlib.suppress(OSError):
        wire.settimeout(5)
        wire.sendall(head)
        for _ in range(most // len(piece)):
            wire.sendall(piece)


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"GET /v1/health HTTP/1.1\r\n", b"".join(b"X-%06d: %s\r\n" % (k, b"a" * 80) for k in range(700))),
        (b"GET /v1/health HTTP/1.1\r\nX: ", b"a" * 65536),
        (b"GET /", b"a" * 65536),
        (b"\r\n", b"\r\n" * 30_000),
        (b"POST /v1/clips HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ", b"a" * 65536),
        (b"POST /v1/clips HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000000\r\n\r\n", b"a" * 65536),
        (b"", b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000),
    ],
    ids=["headers", "one header", "path", "empty lines", "trailers", "body", "pipelined"],
)
def test_requests_without_end_take_no_memory(live, head, piece):
    """Three connections, 80 MB each; before there were limits, the first kind took twice as many bytes as it sent."""
    before = memory_mb(live)
    workers = [threading.Thread(target=pour, args=(live, head, piece, 80 << 20)) for _ in range(3)]
    for w in workers:
        w.start()
    peak = before
    while any(w.is_alive() for w in workers):
        peak = max(peak, memory_mb(live))
        time.sleep(0.02)
    assert peak - before < 60 and live.server.health()["status"] == "ok"


def test_what_is_too_large_or_no_request_is_said(live):
    """And what is below the limits is answered."""
    start = b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    for request, expected in [
        (start + b"X: " + b"a" * 30_000 + b"\r\n\r\n", 200),
        (start + b"X: a\r\n" * 90 + b"\r\n", 200),
        (start + b"X: " + b"a" * 40_000 + b"\r\n\r\n", 431),
        (start + b"X: a\r\n" * 101 + b"\r\n", 431),
        (b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1, 2\r\n\r\n", 400),
    ]:
        got = said(live, request)
        head, _, body = got.partition(b"\r\n\r\n")
        assert status(got) == expected, (request[:60], got[:200])
        if expected != 200:
            assert b"application/problem+json" in head and json.loads(body)["status"] == expected
    # a socket of the web's is asked for: it is a request like others
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    with dial(live) as wire:
        wire.sendall(b"GET /v1/clips HTTP/1.1\r\nHost: localhost\r\n" + upgrade)
        assert status(wire.recv(65536)) == 401


def test_bytes_that_are_no_text_are_refused(live):
    """Names that are not UTF-8 in paths, in the query and in headers, an Origin and a Host that are none: never a 5xx."""
    token = live.token_file.read_text().strip().encode()
    known = b"Authorization: Bearer " + token + b"\r\n"
    for path, headers in [
        (b"/\xff", b""), (b"/v1/clips/%ff%fe", known), (b"/v1/clips/%00", known), (b"/v1/proof?nonce=%ff", b""), (b"/v1/jobs/\xc3\xa4", known),
        (b"/v1/clips", b"Authorization: Bearer \xff\xfe\r\n"), (b"/v1/clips", b"Authorization: \xff\r\n"), (b"/v1/clips", known + b"If-Match: \xff\r\n"),
        (b"/v1/clips/0123456789abcdef/frames/1?layer=%ff&view=\xff", known + b"If-None-Match: \xff\r\n"), (b"/v1/health", b"Origin: http://[::1\r\n"),
        (b"/v1/health", b"Origin: http://\xff\r\n"), (b"/v1/health", b"Origin: http://localhost:x\r\n"), (b"/v1/health", b"Origin: \r\n"),
        (b"/v1/health", b"Host: evil.example\r\n"), (b"/v1/clips/%ed%a0%80", known), (b"http://[::1/v1/health", b""), (b"*", b""), (b"//[", known),
    ]:  # fmt: skip
        got = said(live, b"GET " + path + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + headers + b"\r\n")
        assert 400 <= status(got) < 500 or (path == b"/v1/clips" and b"If-Match" in headers), (path, headers, got[:300])
    for origin in ("http://[::1", "http://[", "http://a]b", "http://127.0.0.1:99999999"):
        assert raw(live, "GET", "/v1/health", {"Origin": origin})[0] == 403
    body = b'{"path": "/\\ud800\\udfff\\ud800", "settings": {}}'
    assert 400 <= raw(live, "POST", "/v1/clips", {"Content-Type": "application/json"}, body)[0] < 500
    assert 400 <= raw(live, "POST", "/v1/clips", {"Content-Type": "application/json"}, b'{"path": "/\xff"}')[0] < 500


def test_pipelined_requests_are_answered_in_bounds(live):
    one = b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert said(live, one * 20 + last).count(b"HTTP/1.1 200 OK") == 21
    assert said(live, one * 3000 + last).count(b"HTTP/1.1 200 OK") < 3000


def test_a_crowd_of_half_open_requests_keeps_nobody_out(live):
    """700 connections that send half a head or nothing, more while the owner asks; the oldest give way, and nothing is left of them."""
    before = descriptors(live)
    held: list[socket.socket] = []

    def come():
        wire = dial(live)
        with contextlib.suppress(OSError):
            wire.sendall((b"", b"GET /v1/heal", b"POST /v1/clips HTTP/1.1\r\nHost: loc")[len(held) % 3])
        held.append(wire)

    for _ in range(700):
        come()
    token = live.token_file.read_text().strip()
    for _ in range(20):
        come()
        owner = Server(live.address, token)
        assert owner.health()["status"] == "ok"
        owner.close()
    assert descriptors(live) <= before + connections.STRANGERS + 5
    for wire in held:
        wire.close()
    end = time.monotonic() + 20
    while descriptors(live) > before + 2 and time.monotonic() < end:
        time.sleep(0.05)
    assert descriptors(live) <= before + 2


async def small(scope, receive, send):
    """An application that reads the body and answers with its length."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(str(size)))]})
    await send({"type": "http.response.body", "body": str(size).encode()})


@pytest.fixture
def door(monkeypatch):
    """The port of a server with the gate and the connections of the service, and less patience than the service has."""
    for name, value in (("HEAD_S", 0.6), ("BODY_S", 0.6), ("ANSWER_S", 0.6), ("DRAIN_S", 0.3), ("_SWEEP_S", 0.05)):
        monkeypatch.setattr(connections, name, value)
    listening = socket.create_server(("127.0.0.1", 0))
    port = int(listening.getsockname()[1])
    crowd = connections.Crowd(strangers=8, everybody=12)
    app = Gate(small, token=TOKEN, hosts=[], per_second=1000)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none", http=crowd.protocol()))
    worker = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    worker.start()
    yield port
    server.should_exit = True
    worker.join(30)
    assert not worker.is_alive() and not crowd._strangers and not crowd._known
    listening.close()


KNOWN = f"POST /x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n".encode()


def test_half_a_request_ends(door):
    """Whatever of it has come, the connection is cut; what can be said of it is said first."""
    cases = [
        (b"", None), (b"POST /x HT", None), (b"POST /x HTTP/1.1\r\nHost: localhost\r\n", None), (KNOWN + b"Content-Length: 10\r\n\r\nhalf", None),
        (KNOWN + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhalf", None), (b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf", 401),
        (b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n", 200), (b"GARBAGE\r\n\r\n", 400),
    ]  # fmt: skip
    with ThreadPoolExecutor(len(cases)) as pool:
        answers = pool.map(lambda case: said(door, case[0]), cases)
    for (sent, expected), got in zip(cases, answers, strict=True):
        assert (status(got) if got else None) == expected, sent


@pytest.mark.parametrize(
    "head", [b"GET /v1/health HTTP/1.1\r\nX: ", b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"]
)
def test_a_byte_now_and_then_does_not_hold_it_up(door, head):
    with dial(door) as wire:
        wire.sendall(head)
        end = time.monotonic() + 20
        with pytest.raises(OSError):
            while time.monotonic() < end:
                wire.sendall(b"a")
                time.sleep(0.05)


def test_who_has_shown_the_token_may_be_slow(door):
    """Between requests, and while pieces of a body come."""
    with dial(door) as wire:
        for pause in (0.9, 0):
            wire.sendall(KNOWN + b"Content-Length: 8\r\n\r\n")
            for _ in range(4):
                time.sleep(0.25)
                wire.sendall(b"aa")
            assert wire.recv(65536).endswith(b"\r\n\r\n8")
            time.sleep(pause)


def test_the_oldest_stranger_gives_way_and_who_is_known_does_not(door):
    known = [dial(door) for _ in range(3)]
    for wire in known:
        wire.sendall(KNOWN + b"Content-Length: 0\r\n\r\n")
        assert status(wire.recv(65536)) == 200
    strangers = [dial(door) for _ in range(9)]
    assert answer(strangers[0]) == b""
    for wire in known:
        wire.sendall(KNOWN + b"Content-Length: 0\r\n\r\n")
        assert status(wire.recv(65536)) == 200
    for wire in (*known, *strangers):
        wire.close()
