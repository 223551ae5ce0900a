"""What a crowd leaves behind in a server: nothing (benchmarks/load.py, in small)."""

import os

import pytest

from benchmarks.load import measure
from tests.conftest import DEMO


@pytest.mark.slow
def test_a_crowd_and_given_up_analyses_leave_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("VR180_OFX_CACHE", os.environ["VR180_OFX_CACHE"])
    found = measure(tmp_path, DEMO, requests=240, connections=120, aborted=12, rounds=2, seed=1)
    first, second = found["rounds"]
    for one in (first, second):
        assert one["rest_s"] is not None
        assert one["aborted"]["answers"] == {"200": 12}
        assert set(one["requests"]["answers"]) | set(one["connections"]["answers"]) <= {"200", "404", "422", "hung up"}
    # the first round warms up what is kept for good
    before, after = first["after"], second["after"]
    assert after["descriptors"] == before["descriptors"]
    assert after["threads"] <= before["threads"] + 2
    assert after["resident_mb"] <= before["resident_mb"] + 150
    assert found["analysis_after_all"]["state"] == "ready"
