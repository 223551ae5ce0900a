"""Against real servers on this machine, and a real wheel index."""

import hashlib
import http.server
import threading
import zipfile
from dataclasses import replace
from typing import ClassVar

import pytest

from vr180_ofx.errors import WeightsError
from vr180_ofx.weights import store
from vr180_ofx.weights.catalogue import CATALOGUE, UrlSource, WeightsEntry, WheelSource

DATA = bytes(range(256)) * 4096


class Handler(http.server.BaseHTTPRequestHandler):
    cut_after: int | None = None
    resumes = True
    #: the ranges that were asked for, in their order
    asked: ClassVar[list[str | None]] = []
    body = DATA
    wheel = b""

    def do_GET(self):
        if self.path.startswith("/simple"):
            self.index()
            return
        ranged = self.headers.get("Range")
        type(self).asked.append(ranged)
        start = int(ranged.split("=")[1].rstrip("-")) if ranged and self.resumes else 0
        self.send_response(206 if start else 200)
        body = self.body[start:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.cut_after is not None:
            body = body[: self.cut_after]
            type(self).cut_after = None
        self.wfile.write(body)

    def index(self):
        name = self.path.rstrip("/").rsplit("/", 1)[-1]
        if name.endswith(".whl"):
            body = type(self).wheel
        else:
            body = b'<a href="/simple/toy/toy_weights-1.0-py3-none-any.whl">toy_weights-1.0-py3-none-any.whl</a>'
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch, tmp_path):
    class Own(Handler):
        asked: ClassVar[list[str | None]] = []

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Own)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    monkeypatch.setenv("VR180_OFX_WEIGHTS", str(tmp_path / "weights"))
    address = f"http://127.0.0.1:{httpd.server_port}"
    monkeypatch.setitem(
        CATALOGUE,
        "toy",
        WeightsEntry("toy", "toy.bin", "tests", UrlSource(f"{address}/toy.bin"), hashlib.sha256(DATA).hexdigest(), len(DATA), "CC0"),
    )
    yield Own, address
    httpd.shutdown()
    httpd.server_close()


def test_pull_verify_and_pull_again(server):
    path = store.pull("toy")
    assert path.read_bytes() == DATA and store.verify("toy") is None and store.require("toy") == path
    store.pull("toy")
    assert len(server[0].asked) == 1


def test_a_broken_connection_is_resumed(server):
    server[0].cut_after = 300_000
    with pytest.raises(WeightsError, match="continues"):
        store.pull("toy")
    assert not store.is_present("toy")
    store.pull("toy")
    assert server[0].asked == [None, "bytes=300000-"] and store.verify("toy") is None


def test_a_server_that_cannot_resume_is_asked_from_the_start(server):
    server[0].resumes = False
    server[0].cut_after = 300_000
    with pytest.raises(WeightsError):
        store.pull("toy")
    assert store.pull("toy").read_bytes() == DATA


def test_wrong_content_is_thrown_away(server):
    server[0].body = DATA[:-1] + b"!"
    with pytest.raises(WeightsError, match="thrown away"):
        store.pull("toy")
    assert not store.is_present("toy")
    server[0].body = DATA
    assert store.pull("toy").read_bytes() == DATA


def test_tampered_weights_are_not_loaded(server):
    path = store.pull("toy")
    path.write_bytes(DATA[:-1] + b"!")
    with pytest.raises(WeightsError, match="Nothing was loaded"):
        store.require("toy")
    path.write_bytes(DATA[:100])
    assert "100 bytes" in (store.verify("toy") or "")


def test_weights_without_a_published_hash_are_held_to_what_came_first(server, monkeypatch, tmp_path):
    archive = tmp_path / "weights.zip"
    with zipfile.ZipFile(archive, "w") as z:
        z.writestr("data.pkl", DATA)
    server[0].body = archive.read_bytes()
    monkeypatch.setitem(CATALOGUE, "toy", replace(CATALOGUE["toy"], sha256="", size=0))
    server[0].cut_after = 300_000
    with pytest.raises(WeightsError, match="ended after 300000 of"):
        store.pull("toy")
    path = store.pull("toy")
    assert path.read_bytes() == server[0].body and store.verify("toy") is None
    assert path.with_name("toy.bin.sha256").read_text().strip() == hashlib.sha256(server[0].body).hexdigest()
    path.write_bytes(server[0].body + b"!")
    with pytest.raises(WeightsError, match="is not what was fetched"):
        store.require("toy")
    # a page that says that you should log in is no weights
    server[0].body = b"<html>log in</html>"
    path.unlink()
    with pytest.raises(WeightsError, match="thrown away"):
        store.pull("toy")
    # somebody's own copy, without a note
    path.with_name("toy.bin.sha256").unlink()
    path.write_bytes(archive.read_bytes())
    assert store.require("toy") == path


def test_offline_and_missing(server, monkeypatch):
    monkeypatch.setitem(CATALOGUE, "toy", replace(CATALOGUE["toy"], source=UrlSource("http://127.0.0.1:9/toy.bin")))
    with pytest.raises(WeightsError, match="are you online"):
        store.pull("toy")
    with pytest.raises(WeightsError, match="weights pull toy"):
        store.require("toy")
    with pytest.raises(WeightsError, match="known are"):
        store.pull("nothing")


def test_a_file_is_taken_out_of_a_wheel_by_pip(server, monkeypatch, tmp_path):
    wheel = tmp_path / "toy_weights-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as z:
        z.writestr("toy/model.bin", DATA)
        z.writestr("toy_weights-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: toy-weights\nVersion: 1.0\n")
        z.writestr("toy_weights-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        z.writestr("toy_weights-1.0.dist-info/RECORD", "")
    server[0].wheel = wheel.read_bytes()
    monkeypatch.setenv("PIP_INDEX_URL", f"{server[1]}/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    source = WheelSource("toy_weights", "1.0", "toy/model.bin", "any", "3.11")
    monkeypatch.setitem(CATALOGUE, "toy", replace(CATALOGUE["toy"], source=source))
    assert store.pull("toy").read_bytes() == DATA
    assert not (tmp_path / "weights" / "wheels").exists()
    monkeypatch.setitem(
        CATALOGUE, "other", replace(CATALOGUE["toy"], name="other", filename="other.bin", source=replace(source, version="2.0"))
    )
    with pytest.raises(WeightsError, match="pip could not fetch toy_weights==2.0"):
        store.pull("other")


def test_a_folder_that_cannot_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VR180_OFX_WEIGHTS", str(tmp_path / "file" / "weights"))
    with pytest.raises(WeightsError, match="cannot be stored|cannot be written"):
        store.pull("blazepose_detector")


def test_a_checkpoint_of_sam2_is_pulled_resumed_verified_and_tracks(server, monkeypatch, capsys):
    """The whole way of `weights pull sam2.1_t`, with a checkpoint of random weights in place of the official one."""
    pytest.importorskip("sam2", reason="the extra sam2 is not installed")
    import io

    import torch

    from vr180_ofx.cli.main import main
    from vr180_ofx.engine.models import Models
    from vr180_ofx.settings import Settings
    from vr180_ofx.trackers.sam2.network import Sam2Network

    official = CATALOGUE["sam2.1_t"]
    assert isinstance(official.source, UrlSource)
    assert official.filename == "sam2.1_hiera_tiny.pt" and official.source.url.endswith("/sam2.1_hiera_tiny.pt")
    buffer = io.BytesIO()
    torch.save({"model": Sam2Network("sam2.1_t", None, 128).model.state_dict()}, buffer)
    server[0].body = buffer.getvalue()
    here = replace(
        official,
        source=UrlSource(f"{server[1]}/{official.filename}"),
        size=len(server[0].body),
        sha256=hashlib.sha256(server[0].body).hexdigest(),
    )
    # as large as the official one to one in a hundred: the same tensors
    assert abs(here.size / official.size - 1) < 0.01
    monkeypatch.setitem(CATALOGUE, "sam2.1_t", here)
    settings = Settings(matting={"tracker": "sam2.1_t", "window_size": 128}, hardware={"device": "cpu"})
    with pytest.raises(WeightsError, match=r"run: vr180-ofx weights pull sam2.1_t"):
        Models.of(settings).load_tracker()
    server[0].cut_after = 1_000_000
    assert main(["weights", "pull", "sam2.1_t"]) == 4 and "continues" in " ".join(capsys.readouterr().err.split())
    assert main(["weights", "pull", "sam2.1_t"]) == 0 and server[0].asked[-1] == "bytes=1000000-"
    assert Models.of(settings).load_tracker().identity().startswith(f"sam2.1_t:{here.sha256[:16]}:128:float32")
