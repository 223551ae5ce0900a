"""Edits over HTTP, and what frames are then."""

import json

import numpy as np

from tests.service.conftest import raw

JSON = {"Content-Type": "application/json"}


def edits(live, clip, *asked):
    body = json.dumps({"edits": list(asked)}).encode()
    status, _, answer = raw(live, "POST", f"/v1/clips/{clip.id}/people/edits", JSON, body)
    return status, json.loads(answer)


def alpha(live, clip, n, view):
    status, _, data = raw(live, "GET", f"/v1/clips/{clip.id}/frames/{n}?view={view}&format=f16")
    assert status == 200, data
    return np.frombuffer(data, np.float16).reshape(512, 512).astype(np.float32)
