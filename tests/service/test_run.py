"""The process: where it listens, what it leaves."""

import pytest

from vr180_ofx.cli.main import main
from vr180_ofx.client import ServerUnavailable, connect


def test_it_ends_well_and_says_where_it_was(make_live):
    live = make_live()
    live.open().frame(0)
    assert live.stop() == 0
    assert not (live.folder / "server.json").exists()
    assert "caches are on disk" in (live.folder / "log").read_text()


def test_a_port_that_is_taken_is_said(live, tmp_path, capsys):
    port = live.address.rsplit(":", 1)[1]
    assert main(["serve", "--port", port, "--token-file", str(tmp_path / "t"), "--root", str(tmp_path)]) == 2
    assert "choose another with --port" in capsys.readouterr().err


def test_the_client_says_when_nobody_is_there(tmp_path, monkeypatch, live):
    monkeypatch.setenv("VR180_OFX_CACHE", str(tmp_path))
    with pytest.raises(ServerUnavailable, match="vr180-ofx serve"):
        connect()
    with pytest.raises(ServerUnavailable, match="does not answer"):
        connect("http://127.0.0.1:9", str(live.token_file))
    with pytest.raises(ServerUnavailable, match="is not like http"):
        connect("ftp://x", str(live.token_file))
    with pytest.raises(ServerUnavailable, match="cannot be read"):
        connect(live.address, str(tmp_path / "no token"))


def test_the_client_finds_the_announced_server(live, tmp_path, monkeypatch):
    monkeypatch.setenv("VR180_OFX_CACHE", str(tmp_path))
    (tmp_path / "service").mkdir()
    (tmp_path / "service" / "server.json").write_text((live.folder / "server.json").read_text())
    assert connect().health()["status"] == "ok"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--host", ""], "service.host is ''"), (["--host", " "], "service.host"), (["--host", "[::1"], "service.host is '[::1'"),
        (["--host", "http://127.0.0.1"], "service.host"), (["--host", "127.0.0.1:80"], "service.host"), (["--host", "a..b"], "service.host"),
        (["--host", "\u00fc"], "service.host"), (["--host", "a" * 300], "service.host"), (["--host", "99999999"], "service.host"),
        (["--host", "1.2.3.4"], "cannot be listened on"), (["--port", "99999"], "65535"), (["--port", "-1"], "service.port is -1"),
        (["--set", "service.port=http"], "service.port"), (["--set", "service.host=[::1"], "service.host"), (["--token-file", "/dev/null"], "is not a file"),
        (["--token-file", "/"], "token file / "), (["--token-file", "/proc/x/y"], "cannot be used"),
    ],
)  # fmt: skip
def test_an_address_or_a_port_that_is_none_is_said(tmp_path, capsys, words, said):
    assert main(["serve", "--root", str(tmp_path), "--token-file", str(tmp_path / "t"), *words]) == 2
    complaint = capsys.readouterr().err
    assert said in complaint and "Traceback" not in complaint
    # and where to read on
    assert len(complaint.splitlines()) == 2 and complaint.rstrip().endswith("'vr180-ofx serve --help'.")
