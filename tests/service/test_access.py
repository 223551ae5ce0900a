"""Who may ask, from where, for which files, how much and how often."""

import http.client
import json
import os
import stat

import pytest

from tests.service.conftest import raw
from vr180_ofx.cli.main import main
from vr180_ofx.client import ServerProblem


def test_the_token_is_for_the_user_alone(live):
    assert stat.S_IMODE(live.token_file.stat().st_mode) == 0o600
    assert len(live.token_file.read_text().strip()) >= 32
    assert live.note["address"] == live.address and stat.S_IMODE((live.folder / "server.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("given", [None, "Bearer wrong", "Basic abc", "Bearer ", "bearer"])
def test_without_the_token_nothing_is_answered(live, given):
    status, headers, body = raw(live, "GET", "/v1/clips", {"Authorization": given})
    assert status == 401 and headers["www-authenticate"] == "Bearer" and headers["content-type"] == "application/problem+json"
    assert json.loads(body)["status"] == 401


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[::2]"])
def test_other_host_names_are_refused(live, host):
    assert raw(live, "GET", "/v1/health", {"Host": host})[0] == 421


@pytest.mark.parametrize(
    ("origin", "status"), [("http://evil.example", 403), ("null", 403), ("http://localhost:3000", 200), ("https://127.0.0.1", 200)]
)
def test_web_pages_of_others_may_not_ask(live, origin, status):
    assert raw(live, "GET", "/v1/health", {"Origin": origin})[0] == status


def test_paths_outside_are_refused_however_they_are_written(live, tmp_path, people_clip):
    root = live.root
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(people_clip.read_bytes())
    (root / "link.mp4").unlink(missing_ok=True)
    (root / "link.mp4").symlink_to(secret)
    inner = root / "inner"
    inner.mkdir(exist_ok=True)
    if not (inner / "0001.png").exists():
        (inner / "0001.png").symlink_to(secret)
    fifo = root / "pipe.mp4"
    if not fifo.exists():
        os.mkfifo(fifo)
    for path, status in [
        (str(secret), 403),
        (str(root / ".." / "token"), 403),
        (str(root / "link.mp4"), 403),
        (str(inner), 403),
        ("/etc/passwd", 403),
        ("/dev/zero", 403),
        (str(fifo), 403),
        ("//server/share/clip.mp4", 403),
        ("\\\\server\\share\\clip.mp4", 403),
        ("\\\\.\\PhysicalDrive0", 403),
        ("C:clip.mp4", 403),
        ("clip.mp4", 422),
        (str(root / "nothing.mp4"), 422),
        (str(root / "a\0b"), 422),
        (str(root / ("x" * 3000)), 422),
    ]:
        with pytest.raises(ServerProblem) as info:
            live.server.open(path)
        assert info.value.status == status, (path, info.value.status, info.value.detail)


def test_requests_that_are_too_large_are_refused_before_they_are_read(live):
    status, _, body = raw(live, "POST", "/v1/clips", {"Content-Length": str(100 << 20), "Content-Type": "application/json"})
    assert status == 413 and b"at most" in body
    # without a length: counted as it comes
    connection = http.client.HTTPConnection("127.0.0.1", int(live.address.rsplit(":", 1)[1]), timeout=60)
    token = live.token_file.read_text().strip()

    def endless():
        for _ in range(80):
            yield b" " * (1 << 20)

    try:
        connection.request(
            "POST",
            "/v1/clips",
            body=endless(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            encode_chunked=True,
        )
        assert connection.getresponse().status == 413
    except (BrokenPipeError, ConnectionResetError):
        pass  # refused while still sending
    connection.close()
    assert live.server.health()["status"] == "ok"


def test_too_many_requests_are_put_off(make_live):
    """Those of strangers, by themselves: whoever has the token is not locked out from the same address."""
    live = make_live("--set", "service.max_requests_per_second=5")
    wrong = [raw(live, "GET", "/v1/clips", {"Authorization": "Bearer wrong"}) for _ in range(80)]
    assert wrong[0][0] == 401 and wrong[-1][0] == 429 and wrong[-1][1]["retry-after"] == "1"
    assert {raw(live, "GET", "/v1/clips")[0] for _ in range(20)} == {200}
    answers = [raw(live, "GET", "/v1/health") for _ in range(80)]
    assert answers[0][0] == 200 and answers[-1][0] == 429 and answers[-1][1]["retry-after"] == "1"


def test_a_token_that_others_can_read_is_refused(tmp_path, capsys):
    token = tmp_path / "token"
    token.write_text("a" * 40)
    token.chmod(0o644)
    assert main(["serve", "--token-file", str(token), "--root", str(tmp_path)]) == 2
    assert "chmod 600" in capsys.readouterr().err
    token.chmod(0o600)
    token.write_text("short")
    assert main(["serve", "--token-file", str(token), "--root", str(tmp_path)]) == 2
    assert main(["serve", "--root", str(tmp_path / "nowhere")]) == 2
