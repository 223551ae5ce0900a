"""The interface, through a real server process and the real client."""

import http.client
import json
import os
import stat
import threading
import time

import cv2
import numpy as np
import pytest

from vr180_ofx.client import ServerProblem, ServerUnavailable, connect
from vr180_ofx.engine.plans import analyse
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.media.open import open_clip
from vr180_ofx.output.inspect import opened


@pytest.fixture(scope="module")
def reference(people_clip):
    """What the engine makes of the clip in this process."""
    with open_clip(people_clip) as clip:
        plan = analyse(clip)
        with FrameServer(clip, plan) as server:
            return [server.request(n).result() for n in range(len(clip))]


@pytest.fixture
def clip(live):
    made = live.open()
    yield made
    if made.refresh()["corrected"]:
        made.forget_corrections()


def raw(live, method, path, headers=None, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", int(live.address.rsplit(":", 1)[1]), timeout=60)
    token = live.token_file.read_text().strip()
    connection.putrequest(method, path, skip_host="host" in {k.lower() for k in headers or {}})
    sent = {"Authorization": f"Bearer {token}", **({"Content-Length": str(len(body))} if body is not None else {}), **(headers or {})}
    for k, v in sent.items():
        if v is not None:
            connection.putheader(k, v)
    connection.endheaders(body)
    response = connection.getresponse()
    data = response.read()
    connection.close()
    return response.status, dict(response.getheaders()), data


def test_frames_over_http_equal_those_of_the_engine_to_the_last_bit(clip, reference):
    for n in (7, 0, 3):
        for view in ("left", "right"):
            got = clip.frame(n, view)
            mine = np.frombuffer(got.data, "<f2").reshape(got.height, got.width)
            assert np.array_equal(mine, reference[n].views[view].alpha_half())
            assert np.abs(mine.astype(np.float32) - reference[n].views[view].alpha).max() < 1e-3
            assert got.quality == "final" and got.made_with["index"] == n


def test_every_layer_and_format(live, clip, reference, tmp_path):
    view = reference[4].views["left"]
    single = clip.frame(4, "left", "A", format="f32")
    assert np.array_equal(np.frombuffer(single.data, "<f4").reshape(512, 512), view.alpha_half().astype(np.float32))
    person = clip.frame(4, "left", "person02", format="f16")
    assert np.array_equal(np.frombuffer(person.data, "<f2").reshape(512, 512), view.person(2).astype(np.float16))
    confidence = clip.frame(4, "left", "confidence.A")
    assert np.array_equal(np.frombuffer(confidence.data, "<f2").reshape(512, 512), view.confidence.astype(np.float16))
    png = cv2.imdecode(np.frombuffer(clip.frame(4, "left", format="png").data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert png.dtype == np.uint16 and np.abs(png / 65535 - view.alpha).max() < 1e-3
    (tmp_path / "a.exr").write_bytes(clip.frame(4, "left", format="exr").data)
    import OpenImageIO as oiio

    with opened(tmp_path / "a.exr") as image:
        names = image.spec().channelnames
        pixels = image.read_image(0, 0, 0, len(names), oiio.FLOAT)
    assert set(names) == {"A", "confidence.A", "person01.A", "person02.A"}
    assert np.array_equal(pixels[..., names.index("A")], view.alpha_half().astype(np.float32))
    assert live.server._json("GET", f"/v1/clips/{clip.id}/layers") == ["A", "confidence.A", "person01.A", "person02.A"]


def test_bytes_that_are_known_are_not_sent_again(clip):
    first = clip.frame(2)
    assert first.etag and clip.frame(2, etag=first.etag) is None
    assert clip.frame(2, layer="person01", etag=first.etag) is not None


def test_a_draft_comes_before_the_analysis_is_done(make_live):
    live = make_live()
    clip = live.server.open(str(live.clip))
    assert clip.facts["state"] == "analysing"
    draft = clip.frame(5, "left", quality="draft")
    assert draft.quality == "draft" and 0.005 < np.frombuffer(draft.data, "<f2").astype(np.float32).mean() < 0.3
    clip.wait()
    final = clip.frame(5, "left")
    a, b = (np.frombuffer(x.data, "<f2").astype(np.float32) > 0.5 for x in (draft, final))
    assert (a & b).sum() / (a | b).sum() > 0.7


def test_final_frames_wait_for_the_plan_and_say_so(make_live):
    live = make_live()
    clip = live.server.open(str(live.clip), {"detection": {"every": 1}})
    if clip.facts["state"] == "analysing":
        with pytest.raises(ServerProblem, match="being analysed") as info:
            clip.frame(0)
        assert info.value.status == 409


def test_opening_twice_is_one_clip_and_other_settings_are_another(live, clip):
    assert live.open().id == clip.id
    other = live.open({"matting": {"refiner": "none"}})
    assert other.id != clip.id and {c.id for c in live.server.clips()} >= {clip.id, other.id}
    other.close()
    with pytest.raises(ServerProblem, match="there is no clip"):
        other.refresh()


def test_people_are_corrected_and_only_what_changed_is_made_anew(live, clip, reference):
    before, person = clip.frame(3, "left"), clip.frame(3, "left", "person01")
    steps = clip.stats()["engine"]["steps"]
    assert clip.edit({"op": "rename", "person": 1, "name": "anna"}) == ""
    assert clip.facts["corrected"] and [p["name"] for p in clip.facts["people"]] == ["anna", "person02"]
    assert clip.frame(3, "left", "anna").data == person.data and clip.stats()["engine"]["steps"] == steps
    assert clip.edit({"op": "exclude", "person": 2}) == "0-9"
    alone = np.frombuffer(clip.frame(3, "left").data, "<f2").reshape(512, 512)
    assert not np.array_equal(alone, reference[3].views["left"].alpha_half())
    document = clip.people()
    document["people"][1]["exclude"] = False
    assert clip.replace_people(document) == "0-9"
    assert clip.frame(3, "left").data == before.data
    with pytest.raises(ServerProblem, match="there is no person 9"):
        clip.edit({"op": "exclude", "person": 9})
    with pytest.raises(ServerProblem, match="plan"):
        clip.replace_people({"format": "something else"})
    clip.forget_corrections()
    assert not clip.refresh()["corrected"] and clip.facts["people"][0]["name"] == "person01"


def test_who_was_faster_wins(live, clip):
    status, headers, _ = raw(live, "GET", f"/v1/clips/{clip.id}/people")
    assert status == 200 and headers["etag"]
    body = json.dumps({"edits": [{"op": "rename", "person": 1, "name": "zoe"}]}).encode()
    json_type = {"Content-Type": "application/json"}
    path = f"/v1/clips/{clip.id}/people/edits"
    assert raw(live, "POST", path, {**json_type, "If-Match": headers["etag"]}, body)[0] == 200
    status, _, said = raw(live, "POST", path, {**json_type, "If-Match": headers["etag"]}, body)
    assert status == 412 and b"the plan has changed since" in said


def test_a_render_reports_progress_and_its_files_are_those_of_the_command_line(live, clip, reference):
    import OpenImageIO as oiio

    out = live.root / "out"
    states = list(clip.render(str(out), "2-5"))
    assert states[-1]["state"] == "done" and states[-1]["report"]["written"] == 4 and states[-1]["done"] == 4
    with opened(out / "clip.0004.exr") as image:
        pixels = image.read_image(0, 0, 0, 1, oiio.FLOAT)
    assert np.array_equal(pixels[..., 0], reference[3].views["left"].alpha_half().astype(np.float32))
    again = list(clip.render(str(out), "2-6"))[-1]["report"]
    assert (again["kept"], again["written"]) == (4, 1)
    with pytest.raises(ServerProblem, match="the clip has frames 0..9"):
        clip.start_render(str(out), "50")
    with pytest.raises(ServerProblem, match="did you mean 'output.compression'"):
        clip.start_render(str(out), "all", {"compresion": "zip"})
    with pytest.raises(ServerProblem, match="outside of what is allowed"):
        clip.start_render("/etc/out")


def test_a_render_shares_what_was_served(live, clip):
    """Frames that were served are not made again for a render, whatever range it asks for."""
    for n in range(2, 6):
        clip.frame(n)
    steps = clip.stats()["engine"]["steps"]
    assert list(clip.render(str(live.root / "shared"), "2-5"))[-1]["report"]["written"] == 4
    assert clip.stats()["engine"]["steps"] == steps


def test_a_job_is_cancelled(live):
    clip = live.open({"matting": {"refiner": "closed_form"}})
    job = clip.start_render(str(live.root / "slow"))
    live.server.cancel(job["job"])
    ended = list(live.server.follow(job["job"]))[-1]
    assert ended["state"] == "cancelled"
    assert not list((live.root / "slow").glob(".*.part*")) if (live.root / "slow").exists() else True
    clip.close()


def test_a_client_that_hangs_up_stops_the_work(make_live):
    """Its frame is not made, and the next one does not wait for it."""
    live = make_live()
    clip = live.open({"matting": {"refiner": "closed_form"}})
    before = clip.frame(0)  # the networks are loaded
    assert before
    connections = []
    for n in range(2, 10):
        connection = http.client.HTTPConnection("127.0.0.1", int(live.address.rsplit(":", 1)[1]))
        headers = {"Authorization": f"Bearer {live.token_file.read_text().strip()}"}
        connection.request("GET", f"/v1/clips/{clip.id}/frames/{n}", headers=headers)
        connections.append(connection)
    time.sleep(0.1)
    for connection in connections:
        connection.close()
    time.sleep(0.5)
    begin = time.monotonic()
    while clip.stats()["engine"]["waiting"]["interactive"] and time.monotonic() < begin + 20:
        time.sleep(0.05)
    # what was being made when the last one hung up may still be finished
    made = -1
    while (steps := clip.stats()["engine"]["steps"]) != made and time.monotonic() < begin + 20:
        made = steps
        time.sleep(1)
    assert steps == made < 30
    assert clip.frame(0).data == before.data


def test_many_clients_at_once_get_the_right_frames(live, clip, reference):
    wrong = []

    def ask(seed):
        server = connect(live.address, str(live.token_file))
        mine = server.open(str(live.clip))
        for k in range(12):
            n = (seed * 7 + k * 3) % 10
            view = ("left", "right")[k % 2]
            if mine.frame(n, view).data != reference[n].views[view].alpha_half().tobytes():
                wrong.append((seed, n))

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


# access ----------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    ("settings", "status", "said"),
    [
        ({"service": {"port": 1}}, 422, "allowed are input"),
        ({"hardware": {"threads": 1}}, 422, "section 'hardware'"),
        ({"matting": {"tracker_weights": "/etc/passwd"}}, 403, "not taken over HTTP"),
        ({"detection": {"weights": "x.pt"}}, 403, "not taken over HTTP"),
        ({"detection": {"model": "/tmp/evil.pt"}}, 403, "allowed are blazepose"),
        ({"matting": {"refinre": "none"}}, 422, "did you mean 'matting.refiner'"),
        ({"matting": []}, 422, "an object"),
        ({"processing": {"scale_factor": 0.3}}, 422, "0.25, 0.5, 1.0"),
        ({"processing": {"max_memory_gb": 4000}}, 403, "not taken"),
    ],
)
def test_settings_that_a_request_may_not_make(live, settings, status, said):
    with pytest.raises(ServerProblem, match=said) as info:
        live.server.open(str(live.clip), settings)
    assert info.value.status == status


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
    live = make_live("--set", "service.max_requests_per_second=5")
    answers = [raw(live, "GET", "/v1/health") for _ in range(80)]
    assert answers[0][0] == 200 and answers[-1][0] == 429 and answers[-1][1]["retry-after"] == "1"


def test_what_is_wrong_is_said_as_a_problem_document(live, clip):
    for path, status in [
        (f"/v1/clips/{clip.id}/frames/99", 404),
        (f"/v1/clips/{clip.id}/frames/-1", 422),
        (f"/v1/clips/{clip.id}/frames/1?view=top", 422),
        (f"/v1/clips/{clip.id}/frames/1?view=main", 422),
        (f"/v1/clips/{clip.id}/frames/1?layer=nobody", 422),
        (f"/v1/clips/{clip.id}/frames/1?quality=best", 422),
        ("/v1/clips/0123456789abcdef", 404),
        ("/v1/clips/../../etc/passwd", 404),
        ("/v1/jobs/0123456789abcdef", 404),
        ("/nothing", 404),
    ]:
        got, headers, body = raw(live, "GET", path)
        assert got == status and headers["content-type"] == "application/problem+json", (path, got, body)
        document = json.loads(body)
        assert document["status"] == status and document["title"] and document["detail"]
    status, _, body = raw(live, "POST", "/v1/clips", {"Content-Type": "application/json"}, b"{not json")
    assert status == 422
    assert raw(live, "PUT", "/v1/clips")[0] == 405


# the process -----------------------------------------------------------------------------------------------------


def test_it_ends_well_and_says_where_it_was(make_live):
    live = make_live()
    live.open().frame(0)
    assert live.stop() == 0
    assert not (live.folder / "server.json").exists()
    assert "caches are on disk" in (live.folder / "log").read_text()


def test_a_token_that_others_can_read_is_refused(tmp_path, capsys):
    from vr180_ofx.cli.main import main

    token = tmp_path / "token"
    token.write_text("a" * 40)
    token.chmod(0o644)
    assert main(["serve", "--token-file", str(token), "--root", str(tmp_path)]) == 2
    assert "chmod 600" in capsys.readouterr().err
    token.chmod(0o600)
    token.write_text("short")
    assert main(["serve", "--token-file", str(token), "--root", str(tmp_path)]) == 2
    assert main(["serve", "--root", str(tmp_path / "nowhere")]) == 2


def test_a_port_that_is_taken_is_said(live, tmp_path, capsys):
    from vr180_ofx.cli.main import main

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


def test_rendering_on_a_server_from_the_command_line(live, capsys):
    from vr180_ofx.cli.main import main

    words = ["--server", live.address, "--token-file", str(live.token_file), "--frames", "0-2", "--json", "--set", "output.compression=zip"]
    assert main(["render", str(live.clip), "-o", str(live.root / "remote"), *words]) == 0
    assert json.loads(capsys.readouterr().out)["written"] == 3
    assert len(list((live.root / "remote").glob("*.exr"))) == 3
    assert main(["render", "/etc/passwd", "-o", str(live.root / "x"), *words]) == 4
    assert "outside of what is allowed" in capsys.readouterr().err
    assert main(["render", str(live.clip), "-o", "x", "--server", "http://127.0.0.1:9", "--token-file", str(live.token_file)]) == 4


def test_closing_a_clip_ends_its_render(live):
    clip = live.open({"matting": {"refiner": "closed_form"}})
    job = clip.start_render(str(live.root / "closed"))
    time.sleep(0.3)
    clip.close()
    assert list(live.server.follow(job["job"]))[-1]["state"] in ("cancelled", "done")
    assert live.open().frame(0).data
