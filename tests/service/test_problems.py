"""Errors of the program as problem documents (RFC 9457)."""

import asyncio
import json

import pytest
from fastapi import Request

from vr180_ofx.errors import ClipChangedError, FrameError, FrameIndexError, ServiceError, SettingsError
from vr180_ofx.service.problems import on_error_for_people, problem, responses

REQUEST = Request({"type": "http"})


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (SettingsError("matting.refiner is 'x'"), 422, "Unprocessable"),
        (FrameError("c.mp4", 3, "damaged"), 404, "Not Found"),
        (FrameIndexError(9, 5), 404, "Not Found"),
        (ClipChangedError("c.mp4"), 409, "Conflict"),
        (ServiceError(499, "the client hung up"), 499, "Client Closed Request"),
    ],
)
def test_each_error_is_answered_with_its_own_status(error, status, title):
    answer = asyncio.run(on_error_for_people(REQUEST, error))
    document = json.loads(bytes(answer.body))
    assert answer.status_code == document["status"] == status and document["title"].startswith(title)
    assert document["detail"] == str(error) and answer.headers["content-type"] == "application/problem+json"


def test_headers_go_with_the_answer():
    answer = asyncio.run(on_error_for_people(REQUEST, ServiceError(429, "too many", {"Retry-After": "1"})))
    assert answer.headers["retry-after"] == "1"
    assert problem(503, "later", {"Retry-After": "30"}).headers["retry-after"] == "30"


def test_what_any_request_may_meet_is_described():
    described = responses(404, 499)
    assert {400, 401, 403, 404, 413, 421, 422, 429, 499} == set(described)
    assert all("application/problem+json" in facts["content"] for facts in described.values())
