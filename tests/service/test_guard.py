"""The server shows who it is before anybody tells it a secret."""

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

import pytest

import vr180_ofx.client
from tests.service.conftest import raw
from tests.service.strangers import Stranger, passing_on
from vr180_ofx.client import Server, ServerUnavailable, connect

NONCE = "0123456789abcdef" * 4


def hmac_sha256(key: bytes, text: bytes) -> str:
    """RFC 2104, section 2, word for word, for keys of at most 64 bytes."""
    key = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(k ^ 0x36 for k in key) + text).digest()
    return hashlib.sha256(bytes(k ^ 0x5C for k in key) + inner).hexdigest()


@pytest.fixture
def token(live):
    return live.token_file.read_text().strip()


@pytest.fixture
def port(live):
    return int(live.address.rsplit(":", 1)[1])


def test_the_proof_is_an_hmac_of_nonce_host_and_port(live, token, port):
    status, _, body = raw(live, "GET", f"/v1/proof?nonce={NONCE}", {"Authorization": None})
    said = f"vr180-ofx server proof 1\n{NONCE}\n127.0.0.1\n{port}\n".encode()
    assert status == 200 and json.loads(body) == {"proof": hmac_sha256(token.encode(), said)}
    assert token not in body.decode()
    other = json.loads(raw(live, "GET", f"/v1/proof?nonce={NONCE[::-1]}", {"Authorization": None})[2])
    assert other != json.loads(body)


@pytest.mark.parametrize("nonce", ["", "ab", NONCE.upper(), NONCE + "0", NONCE[:-1] + "%0a", "%ff" * 64])
def test_other_questions_are_not_answered(live, nonce):
    assert raw(live, "GET", f"/v1/proof?nonce={nonce}", {"Authorization": None})[0] == 422


def test_it_proves_itself_for_its_own_address_alone(live, port):
    for host, status in [
        (f"127.0.0.1:{port}", 200), (f"LOCALHOST:{port}", 200), (f"127.0.0.1:{port % 60000 + 1}", 421), ("127.0.0.1", 421),
        (f"[::1]:{port}", 421), (f"evil.example:{port}", 421),
    ]:  # fmt: skip
        assert raw(live, "GET", f"/v1/proof?nonce={NONCE}", {"Host": host})[0] == status, host


def test_strangers_at_the_port_get_no_token(live, token, port):
    """Whatever they answer: nothing, made-up proofs, an old one, or that of the live server, as it is and with another Host."""
    old = json.loads(raw(live, "GET", f"/v1/proof?nonce={NONCE}")[2])
    kinds = {
        "knows no proofs": (lambda request: (404, {"detail": "Not Found"}), "does not prove that it is the server"),
        "an older server": (lambda request: (401, {"detail": "a bearer token is needed"}), "older version"),
        "made up": (lambda request: (200, {"proof": "0" * 64}), "does not know the token"),
        "an old one": (lambda request: (200, old), "does not know the token"),
        "the question": (lambda request: (200, {"proof": request.decode().partition("nonce=")[2][:64]}), "does not know the token"),
        "no text": (lambda request: (200, {"proof": None}), "does not"),
        "no document": (lambda request: (200, [[[]]]), "does not prove"),
        "passed on": (passing_on(port), "proves itself for no other"),
        "passed on with the server's name": (passing_on(port, f"127.0.0.1:{port}".encode()), "does not know the token"),
    }
    for kind, (proves, said) in kinds.items():
        with Stranger(proves=proves) as stranger:
            with pytest.raises(ServerUnavailable, match=said) as info:
                connect(stranger.address, str(live.token_file))
            for ask in (
                lambda at=stranger: Server(at.address, token).clips(),
                lambda at=stranger: list(Server(at.address, token).follow("a")),
            ):
                with pytest.raises(ServerUnavailable):
                    ask()
            assert stranger.heard and token.encode() not in stranger.heard and b"uthorization" not in stranger.heard, kind
            assert token not in str(info.value)


def test_a_stranger_who_takes_the_port_between_two_requests_gets_no_token(make_live):
    """Also over the client that has been talking to the server; and the next server has another token."""
    live = make_live()
    token, port = live.token_file.read_text().strip(), int(live.address.rsplit(":", 1)[1])
    assert live.server.health()["status"] == "ok"
    live.stop(signal.SIGKILL)
    assert (live.folder / "server.json").exists()
    with Stranger(port) as stranger:
        for ask in (live.server.clips, lambda: connect(live.address, str(live.token_file))):
            with pytest.raises(ServerUnavailable, match="The token was not sent"):
                ask()
        assert stranger.heard and token.encode() not in stranger.heard


def test_somebody_who_says_nothing_is_given_up(monkeypatch, live):
    """Also one who sends a byte now and then, which no timeout of single reads would end."""
    monkeypatch.setattr("vr180_ofx.client._PROOF_S", 0.5)
    deaf = socket.create_server(("127.0.0.1", 0))
    with pytest.raises(ServerUnavailable, match="does not answer"):
        connect(f"http://127.0.0.1:{deaf.getsockname()[1]}", str(live.token_file))
    deaf.close()


def test_every_connection_is_proved(live, token, port):
    """The client's own requests, as the server's network sees them: a question for a proof first, each time."""
    seen = []

    def proves(request):
        seen.append(request)
        return passing_on(port)(request)

    with Stranger(proves=proves) as stranger, pytest.raises(ServerUnavailable):
        Server(stranger.address, token).health()
    assert len(seen) == 1 and seen[0].startswith(b"GET /v1/proof?nonce=")
    # a connection that the server closed in the meantime is opened, and proved, again
    server = Server(live.address, token)
    assert server.health()["status"] == "ok"
    server._local.connection.sock.shutdown(socket.SHUT_RDWR)
    assert server.health()["status"] == "ok"
    server._local.connection.close()
    assert server.health()["status"] == "ok"


@pytest.mark.parametrize(
    "address",
    ["", "http://", "http://[::1", "http://127.0.0.1:99999", "http://127.0.0.1:0", "http://127.0.0.1:-1", "http://127.0.0.1:x", "127.0.0.1:8000",
     "https://127.0.0.1:1", "http://a b:1", "http://a\r\nX: y:1", "http://me:secret@127.0.0.1:1", "http://\u00e4\u2100:1", "http://127.0.0.1:1/x",
     "http://127.0.0.1:1?x", "http://" + "a" * 300, "http://a..b:1", "http://\udcff:1", "http://127.0.0.1:\u0661"],
)  # fmt: skip
def test_an_address_that_is_none_is_said(live, address):
    for ask in (lambda: connect(address, str(live.token_file)), lambda: connect(address), lambda: Server(address, "x" * 32)):
        with pytest.raises(ServerUnavailable, match="is not like http"):
            ask()


@pytest.mark.parametrize("content", [b"", b"short", b"one token here\nX-Header: another", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, b"x" * 5000])
def test_a_file_that_holds_no_token_is_said_without_its_content(live, tmp_path, content):
    path = tmp_path / "t"
    path.write_bytes(content)
    with pytest.raises(ServerUnavailable, match="holds no token") as info:
        connect(live.address, str(path))
    assert not content[:8] or content[:8].decode("latin-1") not in str(info.value)
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    with pytest.raises(ServerUnavailable, match="holds no token"):
        connect(live.address, str(fifo))


@pytest.mark.parametrize(
    "note", ["", "[]", "null", "{}", '{"address": 5, "token_file": []}', "[" * 100_000, '{"address": "http://[::1", "token_file": "x"}']
)
def test_a_damaged_note_is_said(live, tmp_path, monkeypatch, note):
    monkeypatch.setenv("VR180_OFX_CACHE", str(tmp_path))
    (tmp_path / "service").mkdir()
    (tmp_path / "service" / "server.json").write_text(note)
    with pytest.raises(ServerUnavailable):
        connect()


@pytest.mark.skipif(os.geteuid() != 0, reason="files can be given away by root alone")
def test_a_note_of_another_user_is_not_believed(live):
    """In a cache folder that others may write to; who is not the superuser looks whose it is."""
    code = "import os, sys; sys.path.insert(0, sys.argv[1]); import client; os.setgid(54321); os.setuid(54321); client.connect()"
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        service = os.path.join(folder, "service")
        os.mkdir(service)
        note = shutil.copy(live.folder / "server.json", service)
        os.chown(note, 12345, 12345)
        for path, mode in ((folder, 0o755), (service, 0o755), (note, 0o644)):
            os.chmod(path, mode)
        shutil.copy(vr180_ofx.client.__file__, folder)
        words = [sys.executable, "-c", code, folder]
        done = subprocess.run(words, env={"VR180_OFX_CACHE": folder}, capture_output=True, text=True)
    assert "server.json belongs to another user" in done.stderr, done.stderr
