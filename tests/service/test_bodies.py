"""Bodies of requests that are no plan: a reason and its place, never a bug of the server, and never something half understood."""

import copy
import json

import pytest

from tests.service.conftest import raw


@pytest.fixture(scope="module")
def plan(live):
    made = live.open()
    return json.loads(raw(live, "GET", f"/v1/clips/{made.id}/people")[2])


def _rows(plan):
    return plan["people"][0]["views"]["left"]


def _bodies(plan):
    """(body, what the answer says)."""

    def changed(change):
        made = copy.deepcopy(plan)
        change(made)
        return json.dumps(made).encode()

    head = b'{"format":"vr180-ofx plan","version":1,'
    whole = json.dumps(plan).encode()
    n = next(iter(_rows(plan)))
    yield changed(lambda p: _rows(p)[n].update(score=float("nan"))), "NaN, which is no number"
    yield head + b'"people":[{"id":1e999}]}', "too large a number"
    yield b'{"a":' * 100_000, "nests deeper"
    yield head + b'"clip":{"a":' + b"[" * 900 + b"]" * 900 + b"}}", "clip is"
    yield head + b'"people":' + b"[" * 900 + b"]" * 900 + b"}", "people[0] is"
    yield whole.replace(b'"people":', b'"people": [], "people":', 1), "the key 'people' twice"
    yield head + b'"people":[{"id":' + b"9" * 5000 + b"}]}", "is not JSON"
    yield head + b'"people":[{"id":' + b"9" * 4000 + b"}]}", "people[0].id is a number of 13288 bits"
    yield whole.decode().encode("utf-16"), "is not UTF-8"
    yield b'{"a":"\xe9"}', "is not UTF-8 (byte 6)"
    yield b'{"format":"\\ud800"}', "is not a plan"
    yield head + b'"notes":["\\ud800"]}', "notes is"
    yield head + b'"people":[{"id":1,"\\ud800":2}]}', "people[0]"
    yield changed(lambda p: p.update(shots=[["x", "y"]] * 30_000)), "shots is"
    yield changed(lambda p: p["people"][0].update(distance_m=[["x"]] * 30_000)), "people[0].distance_m is"
    yield changed(lambda p: p.update(people=[{"id": "x"}] * 100_000)), "people[0].id is 'x'"
    yield (
        changed(lambda p: p["people"][0]["views"].update(left={str(k): {"box": [1, 2, 3]} for k in range(30_000)})),
        "people[0].views.left.0.box",
    )
    yield changed(lambda p: _rows(p)[n].update(behind=["x"] * 100_000)), f"people[0].views.left.{n}.behind"
    yield changed(lambda p: _rows(p)[n].update(box=[0, 0, 1e308, 1e308])), f"people[0].views.left.{n}.box"
    yield changed(lambda p: _rows(p)[n].update(box=None)), f"people[0].views.left.{n}"
    yield changed(lambda p: _rows(p)[n].update(hips="x")), "hips"
    yield changed(lambda p: p["people"][0].update(views=[1])), "people[0].views"
    yield changed(lambda p: p["people"][0].update(name="a b")), "people[0].name"
    yield changed(lambda p: p["people"][0].update(id=True)), "people[0].id"
    yield changed(lambda p: p["people"][0].update(exclude=1)), "people[0].exclude"
    yield changed(lambda p: p["people"][1].update(id=1)), "ids are unique"
    yield changed(lambda p: p.update(people=5)), "people is 5"
    yield changed(lambda p: p.update(notes=["x" * 100] * 100_000)), "notes is"
    yield changed(lambda p: p.update(settings="x" * 1_000_000)), "settings is"
    yield changed(lambda p: p.update(clip={"frames": "many"})), "was made for a clip"
    yield changed(lambda p: p["clip"].update(alignment_degrees={"yaw": 400})), "alignment_degrees"
    yield changed(lambda p: p["clip"].update(interocular_m=0)), "interocular_m"
    for body in (b"[]", b"null", b'"x"', b"", b"{", b"5"):
        yield body, "body"


def test_malformed_plans_are_refused_with_place_and_reason(live, plan, clip):
    before = raw(live, "GET", f"/v1/clips/{clip.id}/people")[2]
    bodies = list(_bodies(plan))
    assert len(bodies) > 35
    for body, said in bodies:
        status, _, answer = raw(live, "PUT", f"/v1/clips/{clip.id}/people", {"Content-Type": "application/json"}, body)
        detail = json.loads(answer)["detail"]
        assert status == 422 and said in detail and len(detail) < 1500, (body[:80], status, detail[:300])
    assert raw(live, "GET", f"/v1/clips/{clip.id}/people")[2] == before
    assert not clip.refresh()["corrected"]


def test_settings_and_edits_that_cannot_be_are_refused(live, clip):
    path = json.dumps(str(live.clip)).encode()
    for route, body in [
        ("/v1/clips", b'{"path":"a\\u0000b"}'),
        ("/v1/clips", b'{"path":"/\\ud800"}'),
        ("/v1/clips", b'{"path":' + path + b',"path":' + path + b"}"),
        ("/v1/clips", b'{"path":' + path + b',"settings":{"input":{"fov_degrees":1e-300}}}'),
        ("/v1/clips", b'{"path":' + path + b',"settings":{"input":{"frame_rate":0}}}'),
        ("/v1/clips", b'{"path":' + path + b',"settings":{"input":{"colorspace":"a\\u0000"}}}'),
        ("/v1/clips", b'{"path":' + path + b',"settings":{"input":{"\\ud800":1}}}'),
        ("/v1/clips", b'{"path":' + path + b',"settings":{"input":' + b"[" * 900 + b"]" * 900 + b"}}"),
        ("/v1/clips", b'{"path":' + path + b',"settings":{"processing":{"chunk_size":' + b"9" * 4000 + b"}}}"),
        (f"/v1/clips/{clip.id}/people/edits", b'{"edits":[{"op":"move","person":1,"view":"left","frame":0,"box":[NaN,1,2,3]}]}'),
        (f"/v1/clips/{clip.id}/people/edits", b'{"edits":' + b"[" * 50_000 + b"}"),
        (f"/v1/clips/{clip.id}/people/edits", b'{"edits":[' + b",".join([b'{"op":"x"}'] * 100_000) + b"]}"),
    ]:
        status, _, answer = raw(live, "POST", route, {"Content-Type": "application/json"}, body)
        assert status == 422 and len(json.loads(answer)["detail"]) < 1500, (body[:80], status, answer[:300])


def test_a_thousand_corrections_at_once_are_one(live, clip):
    """Each used to write and read the whole plan."""
    edits = [{"op": "exclude", "person": 1, "exclude": k % 2 == 0} for k in range(999)]
    body = json.dumps({"edits": edits}).encode()
    status, _, answer = raw(live, "POST", f"/v1/clips/{clip.id}/people/edits", {"Content-Type": "application/json"}, body)
    assert status == 200 and json.loads(answer)["clip"]["people"][0]["exclude"] is True
