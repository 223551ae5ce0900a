"""The interface, through a real server process and the real client."""

import http.client
import json
import threading
import time

import numpy as np

from tests.service.conftest import raw
from vr180_ofx.client import connect


def test_frames_over_http_equal_those_of_the_engine_to_the_last_bit(clip, reference):
    for n in (7, 0, 3):
        for view in ("left", "right"):
            got = clip.frame(n, view)
            mine = np.frombuffer(got.data, "<f2").reshape(got.height, got.width)
            assert np.array_equal(mine, reference[n].views[view].alpha_half())
            assert np.abs(mine.astype(np.float32) - reference[n].views[view].alpha).max() < 1e-3
            assert got.quality == "final" and got.made_with["index"] == n


def test_bytes_that_are_known_are_not_sent_again(clip):
    first = clip.frame(2)
    assert first.etag and clip.frame(2, etag=first.etag) is None
    assert clip.frame(2, layer="person01", etag=first.etag) is not None


def test_who_was_faster_wins(live, clip):
    status, headers, _ = raw(live, "GET", f"/v1/clips/{clip.id}/people")
    assert status == 200 and headers["etag"]
    body = json.dumps({"edits": [{"op": "rename", "person": 1, "name": "zoe"}]}).encode()
    json_type = {"Content-Type": "application/json"}
    path = f"/v1/clips/{clip.id}/people/edits"
    assert raw(live, "POST", path, {**json_type, "If-Match": headers["etag"]}, body)[0] == 200
    status, _, said = raw(live, "POST", path, {**json_type, "If-Match": headers["etag"]}, body)
    assert status == 412 and b"the plan has changed since" in said


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
            picture = mine.frame(n, view)
            if picture is None or picture.data != reference[n].views[view].alpha_half().tobytes():
                wrong.append((seed, n))

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


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
