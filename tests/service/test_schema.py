"""The running server against its own description: whatever is sent, the answers are those that are described, and never a 5xx."""

import json

import pytest

pytest.importorskip("schemathesis", reason="schemathesis is not installed")
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as hyp
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
#: Beside what is made up: names of things that are there, so that requests get further than the first check.
OPERATIONS = 22


@pytest.fixture(scope="module")
def schema(live):
    status, _, body = live.server.request("GET", "/v1/openapi.json")
    assert status == 200
    return schemathesis.openapi.from_dict(json.loads(body))


def test_the_description_is_whole(schema):
    document = schema.raw_schema
    assert document["openapi"].startswith("3.") and "Problem" in document["components"]["schemas"]
    assert "HTTPValidationError" not in json.dumps(document)
    operations = [(path, method) for path, methods in document["paths"].items() for method in methods]
    assert len(operations) == OPERATIONS
    for path, method in operations:
        operation = document["paths"][path][method]
        assert operation.get("description"), (path, method)


def test_no_request_whatsoever_breaks_it(live, schema):
    """Made-up requests to every operation, with real clips and jobs among them."""
    clip = live.open()
    clip.frame(0)
    job = clip.start_render(str(live.root / "schema"), "0-1")
    token = live.token_file.read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    count = 0

    def check(case, real):
        """real: ask about something that is there."""
        nonlocal count
        count += 1
        operation, parameters = case.operation, case.path_parameters or {}
        closes = operation.method.upper() == "DELETE" and operation.path.endswith("{clip}")
        if real and "clip" in parameters and not closes:
            parameters["clip"] = clip.id
        if real and "job_id" in parameters:
            parameters["job_id"] = job["job"]
        if real and isinstance(case.body, dict) and "path" in case.body:
            case.body["path"] = str(live.clip if operation.path == "/v1/clips" else live.root / "schema")
        if isinstance(case.body, dict) and case.body.get("pid") == live.process.pid:
            return  # guessed, which would end the server for all tests
        case.validate_response(case.call(base_url=live.address, headers=headers, timeout=60), checks=CHECKS)

    for result in schema.get_all_operations():
        strategy = result.ok().as_strategy()
        quick = hyp(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        quick(given(case=strategy, real=st.booleans())(check))()
    assert count >= 200
    assert live.server.health()["status"] == "ok"
    # and it still works
    if clip.id in {c.id for c in live.server.clips()}:
        clip.forget_corrections() if clip.refresh()["corrected"] else None
    assert live.open().frame(1).data
